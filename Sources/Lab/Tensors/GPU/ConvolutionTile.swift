import Kernels

/// How `tile-convolution.cl` divides an image among groups of threads.
struct ConvolutionTile: Hashable {
  /// The pixels of a group.
  let height, width: Int
  /// Blocks of 16 channels and of 8 pixels for a warp.
  let channelBlocks, pixelBlocks: Int
  /// Warps of a group along the channels and along the pixels.
  let channelWarps, pixelWarps: Int
  /// Channels of the input in local memory at a time.
  let chunk: Int

  /// Channels of the result of a group.
  var band: Int { 16 * channelBlocks * channelWarps }
  var threads: Int { 32 * channelWarps * pixelWarps }
  /// Channels of a warp, for which weights are packed together.
  var strip: Int { 16 * channelBlocks }

  var macros: [String] {
    [
      "TILE_H=\(height)", "TILE_W=\(width)", "MT=\(channelBlocks)", "NT=\(pixelBlocks)",
      "WARPS_M=\(channelWarps)", "WARPS_N=\(pixelWarps)", "CHUNK=\(chunk)",
    ]
  }

  /// The groups along the images, and along the channels of a result of the given extents.
  func groups(images: Int, height h: Int, width w: Int, channels: Int) -> (Int, Int) {
    (
      images * ((h + height - 1) / height) * ((w + width - 1) / width),
      (channels + band - 1) / band
    )
  }

  /// The tile for a convolution of stride 1; nil if its extents do not suit.
  ///
  /// - Parameters:
  ///   - from, to: The channels of the input and of the result.
  ///   - height, width: The pixels of the result.
  ///   - kernel: The kernel's pixels.
  ///   - even: Whether the tile has to consist of windows of 2×2.
  ///   - precision: Numbers in local memory are half as long for `bf16`.
  static func tile(
    from: Int, to: Int, height: Int, width: Int, kernel: (Int, Int), even: Bool,
    precision: GPUPrecision
  ) -> ConvolutionTile? {
    guard from % 16 == 0, to % 16 == 0, height > 0, width > 0, max(kernel.0, kernel.1) <= 5 else {
      return nil
    }
    let isSmall = height * width <= 64
    // Measured on an H100: two warps of 56 pixels, or more warps with fewer for small images.
    let shape: (Int, Int, Int, Int) =
      if to % 64 == 0 {
        isSmall ? (1, 4, 4, 2) : (2, 7, 2, 2)
      } else if to % 32 == 0 {
        isSmall ? (1, 4, 2, 2) : (2, 7, 1, 2)
      } else {
        (1, 7, 1, 2)
      }
    let capacity = 8 * shape.1 * shape.3
    let room = precision == .float32 ? 30_000 : 46_500
    var best: (cost: Int, height: Int, width: Int, chunk: Int)?
    let step = even ? 2 : 1
    for tileHeight in stride(from: step, through: min(capacity, height + step - 1), by: step) {
      let tileWidth = min(width + (even ? width % 2 : 0), capacity / tileHeight / step * step)
      guard tileWidth >= step else { break }
      let patch = (tileHeight + kernel.0 - 1) * (tileWidth + kernel.1 - 1)
      let bytes = patch * (precision == .bf16 ? 2 : 4)
      guard let chunk = [64, 32, 16].first(where: { from % $0 == 0 && $0 * bytes <= room }) else {
        continue
      }
      let tiles =
        ((height + tileHeight - 1) / tileHeight) * ((width + tileWidth - 1) / tileWidth)
      // A pixel of the patch takes about half as long as one of the result; chunks wait for one another.
      let cost = tiles * (2 * capacity + patch + 16 * (from / chunk))
      if best.map({ cost < $0.cost }) ?? true { best = (cost, tileHeight, tileWidth, chunk) }
    }
    return best.map {
      ConvolutionTile(
        height: $0.height, width: $0.width, channelBlocks: shape.0, pixelBlocks: shape.1,
        channelWarps: shape.2, pixelWarps: shape.3, chunk: $0.chunk)
    }
  }
}

/// How `tile-weight-gradient.cl` divides the gradient of a kernel among groups of threads.
struct WeightTile: Hashable {
  /// The output pixels that a group takes at a time.
  let height, width: Int
  /// Filters and channels of a group, and of a warp.
  let filters, channels: Int
  let warpFilters, warpChannels: Int
  /// Kernel rows of a group, and warps that share the rows of a tile.
  let kernelRows, shares: Int

  var threads: Int {
    32 * (filters / warpFilters) * (channels / warpChannels) * kernelRows * shares
  }

  var macros: [String] {
    [
      "TILE_H=\(height)", "TILE_W=\(width)", "BM=\(filters)", "BN=\(channels)",
      "WARP_M=\(warpFilters)", "WARP_N=\(warpChannels)", "GROUP_R=\(kernelRows)",
      "SHARES=\(shares)",
    ]
  }

  /// The tile for a convolution of stride 1; nil if its extents do not suit.
  static func tile(_ e: ConvolutionExtents, precision: GPUPrecision) -> WeightTile? {
    guard e.c % 16 == 0, e.k % 16 == 0, 2...3 ~= e.r, 2...3 ~= e.s else { return nil }
    let width =
      switch e.outputW {
      case ...8: 8
      case _ where precision == .bf16: 16
      case _ where e.outputW % 14 == 0: 14
      default: 16
      }
    if precision == .float32 {
      let filters = e.k % 32 == 0 ? 32 : 16
      return WeightTile(
        height: 4, width: 28, filters: filters, channels: 16, warpFilters: filters,
        warpChannels: 16, kernelRows: e.r, shares: 1)
    }
    let filters = e.k % 64 == 0 ? 64 : e.k % 32 == 0 ? 32 : 16
    let channels = filters > 16 && e.c % 32 == 0 ? 32 : 16
    // With so few filters two warps share a tile, so that a group has enough threads.
    let shares = filters == 16 ? 2 : 1
    return WeightTile(
      height: 4 * shares, width: width, filters: filters, channels: channels,
      warpFilters: min(32, max(16, filters / 2)), warpChannels: channels, kernelRows: e.r,
      shares: shares)
  }
}
