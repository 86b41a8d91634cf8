import KernelInterface

extension DropoutRule {
  /// ``keeps(_:)`` of a vector of elements whose indices are `step` apart.
  @inline(__always)
  func keeps(from first: Int, step: Int) -> SIMDMask<Words.MaskStorage> {
    var numbers = Words.zero
    for lane in 0..<lanes { numbers[lane] = UInt32(truncatingIfNeeded: lane) }
    let step = Words(repeating: UInt32(truncatingIfNeeded: step))
    var z =
      (numbers &* step &+ Words(repeating: UInt32(truncatingIfNeeded: first)))
      ^ Words(repeating: low)
    z = (z ^ (z &>> Words(repeating: 16))) &* Words(repeating: 0x7feb_352d)
    z = z &+ Words(repeating: high)
    z = (z ^ (z &>> Words(repeating: 15))) &* Words(repeating: 0x846c_a68b)
    z = z ^ (z &>> Words(repeating: 16))
    // Between vectors, not a vector and a number: the latter compares lane by lane.
    return z .>= Words(repeating: threshold)
  }
}
