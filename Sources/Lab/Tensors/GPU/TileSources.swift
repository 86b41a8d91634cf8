import Kernels
import OpenCLKernels
import Synchronization

/// What the source of a kernel of tiles depends on.
struct TileSourceKey: Hashable {
  enum Kind: String {
    case forward, inputGradient, weightGradient, smallWeightGradient
    case productForward, productInputGradient, productWeightGradient, smallForward
  }

  enum Tile: Hashable {
    case image(ConvolutionTile)
    case weight(WeightTile)
    case product(ProductTile)
    case pixels(height: Int, width: Int)
    case none

    var macros: [String] {
      switch self {
      case .image(let tile): tile.macros
      case .weight(let tile): tile.macros
      case .product(let tile): tile.macros
      case .pixels(let height, let width): ["TILE_H=\(height)", "TILE_W=\(width)"]
      case .none: []
      }
    }
  }

  let kind: Kind
  let extents: ConvolutionExtents
  let isActivated, isPooled, isDropped: Bool
  /// The convolution in front.
  let front: ConvolutionExtents?
  let hasBias, saves, isSplit: Bool
  let tile: Tile
}

extension ConvolutionExtents {
  /// The extents of one image.
  var withoutImages: ConvolutionExtents {
    ConvolutionExtents(
      n: 1, c: c, h: h, w: w, k: k, r: r, s: s, stride: (strideH, strideW),
      padding: (paddingH, paddingW), dilation: (dilationH, dilationW), groups: groups)
  }
}

/// The sources of kernels that a network needs again and again: writing their macros takes longer than
/// running them.
final class TileSources: Sendable {
  private let sources = Mutex<[TileSourceKey: KernelSource]>([:])
  private let tiles = Mutex<[TileKey: TileSourceKey.Tile]>([:])

  struct TileKey: Hashable {
    let kind: TileSourceKey.Kind
    let extents: ConvolutionExtents
    let isPooled: Bool
  }

  /// The tile of a kernel, found once for extents and a kind.
  func tile(for key: TileKey, _ make: () -> TileSourceKey.Tile) -> TileSourceKey.Tile {
    tiles.withLock { tiles in
      if let tile = tiles[key] { return tile }
      let tile = make()
      tiles[key] = tile
      return tile
    }
  }

  func source(for key: TileSourceKey, _ make: () -> KernelSource) -> KernelSource {
    sources.withLock { sources in
      if let source = sources[key] { return source }
      let source = make()
      sources[key] = source
      return source
    }
  }
}
