/// Floats of 16 bits in files. Swift's `Float16` is not available on every processor.
enum HalfPrecision {
  /// The bits of the nearest bfloat16; of two equally near ones the even one.
  static func bfloat16(_ number: Float) -> UInt16 {
    let bits = number.bitPattern
    // Rounding must not turn NaN into infinity.
    guard !number.isNaN else { return UInt16(bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits + 0x7fff + (bits >> 16 & 1)) >> 16)
  }

  /// The number of a bfloat16's bits.
  static func float(bfloat16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

  /// The bits of the nearest IEEE 754 binary16; of two equally near ones the even one.
  static func float16(_ number: Float) -> UInt16 {
    let sign = UInt16(number.bitPattern >> 31) << 15
    let size = number.magnitude
    guard !number.isNaN else { return sign | 0x7e00 }
    // Halfway between the largest number and the next one.
    guard size < 65_520 else { return sign | 0x7c00 }
    // Below 2⁻¹⁴ all numbers are multiples of 2⁻²⁴; above, of 2⁻¹⁰ of their power of two.
    let exponent = max(-14, size > 0 ? Int(size.exponent) : -14)
    let steps = UInt16(
      (size * Float(sign: .plus, exponent: 10 - exponent, significand: 1))
        .rounded(.toNearestOrEven))
    // A fraction that is rounded up to the next power of two carries over into the exponent.
    return sign | (UInt16(exponent + 14) << 10 + steps)
  }

  /// The number of a binary16's bits.
  static func float(float16 bits: UInt16) -> Float {
    let sign: Float = bits >> 15 == 0 ? 1 : -1
    let (exponent, fraction) = (Int(bits >> 10 & 0x1f), bits & 0x3ff)
    switch exponent {
    case 0: return sign * Float(fraction) * Float(sign: .plus, exponent: -24, significand: 1)
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default:
      return sign * Float(fraction | 0x400)
        * Float(sign: .plus, exponent: exponent - 25, significand: 1)
    }
  }
}
