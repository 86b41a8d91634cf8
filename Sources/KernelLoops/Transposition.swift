import KernelInterface

/// Transposing matrices in squares of 8×8 or 4×4: longer vectors than these are shuffled slowly.

#if AVX512 || AVX2
  private typealias Row = SIMD8<Float>
#else
  private typealias Row = SIMD4<Float>
#endif

/// Rows and columns of a square.
private let side = Row.scalarCount

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>) -> Row {
  UnsafeRawPointer(pointer).loadUnaligned(as: Row.self)
}

@inline(__always)
private func store(_ row: Row, at pointer: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(pointer).storeBytes(of: row, as: Row.self)
}

extension Loops {
  public static func transpose(
    _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int,
    into target: UnsafeMutablePointer<Float>, targetStride: Int,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let (wholeRows, wholeColumns) = (rows / side * side, columns / side * side)
    for row in Swift.stride(from: 0, to: wholeRows, by: side) {
      for column in Swift.stride(from: 0, to: wholeColumns, by: side) {
        transposeSquare(
          source + row * stride + column, stride: stride,
          into: target + column * targetStride + row, targetStride: targetStride, scratch: scratch)
      }
    }
    for row in 0..<rows {
      for column in (row < wholeRows ? wholeColumns : 0)..<columns {
        target[column * targetStride + row] = source[row * stride + column]
      }
    }
  }

  /// Interleaving the first half of a square's elements with the second rotates the bits of their
  /// indices; after as many rounds as a column's index has bits, rows and columns have changed
  /// places. Two rounds at a time are done in registers.
  @inline(__always)
  private static func transposeSquare(
    _ source: UnsafePointer<Float>, stride: Int,
    into target: UnsafeMutablePointer<Float>, targetStride: Int,
    scratch: UnsafeMutablePointer<Float>
  ) {
    #if AVX512 || AVX2
      interleaveTwice(source, stride, into: scratch, side)
      for row in 0..<side / 2 {
        let (low, high) = interleaved(
          load(scratch + row * side), load(scratch + (row + side / 2) * side))
        store(low, at: target + 2 * row * targetStride)
        store(high, at: target + (2 * row + 1) * targetStride)
      }
    #else
      interleaveTwice(source, stride, into: target, targetStride)
    #endif
  }

  @inline(__always)
  private static func interleaveTwice(
    _ source: UnsafePointer<Float>, _ stride: Int,
    into target: UnsafeMutablePointer<Float>, _ targetStride: Int
  ) {
    let quarter = side / 4
    for row in 0..<quarter {
      let (evenLow, evenHigh) = interleaved(
        load(source + row * stride), load(source + (row + 2 * quarter) * stride))
      let (oddLow, oddHigh) = interleaved(
        load(source + (row + quarter) * stride),
        load(source + (row + 3 * quarter) * stride))
      let (first, second) = interleaved(evenLow, oddLow)
      let (third, fourth) = interleaved(evenHigh, oddHigh)
      store(first, at: target + 4 * row * targetStride)
      store(second, at: target + (4 * row + 1) * targetStride)
      store(third, at: target + (4 * row + 2) * targetStride)
      store(fourth, at: target + (4 * row + 3) * targetStride)
    }
  }

  /// Two vectors lane by lane in turn.
  @inline(__always)
  private static func interleaved(_ a: Row, _ b: Row) -> (low: Row, high: Row) {
    var (low, high) = (Row.zero, Row.zero)
    low.evenHalf = a.lowHalf
    low.oddHalf = b.lowHalf
    high.evenHalf = a.highHalf
    high.oddHalf = b.highHalf
    return (low, high)
  }
}
