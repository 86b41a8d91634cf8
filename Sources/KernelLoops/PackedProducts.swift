// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// Matrix products m × k times k × n whose right-hand factor has been packed in advance.
///
/// The factor may be much larger than the caches, and is read once for few rows of A. It lies in memory
/// in the order in which it is read; while a panel is multiplied by all rows, the next one is brought
/// into the L2 cache. Each sum is taken in the order of k.

/// Terms of a sum that are added in one pass: a panel with as many rows fits into the L2 cache with A.
private let depth = 512
/// Rows of A that are multiplied by a panel while it is in the caches.
private let height = 22 * BlockProduct.maximumRows
/// Columns of a panel of B: those of a block of C.
private let panel = blockVectors * lanes
/// Floats of a block, however wide.
private let blockCount = 2 * BlockProduct.maximumRows * panel

extension Loops {
  static var packedProductScratch: Int {
    height * depth + blockCount + panel
  }

  public static var panelWidth: Int { panel }
  public static var packedDepth: Int { depth }

  public static func packedCount(k: Int, n: Int) -> Int { k * ((n + lanes - 1) / lanes * lanes) }

  public static func pack(
    _ b: StridedMatrix, k: Int, n: Int, into packed: UnsafeMutablePointer<Float>
  ) {
    for k0 in stride(from: 0, to: k, by: depth) {
      packB(
        b, from: k0, terms: min(depth, k - k0), from: 0, columns: n,
        into: packed + packedCount(k: k0, n: n))
    }
  }

  public static func multiplyPacked(
    _ a: StridedMatrix, _ packed: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    stride: Int, m: Int, n: Int, k: Int, start: UnsafePointer<Float>?,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let block = scratch + height * depth
    let zeros = block + blockCount
    zeros.update(repeating: 0, count: panel)
    if k == 0, let start {
      for row in 0..<m { (c + row * stride).update(from: start, count: n) }
    }
    for k0 in Swift.stride(from: 0, to: k, by: depth) {
      let terms = min(depth, k - k0)
      for m0 in Swift.stride(from: 0, to: m, by: height) {
        let rows = min(height, m - m0)
        let left = packA(a, from: m0, rows: rows, from: k0, terms: terms, into: scratch)
        for n0 in Swift.stride(from: 0, to: n, by: panel) {
          multiplyPanel(
            left, rows, terms, packed + packedCount(k: k0, n: n) + n0 * terms,
            into: c + m0 * stride + n0, stride, columns: min(panel, n - n0),
            start: k0 > 0 ? nil : start.map { $0 + n0 }, block: block, zeros: zeros)
        }
      }
    }
  }

  /// The product of some rows of A and a panel.
  private static func multiplyPanel(
    _ a: StridedMatrix, _ rows: Int, _ terms: Int, _ b: UnsafePointer<Float>,
    into c: UnsafeMutablePointer<Float>, _ stride: Int, columns: Int,
    start: UnsafePointer<Float>?, block: UnsafeMutablePointer<Float>,
    zeros: UnsafeMutablePointer<Float>
  ) {
    let vectors = (columns + lanes - 1) / lanes
    let width = vectors * lanes
    let count = blocks(of: rows, vectors: vectors)
    // Each block prefetches a part of the next panel, at most a cache line for each term.
    let ahead = min(16, (width + count - 1) / count)
    for index in 0..<count {
      let first = firstRow(ofBlock: index, of: rows, vectors: vectors)
      let height = firstRow(ofBlock: index + 1, of: rows, vectors: vectors) - first
      let target = c + first * stride
      var product = BlockProduct(
        a: a.pointer + first * a.row, aRow: a.row, aInner: 1, b: b, bInner: width, inner: terms,
        start: start ?? UnsafePointer(target), startRow: start == nil ? stride : 0, c: target,
        cRow: stride)
      product.next = b + (width + index * ahead) * terms
      product.nextInner = ahead
      if width == columns {
        product.run(rows: height, vectors: vectors)
        continue
      }
      // Whole vectors would write beyond C.
      if start == nil { (product.start, product.startRow) = (UnsafePointer(zeros), 0) }
      (product.c, product.cRow) = (block, panel)
      product.run(rows: height, vectors: vectors)
      for row in 0..<height {
        let (sums, place) = (block + row * panel, target + row * stride)
        for index in 0..<columns {
          place[index] = (start == nil ? place[index] : 0) + sums[index]
        }
      }
    }
  }
}
