import LabTensors

/// Some images with their labels, to be put through a model at once.
public struct Batch: @unchecked Sendable {
  // Sendable because its tensors are never on a tape, and nobody writes to a finished tensor.

  /// The images, of shape (batch, channels, rows, columns).
  public let x: Tensor
  /// The labels, of shape (batch).
  public let y: IntTensor

  /// - Parameters:
  ///   - x: The images, of shape (batch, channels, rows, columns).
  ///   - y: As many labels.
  public init(x: Tensor, y: IntTensor) {
    self.x = x.detached
    self.y = y
  }

  /// The number of images.
  public var count: Int { y.shape.first ?? 1 }
}
