import Synchronization

/// Memory for floats, aligned to 64 bytes. What is freed is kept for the next buffer of the same
/// size: a training step allocates what the step before it did, and fresh memory from the system
/// costs more than many a kernel.
package final class Buffer: @unchecked Sendable {
  package let pointer: UnsafeMutablePointer<Float>
  private let count: Int

  /// - Parameter count: The number of floats; their values are undefined until written.
  package init(count: Int) {
    self.count = max(1, count)
    pointer = BufferPool.take(count: self.count)
  }

  deinit {
    BufferPool.giveBack(pointer, count: count)
  }
}

/// Buffers that nobody uses at the moment.
private enum BufferPool {
  private struct Free: @unchecked Sendable {
    private var pointers: [Int: [UnsafeMutablePointer<Float>]] = [:]
    private var bytes = 0

    mutating func take(_ count: Int, _ size: Int) -> UnsafeMutablePointer<Float>? {
      guard let pointer = pointers[count]?.popLast() else { return nil }
      bytes -= size
      return pointer
    }

    /// Whether there was room to keep it.
    mutating func keep(
      _ pointer: UnsafeMutablePointer<Float>, _ count: Int, _ size: Int
    ) -> Bool {
      guard bytes + size <= mostBytes else { return false }
      pointers[count, default: []].append(pointer)
      bytes += size
      return true
    }
  }

  private static let free = Mutex(Free())
  /// Smaller ones are not worth the lock.
  private static let smallestBytes = 1 << 14
  /// More than this is given back to the system.
  private static let mostBytes = 1 << 28

  static func take(count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = count * MemoryLayout<Float>.stride
    if bytes >= smallestBytes, let pointer = free.withLock({ $0.take(count, bytes) }) {
      return pointer
    }
    return UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      .bindMemory(to: Float.self, capacity: count)
  }

  static func giveBack(_ pointer: UnsafeMutablePointer<Float>, count: Int) {
    let bytes = count * MemoryLayout<Float>.stride
    let isKept = bytes >= smallestBytes && free.withLock { $0.keep(pointer, count, bytes) }
    if !isKept { UnsafeMutableRawPointer(pointer).deallocate() }
  }
}
