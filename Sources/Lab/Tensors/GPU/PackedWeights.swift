import OpenCLKernels
import Synchronization

/// The order in which the kernels of tiles read a weight; see `tile-weights.cl`.
struct WeightPacking: Hashable {
  /// The channels that a kernel reads and those that it writes.
  let from, to: Int
  /// The pixels of the convolution's kernel.
  let taps: Int
  /// Whether it is for the gradient of the input, for which the kernel is flipped.
  let flips: Bool
  /// Blocks of 16 channels of a warp, and channels in local memory at a time.
  let blocks, chunk: Int
  /// Whether two numbers share a word.
  let wordsHoldTwo: Bool

  var words: Int {
    let strip = 16 * blocks
    return (to + strip - 1) / strip * strip * taps * from / (wordsHoldTwo ? 2 : 1)
  }

  var integers: KernelVector<SIMD8<Int32>> {
    KernelVector([words, from, to, taps, blocks, chunk, flips ? 1 : 0])
  }
}

/// The packed weights of a device. After a step of an optimizer all of them have to be packed anew;
/// launching a kernel takes longer than packing a weight, so several are packed in one launch.
final class PackedWeights: Sendable {
  /// A weight that was packed, and will be again.
  private struct Known {
    weak var memory: OpenCLMemory?
    let order: ElementOrder
    let shape: [Int]
    let packing: WeightPacking

    func isSame(as other: Known) -> Bool {
      memory === other.memory && shape == other.shape && packing == other.packing
    }
  }

  private let known = Mutex<[Known]>([])

  /// A weight in the order of a packing.
  ///
  /// - Parameters:
  ///   - weight: The weight of a convolution.
  ///   - packing: The order.
  ///   - backend: The device's backend.
  func buffer(
    of weight: Tensor, _ packing: WeightPacking, on backend: OpenCLBackend
  ) -> DeviceBuffer {
    let (memory, shape) = (weight.gpu, weight.shape)
    if let buffer = memory.packed(packing, shape) { return buffer }
    let wanted = Known(
      memory: memory, order: weight.channelsLast, shape: shape, packing: packing)
    return known.withLock { known in
      known.removeAll { $0.memory == nil }
      // It may have been packed by another thread meanwhile.
      if let buffer = memory.packed(packing, shape) { return buffer }
      let others = known.filter { !$0.isSame(as: wanted) }
      if others.count == known.count { known.append(wanted) }
      let changed = others.filter { $0.memory?.packed($0.packing, $0.shape) == nil }
      return Self.pack([wanted] + changed.prefix(3), on: backend)[0]
    }
  }

  /// Packs up to four weights.
  private static func pack(_ weights: [Known], on backend: OpenCLBackend) -> [DeviceBuffer] {
    var (ends, arguments, buffers): ([Int], [any KernelArgument], [DeviceBuffer]) = ([], [], [])
    for weight in weights {
      guard let memory = weight.memory else { continue }
      let buffer = backend.scratch(weight.packing.words)
      arguments += [memory.buffer(weight.order), buffer, weight.packing.integers]
      ends.append((ends.last ?? 0) + (weight.packing.words + 127) / 128)
      buffers.append(buffer)
      memory.keep(buffer, weight.packing, weight.shape)
    }
    // Of missing ones the kernel reads nothing.
    while arguments.count < 12 { arguments += arguments.prefix(3) }
    let groups = ends[ends.count - 1]
    backend.queue.run(
      "pack_weights",
      in: KernelSource(files: [.tensorCores, .tileWeights], macros: backend.coreMacros),
      groups: (groups, 1, 1), threads: (128, 1, 1),
      arguments + [KernelVector<SIMD4<Int32>>(ends, filler: groups)])
    return buffers
  }
}
