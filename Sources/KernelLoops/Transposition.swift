import KernelInterface

/// Transposing matrices in squares of one vector's length.

extension Loops {
  public static func transpose(
    _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int,
    into target: UnsafeMutablePointer<Float>, targetStride: Int,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let (wholeRows, wholeColumns) = (rows / lanes * lanes, columns / lanes * lanes)
    for row in Swift.stride(from: 0, to: wholeRows, by: lanes) {
      for column in Swift.stride(from: 0, to: wholeColumns, by: lanes) {
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
  /// places.
  private static func transposeSquare(
    _ source: UnsafePointer<Float>, stride: Int,
    into target: UnsafeMutablePointer<Float>, targetStride: Int,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let other = scratch + lanes * lanes
    interleave(source, stride, into: scratch, lanes)
    #if AVX512
      interleave(scratch, lanes, into: other, lanes)
      interleave(other, lanes, into: scratch, lanes)
      interleave(scratch, lanes, into: target, targetStride)
    #elseif AVX2
      interleave(scratch, lanes, into: other, lanes)
      interleave(other, lanes, into: target, targetStride)
    #else
      interleave(scratch, lanes, into: target, targetStride)
    #endif
  }

  @inline(__always)
  private static func interleave(
    _ source: UnsafePointer<Float>, _ stride: Int,
    into target: UnsafeMutablePointer<Float>, _ targetStride: Int
  ) {
    for row in 0..<lanes / 2 {
      let first = Vector(at: source + row * stride)
      let second = Vector(at: source + (row + lanes / 2) * stride)
      var (low, high) = (Vector.zero, Vector.zero)
      low.evenHalf = first.lowHalf
      low.oddHalf = second.lowHalf
      high.evenHalf = first.highHalf
      high.oddHalf = second.highHalf
      low.store(at: target + 2 * row * targetStride)
      high.store(at: target + (2 * row + 1) * targetStride)
    }
  }
}
