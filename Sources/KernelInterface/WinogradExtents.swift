/// The extents of a 3×3 convolution of stride 1 on channels-last images, cut into tiles of 4×4
/// output pixels (N images, C channels in, H×W pixels, K channels out).
///
/// Tile rows are counted through all images. A tile of the input has 6×6 pixels, and what sticks
/// out of the image counts as 0.
public struct WinogradExtents: Sendable {
  public let n, c, h, w, k, padding: Int
  /// Pixels down and across of the output.
  public let outputH, outputW: Int
  /// Tiles down and across of an image.
  public let tilesDown, tilesAcross: Int
  /// C and K rounded up to whole vectors.
  public let channels, filters: Int

  public init(_ e: ConvolutionExtents, lanes: Int) {
    (n, c, h, w, k, padding) = (e.n, e.c, e.h, e.w, e.k, e.padding)
    (outputH, outputW) = (e.outputH, e.outputW)
    (tilesDown, tilesAcross) = ((outputH + 3) / 4, (outputW + 3) / 4)
    channels = (c + lanes - 1) / lanes * lanes
    filters = (k + lanes - 1) / lanes * lanes
  }

  /// Tile rows of all images.
  public var tileRows: Int { n * tilesDown }

  /// Pixels down and across of the output after 2×2 pooling.
  public var pooledH: Int { outputH / 2 }
  public var pooledW: Int { outputW / 2 }

  /// Floats from one transformed tile to the next, each of 36 × channels: one cache line more than
  /// needed, since the tiles of many extents would all fall on the same places of the cache.
  public func tile(channels: Int) -> Int { 36 * channels + 16 }
}
