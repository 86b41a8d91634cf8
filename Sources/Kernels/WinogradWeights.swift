import KernelInterface
import Synchronization

/// The transformed weights of a 3×3 convolution, `U = G g Gᵀ`. Worth keeping as long as the weights do
/// not change: transforming them costs more than one image.
public final class WinogradWeights: Sendable {
  /// 36 × channels × filters
  let u: Scratch
  /// 36 × filters × channels, for the backward pass.
  var transposed: Scratch {
    made.withLock { made in
      if let made { return made }
      let new = makeTransposed()
      made = new
      return new
    }
  }

  private let made = Mutex<Scratch?>(nil)
  private let e: WinogradExtents
  private let kernels: KernelSet

  /// - Parameters:
  ///   - weight: K×C×3×3
  ///   - extents: The extents of the convolution; only C and K are used.
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

  /// Whether they were made for the task's kernel set.
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

  /// Runs `body` on ranges of channels that are worth a thread each.
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
