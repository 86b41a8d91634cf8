/// The extents of a two-dimensional convolution (N images, C channels in, H×W pixels, K channels
/// out, R×S pixels of kernel).
public struct ConvolutionExtents: Sendable, Equatable {
  public let n, c, h, w, k, r, s: Int
  public let stride, padding: Int

  public init(
    n: Int, c: Int, h: Int, w: Int, k: Int, r: Int, s: Int, stride: Int, padding: Int
  ) {
    (self.n, self.c, self.h, self.w) = (n, c, h, w)
    (self.k, self.r, self.s) = (k, r, s)
    (self.stride, self.padding) = (stride, padding)
  }

  /// Pixels down and across of the output.
  public var outputH: Int { (h + 2 * padding - r) / stride + 1 }
  public var outputW: Int { (w + 2 * padding - s) / stride + 1 }

  /// Elements of one image, of one output image, and of one output channel's kernel.
  public var image: Int { c * h * w }
  public var output: Int { k * outputH * outputW }
  public var patch: Int { c * r * s }
  public var outputPixels: Int { outputH * outputW }

  /// Where the input row (or column) of a kernel row (or column) falls for an output position;
  /// outside `0..<extent` it falls on the padding.
  @inline(__always)
  public func input(_ output: Int, _ offset: Int) -> Int { output * stride - padding + offset }
}
