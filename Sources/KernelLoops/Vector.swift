// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// The loops of one set of vector instructions.
public enum Loops: VectorLoops {
  public static var vectorLanes: Int { lanes }
  public static var scratchCount: Int { max(productScratch, packedProductScratch) }
}

/// The vector type and the block size of each set of instructions: all that differs between them.

#if AVX512
  typealias Vector = SIMD16<Float>
  typealias Words = SIMD16<UInt32>
  typealias Doubles = SIMD16<Double>
  /// Vectors side by side in the block of sums that a micro-kernel keeps in registers.
  let blockVectors = 4
#elseif AVX2
  typealias Vector = SIMD8<Float>
  typealias Words = SIMD8<UInt32>
  typealias Doubles = SIMD8<Double>
  let blockVectors = 2
#elseif NEON
  typealias Vector = SIMD4<Float>
  typealias Words = SIMD4<UInt32>
  typealias Doubles = SIMD4<Double>
  let blockVectors = 4
#else
  typealias Vector = SIMD4<Float>
  typealias Words = SIMD4<UInt32>
  typealias Doubles = SIMD4<Double>
  let blockVectors = 2
#endif

/// Floats in a vector.
@inline(__always)
var lanes: Int { Vector.scalarCount }

extension Vector {
  /// The floats at an address, which needs no alignment.
  @inline(__always)
  init(at pointer: UnsafePointer<Float>) {
    self = UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
  }

  @inline(__always)
  func store(at pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: Vector.self)
  }

  /// Adds `a b`, rounded once where the processor can.
  @inline(__always)
  mutating func add(_ a: Vector, times b: Vector) { self = a.times(b, plus: self) }

  /// The vector with 0 in place of negative lanes; NaN stays NaN.
  @inline(__always)
  var rectified: Vector { Vector.zero.isGreater(self).choose(Vector.zero, self) }

  /// This vector's lanes where `other` is positive, and 0 elsewhere.
  @inline(__always)
  func kept(where other: Vector) -> Vector {
    other.isGreater(Vector.zero).choose(self, Vector.zero)
  }
}

/// Loads and stores of the first `count` lanes: the last channels of an image need not fill a vector.
extension Vector {
  @inline(__always)
  init(at pointer: UnsafePointer<Float>, _ count: Int) {
    if count == Vector.scalarCount {
      self.init(at: pointer)
    } else {
      self = .zero
      for lane in 0..<count { self[lane] = pointer[lane] }
    }
  }

  @inline(__always)
  func store(at pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    if count == Vector.scalarCount {
      store(at: pointer)
    } else {
      for lane in 0..<count { pointer[lane] = self[lane] }
    }
  }
}

extension Words {
  @inline(__always)
  init(bytesAt pointer: UnsafePointer<UInt8>, _ count: Int) {
    self = .zero
    if count == Words.scalarCount {
      for lane in 0..<Words.scalarCount { self[lane] = UInt32(pointer[lane]) }
    } else {
      for lane in 0..<count { self[lane] = UInt32(pointer[lane]) }
    }
  }

  @inline(__always)
  func storeBytes(at pointer: UnsafeMutablePointer<UInt8>, _ count: Int) {
    if count == Words.scalarCount {
      for lane in 0..<Words.scalarCount { pointer[lane] = UInt8(truncatingIfNeeded: self[lane]) }
    } else {
      for lane in 0..<count { pointer[lane] = UInt8(truncatingIfNeeded: self[lane]) }
    }
  }
}
