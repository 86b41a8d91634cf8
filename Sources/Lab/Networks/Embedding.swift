import LabRandom
import LabTensors

/// A table with a learned vector for each index, initialized as PyTorch's `Embedding`: from the
/// standard normal distribution. See ``embedding(_:weight:)``.
///
/// It is applied to indices, so it is not a ``Layer``; as a property of one its weight is trained and
/// saved like those of layers.
public struct Embedding {
  /// Indices × size.
  public let weight: Parameter

  /// - Parameters:
  ///   - count: The number of different indices.
  ///   - size: The size of each vector.
  ///   - generator: The source of the initial weights.
  public init(_ count: Int, _ size: Int, generator: Generator = .shared) {
    weight = standardNormal(shape: [count, size], generator: generator)
  }

  /// - Parameters:
  ///   - indices: Indices of any shape.
  ///   - tape: The tape of the batch; nil if there is nothing to train.
  public func callAsFunction(
    _ indices: IntTensor, on tape: Tape? = nil
  ) throws(ShapeError) -> Tensor {
    try embedding(indices, weight: weight.on(tape))
  }
}
