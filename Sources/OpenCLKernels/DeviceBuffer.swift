import COpenCL
import Synchronization

/// A buffer in a device's memory. It returns to the queue's pool with the last reference to it.
package final class DeviceBuffer: @unchecked Sendable {
  // Sendable because the handle never changes, commands are ordered by the queue, and whether there is
  // a sum to come is used with the queue's lock held.

  /// The handle; nil after the device has failed.
  let memory: cl_mem?
  /// The size in bytes, as it was asked for.
  package let size: Int
  private let pool: BufferPool
  /// Whether it is the result of a sum that has not been computed yet; see ``DeviceQueue/addLater(_:)``.
  package internal(set) var isPending = false

  init(_ memory: cl_mem?, size: Int, pool: BufferPool) {
    (self.memory, self.size, self.pool) = (memory, size, pool)
  }

  deinit {
    if let memory { pool.takeBack(memory, size: size) }
  }
}

/// Buffers that were freed, by size: creating one takes longer than most kernels.
///
/// Commands run in order, so a buffer can be used again at once: whatever was enqueued before still
/// sees its former contents.
final class BufferPool: @unchecked Sendable {
  // Sendable because everything that changes is used with the lock held.
  private let library: OpenCLLibrary
  private let context: cl_context
  private let largest: Int
  private let lock = Mutex(())
  private var free: [Int: [cl_mem]] = [:]
  private var used = 0

  init(_ library: OpenCLLibrary, _ context: cl_context, largest: Int) {
    (self.library, self.context, self.largest) = (library, context, largest)
  }

  /// The bytes of all buffers that are in use, rounded up to the sizes that the pool has.
  var usedBytes: Int { lock.withLock { _ in used } }

  /// A buffer of at least the given size; nil if the device has no memory left for it.
  func take(_ size: Int) -> cl_mem? {
    let rounded = Self.rounded(size)
    return lock.withLock { _ in
      guard size <= largest else { return nil }
      let memory = free[rounded]?.popLast() ?? create(min(rounded, largest))
      if memory != nil { used += rounded }
      return memory
    }
  }

  private func create(_ size: Int) -> cl_mem? {
    var status: cl_int = 0
    let flags = cl_mem_flags(CL_MEM_READ_WRITE)
    if let memory = library.createBuffer(context, flags, size, nil, &status) { return memory }
    // The pool's free buffers take memory: release them and try again.
    for memory in free.values.joined() { _ = library.releaseMemory(memory) }
    free = [:]
    return library.createBuffer(context, flags, size, nil, &status)
  }

  func takeBack(_ memory: cl_mem, size: Int) {
    let rounded = Self.rounded(size)
    lock.withLock { _ in
      used -= rounded
      free[rounded, default: []].append(memory)
    }
  }

  /// The next size with three significant bits, at least 512 bytes: few sizes, and at most a quarter
  /// more than needed.
  static func rounded(_ size: Int) -> Int {
    guard size > 512 else { return 512 }
    let step = 1 << max(0, Int.bitWidth - (size - 1).leadingZeroBitCount - 3)
    return (size + step - 1) / step * step
  }
}
