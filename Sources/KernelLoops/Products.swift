// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// Matrix products of any size and layout (m × k times k × n), in blocks that fit the processor's
/// registers and caches.
///
/// Each sum is taken in the order of k, so a result does not depend on how m and n were divided.

/// Terms of a sum that are added in one pass: a panel of B of so many rows stays in the caches.
private let depth = 256
/// Rows of A that share a packed panel of B.
private let height = 22 * BlockProduct.maximumRows
/// Columns of a panel of B: those of a block of C.
private let panel = blockVectors * lanes
/// Columns that are packed together, so that rows of B and C are accessed in long runs.
private let breadth = 256
/// Up to this number of rows of A, packing B costs more than it saves.
private let fewRows = 8

/// The operands of one call, and its scratch memory.
private struct Product {
  let a, b: StridedMatrix
  let c: UnsafeMutablePointer<Float>
  let stride: Int
  let zeros, block, packedA, packedB: UnsafeMutablePointer<Float>

  static let zerosCount = panel
  static let blockCount = BlockProduct.maximumRows * panel
  static let packedACount = height * depth
  static let packedBCount = depth * breadth

  init(
    _ a: StridedMatrix, _ b: StridedMatrix, _ c: UnsafeMutablePointer<Float>, _ stride: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    (self.a, self.b, self.c, self.stride) = (a, b, c, stride)
    packedA = scratch
    packedB = packedA + Self.packedACount
    block = packedB + Self.packedBCount
    zeros = block + Self.blockCount
    zeros.update(repeating: 0, count: Self.zerosCount)
  }
}

extension Loops {
  static var productScratch: Int {
    Product.zerosCount + Product.blockCount + Product.packedACount + Product.packedBCount
  }

  public static func multiplyAtPeak(scratch: UnsafeMutablePointer<Float>) -> Int {
    let (rows, terms) = (BlockProduct.maximumRows, 1 << 16)
    scratch.update(repeating: 0, count: rows * panel)
    BlockProduct(
      a: scratch, aRow: 1, aInner: 0, b: scratch, bInner: 0, inner: terms,
      start: scratch, startRow: 0, c: scratch, cRow: panel
    ).run(rows: rows, vectors: blockVectors)
    return 2 * rows * panel * terms
  }

  public static func multiply(
    _ a: StridedMatrix, _ b: StridedMatrix, into c: UnsafeMutablePointer<Float>, stride: Int,
    m: Int, n: Int, k: Int, adding: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    if m <= 4, a.column == 1, b.row == 1, k >= 2 * lanes {
      return multiplyByDots(a, b, into: c, stride: stride, m: m, n: n, k: k, adding: adding)
    }
    if k == 0, !adding {
      for row in 0..<m { (c + row * stride).update(repeating: 0, count: n) }
    }
    let product = Product(a, b, c, stride, scratch)
    for k0 in Swift.stride(from: 0, to: k, by: depth) {
      let terms = min(depth, k - k0)
      for m0 in Swift.stride(from: 0, to: m, by: height) {
        let rows = min(height, m - m0)
        let left = packA(
          a, from: m0, rows: rows, from: k0, terms: terms, into: product.packedA)
        for n0 in Swift.stride(from: 0, to: n, by: breadth) {
          let columns = min(breadth, n - n0)
          // With few rows packing B does not pay, if vectors can read it unpacked.
          let isPacked = rows > fewRows || b.column != 1 || columns % lanes != 0
          if isPacked {
            packB(
              b, from: k0, terms: terms, from: n0, columns: columns, into: product.packedB)
          }
          multiplyBlocks(
            product, left, m0, rows, n0, columns, k0, terms, isPacked: isPacked,
            adding: adding || k0 > 0)
        }
      }
    }
  }

  /// The first row of a block, where all blocks have the given width in vectors. Their heights are as
  /// equal as possible, since a low block keeps the processor less busy.
  @inline(__always)
  static func firstRow(
    ofBlock index: Int, of rows: Int, vectors: Int = blockVectors
  ) -> Int {
    rows * index / blocks(of: rows, vectors: vectors)
  }

  @inline(__always)
  static func blocks(of rows: Int, vectors: Int = blockVectors) -> Int {
    let most = BlockProduct.maximumRows(vectors)
    return (rows + most - 1) / most
  }

  /// Some rows and terms of A, copied if the rows are not contiguous.
  static func packA(
    _ a: StridedMatrix, from m0: Int, rows: Int, from k0: Int, terms: Int,
    into packed: UnsafeMutablePointer<Float>
  ) -> StridedMatrix {
    let source = a.pointer + m0 * a.row + k0 * a.column
    if a.column == 1 { return StridedMatrix(source, row: a.row, column: 1) }
    transpose(
      source, stride: a.column, rows: terms, columns: rows, into: packed, targetStride: terms)
    return StridedMatrix(packed, row: terms, column: 1)
  }

