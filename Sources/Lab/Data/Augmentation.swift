import LabRandom
import LabTensors

/// A random transformation of training images, such as ``RandomAffine``.
///
/// ```swift
/// struct Noise: Augmentation {
///   func callAsFunction(_ x: Tensor, background: Float, generator: Generator) -> Tensor {
///     Tensor(zip(x.elements, generator.normal(count: x.count, std: 0.1)).map(+), shape: x.shape)
///   }
/// }
/// ```
public protocol Augmentation: Sendable {
  /// Transforms the images of a batch, each one differently. All random numbers come from `generator`,
  /// so that the result does not depend on the thread.
  ///
  /// - Parameters:
  ///   - x: The images, of shape (images, channels, rows, columns).
  ///   - background: The value of a black pixel.
  ///   - generator: The source of random numbers.
  func callAsFunction(_ x: Tensor, background: Float, generator: Generator) -> Tensor

  /// Transforms some images of a batch, in the same way as all of them would be. By default transforms
  /// all, and leaves out the others.
  ///
  /// - Parameters:
  ///   - x: The images of the whole batch.
  ///   - rows: Which of them the result has.
  ///   - background: The value of a black pixel.
  ///   - generator: The source of random numbers.
  func callAsFunction(
    _ x: Tensor, rows: Range<Int>, background: Float, generator: Generator
  ) -> Tensor

  /// - Throws: ``DataError`` that names the value that is out of range. By default all are allowed.
  func validate() throws

  /// The values by name, for TensorBoard; none by default.
  var hyperparameters: [String: String] { get }
}

extension Augmentation {
  public func callAsFunction(
    _ x: Tensor, rows: Range<Int>, background: Float, generator: Generator
  ) -> Tensor {
    self(x, background: background, generator: generator).rows(rows)
  }
  public func validate() throws {}
  public var hyperparameters: [String: String] { [:] }
}
