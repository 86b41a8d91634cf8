import Foundation
import Synchronization

/// Memory for floats that a kernel needs while it runs, aligned to 64 bytes.
///
/// Freed memory is kept for the next kernel; see ``FreeBlocks``.
final class Scratch: @unchecked Sendable {
  // Sendable because the kernel that takes it divides it among its threads.
  let pointer: UnsafeMutablePointer<Float>
  private let block: FreeBlocks.Block

  /// - Parameter count: The number of floats; their values are undefined until written.
  init(count: Int) {
    block = FreeBlocks.block(from: Self.free, count: count) { $0.take(count) }
    pointer = block.pointer
  }

  deinit {
    let block = block
    // Memory goes back to the system outside the lock, which other threads wait for.
    for old in Self.free.withLock({ $0.keep(block) }) { old.deallocate() }
  }

  private static let free = Mutex(FreeBlocks())
}

/// Blocks of memory that are not in use, the one unused for longest first: new pages from the system
/// take longer than many kernels. A block that has not been used for long is returned to the system.
///
/// Blocks are also returned while memory in use and free memory together exceed the most that has been in
/// use at one time by more than a margin. So a program holds little more than it needs at its peak. The
/// margin is for blocks of different sizes, which cannot replace each other.
package struct FreeBlocks {
  package struct Block: @unchecked Sendable {
    package let pointer: UnsafeMutablePointer<Float>
    package let count: Int

    /// Blocks of at least this many floats are mapped, because allocators may keep the memory of
    /// deallocated blocks: glibc's keeps that of blocks of up to 32 MiB.
    private static let mappedCount = 1 << 18

    package init(count: Int) {
      self.count = max(1, count)
      let bytes = self.count * MemoryLayout<Float>.stride
      let memory =
        self.count < Self.mappedCount
        ? UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        : mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      guard let memory, memory != MAP_FAILED else {
        // Like Swift's own allocations, this one cannot report an error to its caller.
        fatalError(
          "expected \(bytes) bytes of memory, the system has not as much; use smaller batches or a "
            + "smaller network")
      }
      pointer = memory.bindMemory(to: Float.self, capacity: self.count)
    }

    package func deallocate() {
      if count < Self.mappedCount {
        UnsafeMutableRawPointer(pointer).deallocate()
      } else {
        munmap(pointer, count * MemoryLayout<Float>.stride)
      }
    }
  }

  private let margin, longestWait: Int
  private var blocks: [(block: Block, freed: Int)] = []
  /// How many blocks have been freed so far.
  private var clock = 0
  /// The number of free floats, of those in use, and the most that have been in use at one time.
  package private(set) var floats = 0
  private var inUse = 0
  private var mostInUse = 0

  /// - Parameters:
  ///   - margin: By how many floats memory in use and free may exceed the most that was in use at one
  ///     time.
  ///   - longestWait: A block is returned after so many others have been freed; a training step frees
  ///     some hundreds.
  package init(margin: Int = 1 << 28, longestWait: Int = 20_000) {
    (self.margin, self.longestWait) = (margin, longestWait)
  }

  /// The smallest block that is large enough, unless it is far too large; of equal ones the one
  /// freed last, which the caches may still hold.
  package mutating func take(_ count: Int) -> Block? {
    var best: Int?
    for index in blocks.indices.reversed() {
      let size = blocks[index].block.count
      guard size >= count, size / 4 <= max(count, 1024) else { continue }
      if best.map({ size < blocks[$0].block.count }) ?? true { best = index }
    }
    return best.map { take(at: $0) }
  }

  /// The block of exactly this size that was freed last.
  package mutating func take(exactly count: Int) -> Block? {
    blocks.lastIndex { $0.block.count == count }.map { take(at: $0) }
  }

  private mutating func take(at index: Int) -> Block {
    let block = blocks.remove(at: index).block
    floats -= block.count
    use(block.count)
    return block
  }

  private mutating func use(_ count: Int) {
    inUse += count
    mostInUse = max(mostInUse, inUse)
  }

  /// Counts a new block, which is to be made because no free one fits.
  ///
  /// - Returns: The blocks to return to the system.
  package mutating func makeRoom(for count: Int) -> [Block] {
    use(count)
    return takeOld()
  }

  /// A block of memory, new if `take` finds none.
  package static func block(
    from free: borrowing Mutex<FreeBlocks>, count: Int, _ take: (inout FreeBlocks) -> Block?
  ) -> Block {
    let (reused, old) = free.withLock { free in
      take(&free).map { ($0, []) } ?? (nil, free.makeRoom(for: count))
    }
    // Outside the lock, which other threads wait for.
    for block in old { block.deallocate() }
    return reused ?? Block(count: count)
  }

  /// Keeps a block for later, and returns those that the system should have back.
  package mutating func keep(_ block: Block) -> [Block] {
    clock += 1
    blocks.append((block, clock))
    floats += block.count
    inUse -= block.count
    return takeOld()
  }

  private mutating func takeOld() -> [Block] {
    var old: [Block] = []
    while let first = blocks.first, clock - first.freed > longestWait {
      old.append(blocks.removeFirst().block)
      floats -= first.block.count
    }
    // The next step will probably need the same blocks, so return as little memory as possible.
    while !blocks.isEmpty {
      let excess = floats + inUse - (mostInUse + margin)
      guard excess > 0 else { break }
      let sizes = blocks.indices.map { (index: $0, size: blocks[$0].block.count) }
      let enough = sizes.filter { $0.size >= excess }.min { $0.size < $1.size }
      guard let chosen = enough ?? sizes.max(by: { $0.size < $1.size }) else { break }
      old.append(blocks.remove(at: chosen.index).block)
      floats -= chosen.size
    }
    return old
  }
}
