/// Which elements dropout sets to 0, and the factor of the others.
///
/// Whether element i is kept depends on the seed and i alone (a counter-based generator), so the
/// backward pass computes the same mask, whatever the number of threads. Elements are counted in the
/// order of the logical shape, N C H W for images, whatever their order in memory.
public struct DropoutRule: Sendable, Equatable {
  /// An element is dropped if its random bits are below this.
  public let threshold: UInt32
  public let scale: Float
  /// The two halves of the seed, after mixing.
  public let low, high: UInt32

  public init(probability: Double, seed: UInt64) {
    threshold = UInt32(min(probability * 4_294_967_296, 4_294_967_295))
    // At probability 1 every element is dropped, even at the largest of all 2³² numbers.
    scale = probability < 1 ? Float(1 / (1 - probability)) : 0
    // Similar seeds, such as consecutive ones, must give independent masks.
    let mixed = splitMix(seed &+ 0x9e37_79b9_7f4a_7c15)
    (low, high) = (UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
  }

  /// Whether the element is kept: a 32-bit hash ("lowbias32", Chris Wellons, "Prospecting for Hash
  /// Functions", 2018) of the index, with half of the seed before it and half inside.
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
