/// The function that is applied to each element of a result before it is written.
public enum Activation: Sendable, Equatable {
  /// The result as it is.
  case none
  /// `max(x, 0)`; NaN stays NaN.
  case relu
}

/// The operations that follow a convolution before its pixels are written, in this order.
public struct ConvolutionEpilogue: Sendable, Equatable {
  /// The activation of each pixel.
  public var activation: Activation
  /// Whether 2×2 max pooling follows. A last odd row or column is dropped.
  public var pool2x2: Bool
  /// Dropout of the pooled pixels; needs pooling.
  public var dropout: DropoutRule?

  public init(
    activation: Activation = .none, pool2x2: Bool = false, dropout: DropoutRule? = nil
  ) {
    (self.activation, self.pool2x2, self.dropout) = (activation, pool2x2, dropout)
  }
}

/// The code of a pooled pixel that has no gradient: ReLU or dropout set it to 0.
/// Codes 0…3 are positions in the 2×2 window, row by row.
public let deadPixel: UInt8 = 4
