import CVectors

/// Arithmetic on whole vectors, in place of Swift's loops over lanes; see the header of `CVectors`. All
/// bits of a mask's lane are equal.

#if AVX512
  typealias Mask = SIMD16<Int32>
  extension Vector {
    @inline(__always) init(repeating value: Float) { self = repeat16(value) }
    @inline(__always) static func + (a: Self, b: Self) -> Self { add16(a, b) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { subtract16(a, b) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { multiply16(a, b) }
    @inline(__always) static func / (a: Self, b: Self) -> Self { divide16(a, b) }
    @inline(__always) func times(_ b: Self, plus c: Self) -> Self { multiplyAdd16(self, b, c) }
    @inline(__always) func isGreater(_ b: Self) -> Mask { isGreater16(self, b) }
  }
  extension Words {
    @inline(__always) func isEqual(_ b: Self) -> Mask { isEqual16(self, b) }
  }
  extension Mask {
    @inline(__always) func choose(_ a: Vector, _ b: Vector) -> Vector { choose16(self, a, b) }
  }
  extension Doubles {
    @inline(__always) init(_ a: Vector) { self = widen16(a) }
    @inline(__always) var narrowed: Vector { narrow16(self) }
    @inline(__always) static func + (a: Self, b: Self) -> Self { addWide16(a, b) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { subtractWide16(a, b) }
    /// The larger lanes of two vectors, and the others. A NaN is in one of the two.
    @inline(__always) func larger(_ b: Self) -> Self { larger16(self, b) }
    @inline(__always) func smaller(_ b: Self) -> Self { smaller16(self, b) }
  }
#elseif AVX2
  typealias Mask = SIMD8<Int32>
  extension Vector {
    @inline(__always) init(repeating value: Float) { self = repeat8(value) }
    @inline(__always) static func + (a: Self, b: Self) -> Self { add8(a, b) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { subtract8(a, b) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { multiply8(a, b) }
    @inline(__always) static func / (a: Self, b: Self) -> Self { divide8(a, b) }
    @inline(__always) func times(_ b: Self, plus c: Self) -> Self { multiplyAdd8(self, b, c) }
    @inline(__always) func isGreater(_ b: Self) -> Mask { isGreater8(self, b) }
  }
  extension Words {
    @inline(__always) func isEqual(_ b: Self) -> Mask { isEqual8(self, b) }
  }
  extension Mask {
    @inline(__always) func choose(_ a: Vector, _ b: Vector) -> Vector { choose8(self, a, b) }
  }
  extension Doubles {
    @inline(__always) init(_ a: Vector) { self = widen8(a) }
    @inline(__always) var narrowed: Vector { narrow8(self) }
    @inline(__always) static func + (a: Self, b: Self) -> Self { addWide8(a, b) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { subtractWide8(a, b) }
    /// The larger lanes of two vectors, and the others. A NaN is in one of the two.
    @inline(__always) func larger(_ b: Self) -> Self { larger8(self, b) }
    @inline(__always) func smaller(_ b: Self) -> Self { smaller8(self, b) }
  }
#else
  typealias Mask = SIMD4<Int32>
  extension Vector {
    @inline(__always) init(repeating value: Float) { self = repeat4(value) }
    @inline(__always) static func + (a: Self, b: Self) -> Self { add4(a, b) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { subtract4(a, b) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { multiply4(a, b) }
    @inline(__always) static func / (a: Self, b: Self) -> Self { divide4(a, b) }
    @inline(__always) func times(_ b: Self, plus c: Self) -> Self { multiplyAdd4(self, b, c) }
    @inline(__always) func isGreater(_ b: Self) -> Mask { isGreater4(self, b) }
  }
  extension Words {
    @inline(__always) func isEqual(_ b: Self) -> Mask { isEqual4(self, b) }
  }
  extension Mask {
    @inline(__always) func choose(_ a: Vector, _ b: Vector) -> Vector { choose4(self, a, b) }
  }
  extension Doubles {
    @inline(__always) init(_ a: Vector) { self = widen4(a) }
    @inline(__always) var narrowed: Vector { narrow4(self) }
    @inline(__always) static func + (a: Self, b: Self) -> Self { addWide4(a, b) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { subtractWide4(a, b) }
    /// The larger lanes of two vectors, and the others. A NaN is in one of the two.
    @inline(__always) func larger(_ b: Self) -> Self { larger4(self, b) }
    @inline(__always) func smaller(_ b: Self) -> Self { smaller4(self, b) }
  }
#endif

extension Vector {
  @inline(__always)
  static func += (a: inout Self, b: Self) { a = a + b }

  @inline(__always)
  static func * (a: Self, b: Float) -> Self { a * Self(repeating: b) }

  @inline(__always)
  static func * (a: Float, b: Self) -> Self { Self(repeating: a) * b }
}

/// A row of a square that is transposed. Shuffling longer vectors is slow.
#if AVX512 || AVX2
  typealias Row = SIMD8<Float>
#else
  typealias Row = SIMD4<Float>
#endif

extension Row {
  #if AVX512 || AVX2
    /// The interleaved first halves of two vectors.
    @inline(__always) func low(_ b: Self) -> Self { interleaveLow8(self, b) }
    /// The interleaved second halves.
    @inline(__always) func high(_ b: Self) -> Self { interleaveHigh8(self, b) }
  #else
    /// The interleaved first halves of two vectors.
    @inline(__always) func low(_ b: Self) -> Self { interleaveLow4(self, b) }
    /// The interleaved second halves.
    @inline(__always) func high(_ b: Self) -> Self { interleaveHigh4(self, b) }
  #endif
}

/// Prefetches the cache line of an address into the L2 cache. The address need not be valid.
@inline(__always)
func fetch(_ pointer: UnsafePointer<Float>) { prefetch(pointer) }
