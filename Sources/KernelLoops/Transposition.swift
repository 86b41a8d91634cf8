// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// Transposes matrices in squares of 8×8 or 4×4. Shuffling longer vectors is slow.

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
    into target: UnsafeMutablePointer<Float>, targetStride: Int
  ) {
    let (wholeRows, wholeColumns) = (rows / side * side, columns / side * side)
    for row in Swift.stride(from: 0, to: wholeRows, by: side) {
      for column in Swift.stride(from: 0, to: wholeColumns, by: side) {
        transposeSquare(
          source + row * stride + column, stride: stride,
          into: target + column * targetStride + row, targetStride: targetStride)
      }
    }
    for row in 0..<rows {
      for column in (row < wholeRows ? wholeColumns : 0)..<columns {
        target[column * targetStride + row] = source[row * stride + column]
      }
    }
  }

  /// Interleaving the first half of a square's rows with the second half rotates the bits of the
  /// elements' indices. After as many rounds as a column's index has bits, rows and columns are
  /// exchanged.
  @inline(__always)
  private static func transposeSquare(
    _ source: UnsafePointer<Float>, stride: Int, into target: UnsafeMutablePointer<Float>,
    targetStride: Int
  ) {
    #if AVX512 || AVX2
      var rows = (
        load(source), load(source + stride), load(source + 2 * stride), load(source + 3 * stride),
        load(source + 4 * stride), load(source + 5 * stride), load(source + 6 * stride),
        load(source + 7 * stride)
      )
      for _ in 0..<3 {
        rows = (
          rows.0.low(rows.4), rows.0.high(rows.4),
          rows.1.low(rows.5), rows.1.high(rows.5),
          rows.2.low(rows.6), rows.2.high(rows.6),
          rows.3.low(rows.7), rows.3.high(rows.7)
        )
      }
      store(rows.4, at: target + 4 * targetStride)
      store(rows.5, at: target + 5 * targetStride)
      store(rows.6, at: target + 6 * targetStride)
      store(rows.7, at: target + 7 * targetStride)
    #else
      var rows = (
        load(source), load(source + stride), load(source + 2 * stride), load(source + 3 * stride)
      )
      for _ in 0..<2 {
        rows = (
          rows.0.low(rows.2), rows.0.high(rows.2),
          rows.1.low(rows.3), rows.1.high(rows.3)
        )
      }
    #endif
    store(rows.0, at: target)
    store(rows.1, at: target + targetStride)
    store(rows.2, at: target + 2 * targetStride)
    store(rows.3, at: target + 3 * targetStride)
  }
}
