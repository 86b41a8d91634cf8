/// What happens to the pixels of a convolution before they are written, in this order.
public struct ConvolutionEpilogue: Sendable, Equatable {
  /// Whether negative pixels become 0.
  public var relu: Bool
  /// Whether of each 2×2 pixels the largest is kept; a last odd row or column is left out.
  public var pool2x2: Bool
  /// Which pixels are dropped after that; only together with pooling.
  public var dropout: DropoutRule?

  public init(relu: Bool = false, pool2x2: Bool = false, dropout: DropoutRule? = nil) {
    (self.relu, self.pool2x2, self.dropout) = (relu, pool2x2, dropout)
  }
}

/// The code of a pooled pixel that came from none of its four: the rectifier or dropout took it.
/// Codes 0…3 are the places, row by row.
public let deadPixel: UInt8 = 4
