/// Which elements dropout sets to 0, and the factor of the others.
///
/// Whether element i is kept depends on the seed and i alone (a counter-based generator): the
/// gradient draws the same again, and neither threads nor vectors matter. The elements are counted
/// in the order of the logical shape, N C H W for images, wherever they lie in memory.
public struct DropoutRule: Sendable, Equatable {
  /// An element is dropped when its random bits fall below this.
  public let threshold: UInt32
  public let scale: Float
  /// The two halves of the seed, after mixing.
  public let low, high: UInt32

  public init(probability: Double, seed: UInt64) {
    threshold = UInt32(min(probability * 4_294_967_296, 4_294_967_295))
    // At probability 1 nothing is to be left, not even of the last of all 2³² numbers.
    scale = probability < 1 ? Float(1 / (1 - probability)) : 0
    // Seeds that differ little, as counted ones do, are to have nothing in common.
    let mixed = splitMix(seed &+ 0x9e37_79b9_7f4a_7c15)
    (low, high) = (UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
  }

  /// Whether the element is kept, by a finishing function of 32 bits ("lowbias32", Chris Wellons,
  /// "Prospecting for Hash Functions", 2018) with half of the seed before it and half inside.
  public func keeps(_ index: Int) -> Bool {
    var z = UInt32(truncatingIfNeeded: index) ^ low
    z = (z ^ (z >> 16)) &* 0x7feb_352d
    z = ((z &+ high) ^ ((z &+ high) >> 15)) &* 0x846c_a68b
    return z ^ (z >> 16) >= threshold
  }
}

/// The finishing function of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom
/// Number Generators", OOPSLA 2014).
private func splitMix(_ value: UInt64) -> UInt64 {
  var z = value
  z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
  z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
  return z ^ (z >> 31)
}
