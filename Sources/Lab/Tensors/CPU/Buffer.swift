import Kernels
import Synchronization

/// Memory for floats, aligned to 64 bytes. Freed memory is kept for the next buffer of the same size:
/// a training step allocates what the step before it did.
package final class Buffer: @unchecked Sendable {
  package var pointer: UnsafeMutablePointer<Float> { block.pointer }
  private let block: FreeBlocks.Block
  private let meter = MemoryMeter.current

  /// Buffers that are not in use. With those in use, they exceed the most that was in use at one time by
  /// at most 128 MiB.
  private static let free = Mutex(FreeBlocks(margin: 1 << 25))
  /// Smaller buffers are not worth the lock.
  private static let smallestCount = 1 << 12

  /// - Parameter count: The number of floats; their values are undefined until written.
  package init(count: Int) {
    block =
      count < Self.smallestCount
      ? FreeBlocks.Block(count: count)
      : FreeBlocks.block(from: Self.free, count: count) { $0.take(exactly: count) }
    meter?.add(floats: count)
  }

  deinit {
    let block = block
    meter?.add(floats: -block.count)
    guard block.count >= Self.smallestCount else { return block.deallocate() }
    for old in Self.free.withLock({ $0.keep(block) }) { old.deallocate() }
  }
}

/// Integers that an operation saves for its gradients, in memory that later steps use again.
final class Codes<Number: FixedWidthInteger> {
  private let buffer: Buffer
  let pointer: UnsafeMutablePointer<Number>

  /// - Parameter count: The number of integers; their values are undefined until written.
  init(count: Int) {
    let bytes = count * MemoryLayout<Number>.stride
    buffer = Buffer(count: (bytes + 3) / 4)
    pointer = UnsafeMutableRawPointer(buffer.pointer).bindMemory(to: Number.self, capacity: count)
  }

  deinit {
    // The buffer will hold floats again.
    UnsafeMutableRawPointer(buffer.pointer).bindMemory(to: Float.self, capacity: 1)
  }
}
