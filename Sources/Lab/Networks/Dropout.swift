import LabRandom
import LabTensors

/// Sets random elements to 0 during training; see ``dropout(_:probability:generator:)``.
public struct Dropout: Layer {
  /// The probability that an element is dropped, in 0…1.
  public let probability: Double
  /// The random number generator.
  public let generator: Generator

  /// - Parameters:
  ///   - probability: The probability that an element is dropped, in 0…1.
  ///   - generator: The random number generator.
  public init(_ probability: Double, generator: Generator = .shared) {
    self.probability = probability
    self.generator = generator
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    dropout(x, probability: probability, generator: generator)
  }
}