  /// Copies some terms and columns of B panel by panel, each row by row, padded to whole vectors with
  /// zeros.
  static func packB(
    _ b: StridedMatrix, from k0: Int, terms: Int, from n0: Int, columns: Int,
    into packed: UnsafeMutablePointer<Float>
  ) {
    let source = b.pointer + k0 * b.row + n0 * b.column
    let whole = b.column == 1 ? columns / panel * panel : 0
    for term in 0..<terms {
      for first in Swift.stride(from: 0, to: whole, by: panel) {
        let target = packed + first * terms + term * panel
        for vector in 0..<blockVectors {
          Vector(at: source + term * b.row + first + vector * lanes)
            .store(at: target + vector * lanes)
        }
      }
    }
    for first in Swift.stride(from: whole, to: columns, by: panel) {
      let count = min(panel, columns - first)
      let width = (count + lanes - 1) / lanes * lanes
      let target = packed + first * terms
      if count < width { target.update(repeating: 0, count: terms * width) }
      if b.column == 1 {
        for term in 0..<terms {
          (target + term * width).update(from: source + term * b.row + first, count: count)
        }
      } else {
        transpose(
          source + first * b.column, stride: b.column, rows: count, columns: terms,
          into: target, targetStride: width)
      }
    }
  }

  private static func multiplyBlocks(
    _ p: Product, _ a: StridedMatrix, _ m0: Int, _ rows: Int, _ n0: Int, _ columns: Int,
    _ k0: Int, _ terms: Int, isPacked: Bool, adding: Bool
  ) {
    for index in 0..<blocks(of: rows) {
      let first = firstRow(ofBlock: index, of: rows)
      let count = firstRow(ofBlock: index + 1, of: rows) - first
      for column in Swift.stride(from: 0, to: columns, by: panel) {
        let real = min(panel, columns - column)
        let vectors = (real + lanes - 1) / lanes
        let target = p.c + (m0 + first) * p.stride + n0 + column
        var block = BlockProduct(
          a: a.pointer + first * a.row, aRow: a.row, aInner: 1,
          b: isPacked ? UnsafePointer(p.packedB + column * terms) : p.b.pointer + n0 + column,
          bInner: isPacked ? vectors * lanes : p.b.row, inner: terms,
          start: adding ? UnsafePointer(target) : UnsafePointer(p.zeros),
          startRow: adding ? p.stride : 0, c: target, cRow: p.stride)
        if !isPacked { block.b += k0 * p.b.row }
        if vectors * lanes == real {
          block.run(rows: count, vectors: vectors)
          continue
        }
        // The last columns: whole vectors would write beyond C.
        (block.start, block.startRow) = (UnsafePointer(p.zeros), 0)
        (block.c, block.cRow) = (p.block, panel)
        block.run(rows: count, vectors: vectors)
        for row in 0..<count {
          let (sums, place) = (p.block + row * panel, target + row * p.stride)
          for index in 0..<real { place[index] = (adding ? place[index] : 0) + sums[index] }
        }
      }
    }
  }

  /// A few rows times a transposed matrix. The time is that of reading B once, unpacked.
  private static func multiplyByDots(
    _ a: StridedMatrix, _ b: StridedMatrix, into c: UnsafeMutablePointer<Float>, stride: Int,
    m: Int, n: Int, k: Int, adding: Bool
  ) {
    let whole = k / lanes * lanes
    for column in Swift.stride(from: 0, to: n, by: 4) {
      let count = min(4, n - column)
      let b0 = b.pointer + column * b.column
      // With fewer than four columns the last one is read again, and its sums are not used.
      let b1 = b0 + min(1, count - 1) * b.column
      let b2 = b0 + min(2, count - 1) * b.column
      let b3 = b0 + min(3, count - 1) * b.column
      for row in 0..<m {
        let left = a.pointer + row * a.row
        var (s0, s1, s2, s3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        for term in Swift.stride(from: 0, to: whole, by: lanes) {
          let factor = Vector(at: left + term)
          s0.add(factor, times: Vector(at: b0 + term))
          s1.add(factor, times: Vector(at: b1 + term))
          s2.add(factor, times: Vector(at: b2 + term))
          s3.add(factor, times: Vector(at: b3 + term))
        }
        var sums = SIMD4(s0.sum(), s1.sum(), s2.sum(), s3.sum())
        for term in whole..<k {
          sums += left[term] * SIMD4(b0[term], b1[term], b2[term], b3[term])
        }
        let target = c + row * stride + column
        for index in 0..<count {
          target[index] = (adding ? target[index] : 0) + sums[index]
        }
      }
    }
  }
}
