/// Exponentials of whole vectors and functions made of them, within a few units in the last place. NaN
/// stays NaN.
///
/// `e^x = 2ⁿ eʳ` with n the integer nearest to x / ln 2, so that |r| ≤ ln 2 / 2. The polynomials are
/// minimax approximations.

extension Vector {
  /// `2ⁿ` and `eʳ - 1`. Above 88, x is taken as 88, for its exponential would not be finite.
  @inline(__always)
  private var exponentialParts: (power: Vector, rest: Vector) {
    let limit = Vector(repeating: 88)
    let x = isGreater(limit).choose(limit, self)
    // Adding 1.5 · 2²³ rounds to an integer, which is then in the low bits.
    let magic = Vector(repeating: 12_582_912)
    let shifted = x.times(Vector(repeating: 1.442_695_04), plus: magic)
    let n = shifted - magic
    // ln 2 in two parts: the product of n and the first one is exact.
    let r = n.times(
      Vector(repeating: 2.121_944_4e-4), plus: n.times(Vector(repeating: -0.693_359_375), plus: x))
    var p = Vector(repeating: 0.001_395_053_8)
    p = p.times(r, plus: Vector(repeating: 0.008_368_918))
    p = p.times(r, plus: Vector(repeating: 0.041_666_206))
    p = p.times(r, plus: Vector(repeating: 0.166_665_18))
    p = p.times(r, plus: Vector(repeating: 0.5))
    let bits = unsafeBitCast(shifted, to: Words.self) &<< Words(repeating: 23)
    let power = unsafeBitCast(bits &+ Words(repeating: 127 << 23), to: Vector.self)
    return (power, (p * r).times(r, plus: r))
  }

  /// `eˣ`; 0 below the logarithm of the smallest normal number.
  @inline(__always)
  var exponential: Vector {
    let (power, rest) = exponentialParts
    let least = Vector(repeating: -87.336_54)
    return least.isGreater(self).choose(.zero, power.times(rest, plus: power))
  }

  /// `1 / (1 + e⁻ˣ)`
  @inline(__always)
  var sigmoid: Vector {
    let one = Vector(repeating: 1)
    return one / (one + (Vector.zero - self).exponential)
  }

  /// `(e²ˣ - 1) / (e²ˣ + 1)`; near 0 no digits are lost.
  @inline(__always)
  var hyperbolicTangent: Vector {
    // Beyond 20 it is 1 or -1.
    let limit = Vector(repeating: -20)
    let x = limit.isGreater(self).choose(limit, self)
    let (power, rest) = (x + x).exponentialParts
    let minusOne = power.times(rest, plus: power - Vector(repeating: 1))
    return minusOne / (minusOne + Vector(repeating: 2))
  }

  /// `log(1 + x)` for x in 0…2, as `2 artanh(x / (x + 2))`.
  @inline(__always)
  var logarithmOfOnePlus: Vector {
    let z = self / (self + Vector(repeating: 2))
    let w = z * z
    var p = Vector(repeating: 0.189_838_07)
    p = p.times(w, plus: Vector(repeating: 0.077_203_11))
    p = p.times(w, plus: Vector(repeating: 0.147_882_86))
    p = p.times(w, plus: Vector(repeating: 0.199_671_42))
    p = p.times(w, plus: Vector(repeating: 0.333_340_73))
    return (z + z) * w.times(p, plus: Vector(repeating: 1))
  }
}
