import LabRandom
import LabTensors

/// A fully connected layer, initialized as PyTorch's `Linear`; see ``linear(_:weight:bias:)``.
public struct Linear: Layer {
  /// Output features × input features.
  public let weight: Parameter
  /// One number for each output feature.
  public let bias: Parameter

  /// - Parameters:
  ///   - inputs: The number of input features.
  ///   - outputs: The number of output features.
  ///   - generator: The generator of the initial weights.
  public init(_ inputs: Int, _ outputs: Int, generator: Generator = .shared) {
    weight = defaultWeight(shape: [outputs, inputs], fanIn: inputs, generator: generator)
    bias = defaultBias(count: outputs, fanIn: inputs, generator: generator)
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try linear(x, weight: weight.on(x.tape), bias: bias.on(x.tape))
  }
}
