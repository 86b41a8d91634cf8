import KernelInterface

/// Matrix products, packed products and transpositions.
func products<L: VectorLoops>(_ loops: L.Type, _ record: inout Record) {
  let scratch = Memory(undefined: loops.scratchCount)
  let operations = loops.multiplyAtPeak(scratch: scratch.pointer)
  let isWhole = operations > 0 && operations % (2 * loops.panelWidth) == 0
  record.add("multiplyAtPeak", [isWhole ? 1 : 0], within: 0)

  // Blocks of all heights and widths, then more terms, rows and columns than are computed in one pass.
  for m in 1...13 {
    for n in [1, 4, 6, 8, 11, 12, 15, 16, 17, 38] {
      for k in [1, 2, 11] { product(loops, &record, m, n, k, scratch) }
    }
  }
  for (m, n, k) in [
    (3, 5, 0), (4, 7, 100), (2, 33, 64), (6, 20, 300), (140, 17, 5), (9, 270, 40), (20, 40, 600),
    (133, 13, 258),
  ] {
    product(loops, &record, m, n, k, scratch)
  }
  record.addIntact("multiplyPacked", scratch)

  for (rows, columns) in [(1, 1), (3, 9), (4, 4), (8, 12), (17, 6), (31, 33)] {
    let source = Memory(rows * (columns + 2), seed: 1)
    let target = Memory(columns * (rows + 3), seed: 2)
    loops.transpose(
      source.pointer, stride: columns + 2, rows: rows, columns: columns, into: target.pointer,
      targetStride: rows + 3)
    record.add("transpose", target, within: 0)
  }
}

private func product<L: VectorLoops>(
  _ loops: L.Type, _ record: inout Record, _ m: Int, _ n: Int, _ k: Int,
  _ scratch: Memory<Float>
) {
  scratch.undefine()
  let (a, b) = (Memory(m * k, seed: 1), Memory(k * n, seed: 2))
  let start = Memory(loops.packedCount(k: 1, n: n), seed: 4)
  // Elements between the rows of the result must not change.
  let stride = n + 3
  // Sums of k products of numbers in -1..<1: they may be near 0, where an error is large beside them.
  let scale = Double(max(1, k)).squareRoot()
  for isTransposed in [(false, false), (true, false), (false, true), (true, true)] {
    let left = StridedMatrix(
      a.pointer, row: isTransposed.0 ? 1 : k, column: isTransposed.0 ? m : 1)
    let right = StridedMatrix(
      b.pointer, row: isTransposed.1 ? 1 : n, column: isTransposed.1 ? k : 1)
    for adding in [false, true] {
      let c = Memory(m * stride, seed: 3)
      loops.multiply(
        left, right, into: c.pointer, stride: stride, m: m, n: n, k: k, adding: adding,
        scratch: scratch.pointer)
      record.add("multiply", c, within: 2e-6, scale: scale)
    }
    // In parts, as many threads do it.
    let packed = Memory(undefined: loops.packedCount(k: k, n: n))
    for first in Swift.stride(from: 0, to: k, by: loops.packedDepth) {
      let part = StridedMatrix(
        right.pointer + first * right.row, row: right.row, column: right.column)
      loops.pack(
        part, k: min(loops.packedDepth, k - first), n: n,
        into: packed.pointer + loops.packedCount(k: first, n: n))
    }
    record.addIntact("pack", packed)
    record.add("packedCount", [loops.packedCount(k: k, n: n) >= k * n ? 1 : 0], within: 0)
    for isAdding in [false, true] {
      let c = Memory(m * stride, seed: 3)
      loops.multiplyPacked(
        left, packed.pointer, into: c.pointer, stride: stride, m: m, n: n, k: k,
        start: isAdding ? nil : UnsafePointer(start.pointer), scratch: scratch.pointer)
      // A wrong order of the packed numbers shows here.
      record.add("pack", c, within: 2e-6, scale: scale)
      record.add("multiplyPacked", c, within: 2e-6, scale: scale)
    }
  }
}
