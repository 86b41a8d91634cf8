/// Loops over single elements. Each result depends on its own element alone, so the work may be
/// cut anywhere.

/// Elements that are worth a thread of their own.
private let grain = 1 << 16

/// `y = max(x, 0)`; a NaN stays one, so that a loss that has become one is noticed.
public func relu(x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, count: Int) {
  parallel(count: count, grain: grain) { range in
    for index in range { y[index] = x[index] < 0 ? 0 : x[index] }
  }
}

/// `dx = dy` where the result y of ``relu(x:y:count:)`` is positive, else 0.
public func reluGradient(
  dy: UnsafePointer<Float>, y: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, count: Int
) {
  parallel(count: count, grain: grain) { range in
    for index in range { dx[index] = y[index] > 0 ? dy[index] : 0 }
  }
}

/// `y = a + b`.
public func add(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, count: Int
) {
  parallel(count: count, grain: grain) { range in
    for index in range { y[index] = a[index] + b[index] }
  }
}

/// `y = x` where an element is kept, scaled by `1 / (1 - probability)`, else 0.
///
/// Whether element i is kept depends on the seed and i alone (a counter-based generator): the
/// gradient draws the same again, and threads do not matter.
public func dropout(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, count: Int,
  probability: Double, seed: UInt64
) {
  let scale = Float(1 / (1 - probability))
  // An element is dropped when its 32 bits fall below this; at probability 1 all do.
  let threshold = UInt64(probability * 4_294_967_296)
  parallel(count: count, grain: grain) { range in
    for index in range {
      let isKept = splitMix(seed &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15) >> 32 >= threshold
      y[index] = isKept ? x[index] * scale : 0
    }
  }
}

/// The finishing function of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom
/// Number Generators", OOPSLA 2014).
@inline(__always)
private func splitMix(_ value: UInt64) -> UInt64 {
  var z = value
  z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
  z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
  return z ^ (z >> 31)
}
