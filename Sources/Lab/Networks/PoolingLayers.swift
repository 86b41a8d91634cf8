import LabTensors

/// The largest pixel of each window; see ``maxPool2d(_:size:stride:)``.
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

/// The mean of each window; see `avgPool2d`.
public struct AvgPool2d: Layer {
  /// The height and width of a window.
  public let size: (Int, Int)
  /// Pixels from one window to the next, down and across.
  public let stride: (Int, Int)
  /// Zeros above and below, and on the left and right, of each image.
  public let padding: (Int, Int)

  /// - Parameters:
  ///   - size: The height and width of a window.
  ///   - stride: Pixels from one window to the next; `size` unless given.
  ///   - padding: Zeros around each image.
  public init(_ size: Int, stride: Int? = nil, padding: Int = 0) {
    self.init((size, size), stride: stride.map { ($0, $0) }, padding: (padding, padding))
  }

  public init(_ size: (Int, Int), stride: (Int, Int)? = nil, padding: (Int, Int) = (0, 0)) {
    self.size = size
    self.stride = stride ?? size
    self.padding = padding
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try avgPool2d(x, size: size, stride: stride, padding: padding)
  }
}

/// The mean of each of a fixed number of parts of an image; see `adaptiveAvgPool2d`.
public struct AdaptiveAvgPool2d: Layer {
  /// The height and width of the result.
  public let outputSize: (Int, Int)

  /// - Parameter outputSize: The height and width of the result.
  public init(_ outputSize: Int) {
    self.init((outputSize, outputSize))
  }

  public init(_ outputSize: (Int, Int)) {
    self.outputSize = outputSize
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try adaptiveAvgPool2d(x, outputSize: outputSize)
  }
}
