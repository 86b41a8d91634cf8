import KernelInterface

extension DropoutRule {
  /// ``keeps(_:)`` of a vector of elements whose indices are `step` apart.
  @inline(__always)
  func keeps(from first: Int, step: Int) -> SIMDMask<Words.MaskStorage> {
    var numbers = Words.zero
    for lane in 0..<lanes { numbers[lane] = UInt32(truncatingIfNeeded: lane) }
    let step = Words(repeating: UInt32(truncatingIfNeeded: step))
    var z = (numbers &* step &+ Words(repeating: UInt32(truncatingIfNeeded: first))) ^ low
    z = (z ^ (z &>> 16)) &* 0x7feb_352d
    z = z &+ high
    z = (z ^ (z &>> 15)) &* 0x846c_a68b
    return (z ^ (z &>> 16)) .>= threshold
  }
}
