import Kernels
import OpenCLKernels
import Synchronization

/// What the source of a kernel of tiles depends on.
struct TileSourceKey: Hashable {
  enum Kind: String {
    case forward, inputGradient, packForward, packGradient, weightGradient, smallWeightGradient
  }

  let kind: Kind
  let extents: ConvolutionExtents
  let isActivated, isPooled, isDropped: Bool
  /// The convolution in front.
  let front: ConvolutionExtents?
  let hasBias, saves: Bool
  let tile: [String]
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

  func source(for key: TileSourceKey, _ make: () -> KernelSource) -> KernelSource {
    sources.withLock { sources in
      if let source = sources[key] { return source }
      let source = make()
      sources[key] = source
      return source
    }
  }
}
