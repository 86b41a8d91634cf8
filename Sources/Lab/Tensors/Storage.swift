/// The memory of a tensor: `count` floats, aligned to 64 bytes, freed with the last tensor that
/// uses them.
///
/// Only operations and optimizers write to it, and only before anybody else reads it; that is what
/// makes it safe to send between threads.
package final class Storage: @unchecked Sendable {
  package let count: Int
  package let pointer: UnsafeMutablePointer<Float>

  /// - Parameter count: The number of floats. Their values are undefined until written.
  package init(count: Int) {
    self.count = count
    let bytes = max(1, count) * MemoryLayout<Float>.stride
    pointer = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      .bindMemory(to: Float.self, capacity: max(1, count))
  }

  deinit {
    UnsafeMutableRawPointer(pointer).deallocate()
  }
}
