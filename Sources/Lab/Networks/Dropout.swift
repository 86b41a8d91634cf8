import LabRandom
import LabTensors

/// Drops elements at random while learning; see ``dropout(_:probability:generator:)``.
public struct Dropout: Layer {
  /// The share of elements that are dropped, in 0…1.
  public let probability: Double
  /// Where the randomness comes from.
  public let generator: Generator

  /// - Parameters:
  ///   - probability: The share of elements to drop, in 0…1.
  ///   - generator: Where the randomness comes from.
  public init(_ probability: Double, generator: Generator = .shared) {
    self.probability = probability
    self.generator = generator
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    dropout(x, probability: probability, generator: generator)
  }
}
