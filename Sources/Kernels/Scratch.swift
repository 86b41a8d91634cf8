import Synchronization

/// Floats that a kernel needs while it runs, aligned to 64 bytes.
///
/// Memory that one kernel gives back is what the next one gets: from the system it would come as
/// new pages each time, and touching those costs more than many a kernel does.
final class Scratch {
  let pointer: UnsafeMutablePointer<Float>
  private let block: Block

  /// - Parameter count: The number of floats; their values are undefined until written.
  init(count: Int) {
    block = Self.free.withLock { $0.take(count) } ?? Block(count: count)
    pointer = block.pointer
  }

  deinit {
    let block = block
    Self.free.withLock { $0.blocks.append(block) }
  }

  private static let free = Mutex(FreeBlocks())

  private struct FreeBlocks {
    var blocks: [Block] = []

    /// The smallest block that is large enough, unless it is far too large.
    mutating func take(_ count: Int) -> Block? {
      let fitting = blocks.indices.filter {
        blocks[$0].count >= count && blocks[$0].count / 4 <= max(count, 1024)
      }
      let smallest = fitting.min { blocks[$0].count < blocks[$1].count }
      return smallest.map { blocks.remove(at: $0) }
    }
  }

  private struct Block: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int

    init(count: Int) {
      self.count = max(1, count)
      pointer = UnsafeMutableRawPointer.allocate(
        byteCount: self.count * MemoryLayout<Float>.stride, alignment: 64
      ).bindMemory(to: Float.self, capacity: self.count)
    }
  }
}
