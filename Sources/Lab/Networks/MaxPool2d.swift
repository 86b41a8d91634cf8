import LabTensors

/// Keeps the largest pixel of each window; see ``maxPool2d(_:size:stride:)``.
public struct MaxPool2d: Layer {
  /// The height and width of a window.
  public let size: Int
  /// Pixels from one window to the next.
  public let stride: Int

  /// - Parameters:
  ///   - size: The height and width of a window.
  ///   - stride: Pixels from one window to the next; `size` unless given.
  public init(_ size: Int, stride: Int? = nil) {
    self.size = size
    self.stride = stride ?? size
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try maxPool2d(x, size: size, stride: stride)
  }
}
