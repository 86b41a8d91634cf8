/// Floats that a kernel needs while it runs.
final class Scratch {
  let pointer: UnsafeMutablePointer<Float>

  /// - Parameter count: The number of floats; their values are undefined until written.
  init(count: Int) {
    pointer = .allocate(capacity: max(1, count))
  }

  deinit {
    pointer.deallocate()
  }
}
