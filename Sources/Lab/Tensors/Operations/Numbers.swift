/// Whole numbers that an operation keeps for the way back, in memory that steps reuse.
final class Numbers<Number: FixedWidthInteger> {
  private let buffer: Buffer
  let pointer: UnsafeMutablePointer<Number>

  /// - Parameter count: How many; their values are undefined until written.
  init(count: Int) {
    let bytes = count * MemoryLayout<Number>.stride
    buffer = Buffer(count: (bytes + 3) / 4)
    pointer = UnsafeMutableRawPointer(buffer.pointer).bindMemory(to: Number.self, capacity: count)
  }

  deinit {
    // The buffer goes back to those that hold floats.
    UnsafeMutableRawPointer(buffer.pointer).bindMemory(to: Float.self, capacity: 1)
  }
}
