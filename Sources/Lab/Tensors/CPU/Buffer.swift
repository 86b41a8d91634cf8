import Synchronization

/// Memory for floats, aligned to 64 bytes. Freed memory is kept for the next buffer of the same size:
/// a training step allocates what the step before it did, and new pages from the system cost more
/// than many kernels take.
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

/// Buffers that are not in use.
private enum BufferPool {
  private struct Free: @unchecked Sendable {
    private var pointers: [Int: [UnsafeMutablePointer<Float>]] = [:]
    private var bytes = 0

    mutating func take(_ count: Int, _ size: Int) -> UnsafeMutablePointer<Float>? {
      guard let pointer = pointers[count]?.popLast() else { return nil }
      bytes -= size
      return pointer
    }

    /// Keeps a buffer for later.
    ///
    /// - Returns: Whether there was room.
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
  /// Smaller buffers are not worth the lock.
  private static let smallestBytes = 1 << 14
  /// What exceeds this is returned to the system.
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
