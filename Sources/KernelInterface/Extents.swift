/// The extents of a two-dimensional convolution: N images, C input channels, H×W pixels, K output
/// channels, R×S kernel pixels.
public struct ConvolutionExtents: Sendable, Hashable {
  public let n, c, h, w, k, r, s: Int
  /// Pixels from one kernel position to the next.
  public let strideH, strideW: Int
  /// Zeros on each side of an image.
  public let paddingH, paddingW: Int
  /// Pixels from one kernel element to the next.
  public let dilationH, dilationW: Int
  /// The parts that the input and output channels are divided into. Output channels see the input
  /// channels of their own part only.
  public let groups: Int

  /// A convolution with one stride, one padding, no dilation and one group.
  public init(
    n: Int, c: Int, h: Int, w: Int, k: Int, r: Int, s: Int, stride: Int, padding: Int
  ) {
    self.init(
      n: n, c: c, h: h, w: w, k: k, r: r, s: s, stride: (stride, stride),
      padding: (padding, padding))
  }

  public init(
    n: Int, c: Int, h: Int, w: Int, k: Int, r: Int, s: Int, stride: (h: Int, w: Int),
    padding: (h: Int, w: Int), dilation: (h: Int, w: Int) = (1, 1), groups: Int = 1
  ) {
    (self.n, self.c, self.h, self.w) = (n, c, h, w)
    (self.k, self.r, self.s) = (k, r, s)
    (strideH, strideW) = stride
    (paddingH, paddingW) = padding
    (dilationH, dilationW) = dilation
    self.groups = groups
  }

  /// Whether there is one stride, one padding, no dilation and one group: what the direct and the
  /// Winograd kernels compute.
  public var isUniform: Bool {
    strideH == strideW && paddingH == paddingW && dilationH == 1 && dilationW == 1 && groups == 1
  }

  /// The stride and the padding of a uniform convolution.
  public var stride: Int { strideH }
  public var padding: Int { paddingH }

  /// The height and width of the output.
  public var outputH: Int { (h + 2 * paddingH - dilationH * (r - 1) - 1) / strideH + 1 }
  public var outputW: Int { (w + 2 * paddingW - dilationW * (s - 1) - 1) / strideW + 1 }

  /// Elements of an input image, of an output image, and of one output channel's kernel.
  public var image: Int { c * h * w }
  public var output: Int { k * outputH * outputW }
  public var patch: Int { c / groups * r * s }
  public var outputPixels: Int { outputH * outputW }

  /// The input row under kernel row `r` at an output row; outside `0..<h` it is padding.
  @inline(__always)
  public func inputRow(_ output: Int, _ r: Int) -> Int {
    output * strideH - paddingH + r * dilationH
  }

  /// The input column under kernel column `s` at an output column; outside `0..<w` it is padding.
  @inline(__always)
  public func inputColumn(_ output: Int, _ s: Int) -> Int {
    output * strideW - paddingW + s * dilationW
  }
}

/// The extents of some output rows of a direct convolution (C input channels, K output channels,
/// R×S kernel pixels). The input rows already contain the padding.
public struct DirectExtents: Sendable {
  public var c, k, r, s, strideH, strideW: Int
  /// K rounded up to whole vectors.
  public var filters: Int
  /// Output rows, and pixels of each.
  public var rows, columns: Int
  /// Floats from one input row to the next.
  public var inputRow: Int
  /// Floats from one output pixel to the next in its row, and from one row to the next.
  public var outputPixel, outputRow: Int

  /// - Parameters:
  ///   - columns: Output pixels of a row.
  ///   - lanes: Floats in a vector.
  public init(_ e: ConvolutionExtents, rows: Int, columns: Int, inputRow: Int, lanes: Int) {
    self.init(
      c: e.c, k: e.k, r: e.r, s: e.s, strideH: e.strideH, strideW: e.strideW,
      filters: (e.k + lanes - 1) / lanes * lanes, rows: rows, columns: columns,
      inputRow: inputRow, outputPixel: e.k, outputRow: columns * e.k)
  }

  public init(
    c: Int, k: Int, r: Int, s: Int, strideH: Int, strideW: Int, filters: Int, rows: Int,
    columns: Int, inputRow: Int, outputPixel: Int, outputRow: Int
  ) {
    (self.c, self.k, self.r, self.s) = (c, k, r, s)
    (self.strideH, self.strideW, self.filters) = (strideH, strideW, filters)
    (self.rows, self.columns, self.inputRow) = (rows, columns, inputRow)
    (self.outputPixel, self.outputRow) = (outputPixel, outputRow)
  }

  /// The terms of the sum that is an output pixel.
  public var terms: Int { c * r * s }
}

/// The extents of a 3×3 convolution with stride 1 on channels-last images, divided into tiles of 4×4
/// output pixels (N images, C input channels, H×W pixels, K output channels).
///
/// Tile rows are numbered through all images. An input tile has 6×6 pixels; those outside the image
/// are 0.
public struct WinogradExtents: Sendable {
  public let n, c, h, w, k, padding: Int
  /// The height and width of the output.
  public let outputH, outputW: Int
  /// Rows and columns of tiles of an image.
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

  /// The height and width of the output after 2×2 pooling.
  public var pooledH: Int { outputH / 2 }
  public var pooledW: Int { outputW / 2 }

  /// Floats from one transformed tile to the next, each of 36 × channels. One extra cache line
  /// keeps tiles of many sizes from mapping to the same cache sets.
  public func tile(channels: Int) -> Int { 36 * channels + 16 }
}

/// A part of a batch's tiles: rows of tiles, numbered through all images, and columns.
public struct TileRange: Sendable {
  public let rows, columns: Range<Int>

  public init(rows: Range<Int>, columns: Range<Int>) {
    (self.rows, self.columns) = (rows, columns)
  }

  public var count: Int { rows.count * columns.count }
}

/// The extents of max pooling over windows of `size`×`size` pixels (planes: images times channels;
/// H×W pixels).
public struct PoolingExtents: Sendable, Equatable {
  public let planes, h, w: Int
  public let size, stride: Int

  public init(planes: Int, h: Int, w: Int, size: Int, stride: Int) {
    (self.planes, self.h, self.w) = (planes, h, w)
    (self.size, self.stride) = (size, stride)
  }

  /// The height and width of the output. Windows that do not fit are dropped.
  public var outputH: Int { (h - size) / stride + 1 }
  public var outputW: Int { (w - size) / stride + 1 }
}
