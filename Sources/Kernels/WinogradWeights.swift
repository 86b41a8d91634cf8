import KernelInterface

/// The weights of a 3×3 convolution as Winograd's way wants them, `U = G g Gᵀ`: to be kept as long
/// as the weights do not change, for a single image costs less than they do.
public final class WinogradWeights {
  /// 36 × channels × filters
  let u: Scratch
  /// 36 × filters × channels, for the way back.
  private(set) lazy var transposed = makeTransposed()
  private let e: WinogradExtents
  private let kernels: KernelSet

  /// - Parameters:
  ///   - weight: K×C×3×3
  ///   - extents: Those of a convolution, of which only C and K matter.
  public init(_ weight: UnsafePointer<Float>, _ extents: ConvolutionExtents) {
    kernels = KernelSet.current
    let loops = kernels.loops
    let e = WinogradExtents(extents, lanes: loops.vectorLanes)
    let u = Scratch(count: 36 * e.channels * e.filters)
    Self.overChannels(e.channels, loops) { channels, scratch in
      let taps = Scratch(count: 9 * channels.count * e.filters)
      loops.winogradWeights(
        weight, into: u.pointer, channels: channels, e, taps: taps.pointer, scratch: scratch)
    }
    (self.e, self.u) = (e, u)
  }

  /// Whether they are what the kernels of this task want.
  public var isCurrent: Bool { kernels.name == KernelSet.current.name }

  private func makeTransposed() -> Scratch {
    let transposed = Scratch(count: 36 * e.channels * e.filters)
    for xi in 0..<36 {
      let plane = xi * e.channels * e.filters
      kernels.loops.transpose(
        u.pointer + plane, stride: e.filters, rows: e.channels, columns: e.filters,
        into: transposed.pointer + plane, targetStride: e.channels)
    }
    return transposed
  }

  /// Divides the channels into parts that are worth a thread each.
  static func overChannels(
    _ channels: Int, _ loops: any VectorLoops.Type,
    _ body: (_ channels: Range<Int>, _ scratch: UnsafeMutablePointer<Float>) -> Void
  ) {
    parallel(count: channels, grain: 128) { range in
      let scratch = Scratch(count: loops.scratchCount)
      body(range, scratch.pointer)
    }
  }
}
