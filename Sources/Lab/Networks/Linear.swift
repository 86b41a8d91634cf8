import LabRandom
import LabTensors

/// A fully connected layer, initialised as PyTorch's `Linear`; see ``linear(_:weight:bias:)``.
public struct Linear: Layer {
  /// Features out × features in.
  public let weight: Parameter
  /// A number for each feature out.
  public let bias: Parameter

  /// - Parameters:
  ///   - inputs: Features that come in.
  ///   - outputs: Features that go out.
  ///   - generator: Where the initial weights come from.
  public init(_ inputs: Int, _ outputs: Int, generator: Generator = .shared) {
    weight = defaultWeight(shape: [outputs, inputs], fanIn: inputs, generator: generator)
    bias = defaultBias(count: outputs, fanIn: inputs, generator: generator)
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try linear(x, weight: weight.on(x.tape), bias: bias.on(x.tape))
  }
}
