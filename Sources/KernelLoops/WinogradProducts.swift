// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// The 36 matrix products of transformed tiles, one for each of a tile's elements.

extension Loops {
  /// `C[ξ] = A[ξ] B[ξ]`: A is tiles × terms, B terms × columns.
  public static func winogradProducts(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    tiles: Int, terms: Int, columns: Int, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>
  ) {
    scratch.update(repeating: 0, count: blockVectors * lanes)
    let aTile = e.tile(channels: terms)
    let cTile = e.tile(channels: columns)
    for xi in 0..<36 {
      multiplyPlane(
        BlockProduct(
          a: a + xi * terms, aRow: aTile, aInner: 1, b: b + xi * terms * columns, bInner: columns,
          inner: terms, start: scratch, startRow: 0, c: c + xi * columns, cRow: cTile),
        rows: tiles, columns: columns)
    }
  }

  /// `C[ξ] = Aᵀ[ξ] B[ξ]` or `C[ξ] += …`: A is tiles × rows, B tiles × columns.
  public static func winogradWeightProducts(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    tiles: Int, adding: Bool, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>
  ) {
    scratch.update(repeating: 0, count: blockVectors * lanes)
    let aTile = e.tile(channels: e.channels)
    let bTile = e.tile(channels: e.filters)
    for xi in 0..<36 {
      let c = c + xi * e.channels * e.filters
      multiplyPlane(
        BlockProduct(
          a: a + xi * e.channels, aRow: 1, aInner: aTile, b: b + xi * e.filters, bInner: bTile,
          inner: tiles, start: adding ? UnsafePointer(c) : UnsafePointer(scratch),
          startRow: adding ? e.filters : 0, c: c, cRow: e.filters),
        rows: e.channels, columns: e.filters)
    }
  }

  @inline(__always)
  private static func multiplyPlane(_ whole: BlockProduct, rows: Int, columns: Int) {
    for column in stride(from: 0, to: columns, by: blockVectors * lanes) {
      let vectors = min(blockVectors, (columns - column) / lanes)
      for index in 0..<blocks(of: rows, vectors: vectors) {
        let first = firstRow(ofBlock: index, of: rows, vectors: vectors)
        var block = whole
        block.a += first * whole.aRow
        block.b += column
        block.c += first * whole.cRow + column
        block.start += first * whole.startRow + (whole.startRow > 0 ? column : 0)
        block.run(
          rows: firstRow(ofBlock: index + 1, of: rows, vectors: vectors) - first,
          vectors: vectors)
      }
    }
  }
}
