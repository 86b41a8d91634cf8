// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// Direct convolutions, as blocks of a matrix product that read the images in place. Its rows are
/// neighboring output pixels, its terms the pixels and channels under the kernel.

extension Loops {
  public static func directForward(
    _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    activation: Activation, into y: UnsafeMutablePointer<Float>, _ d: DirectExtents,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let panel = blockVectors * lanes
    for column in stride(from: 0, to: d.filters, by: panel) {
      let width = min(panel, d.filters - column)
      let vectors = width / lanes
      // The last filters need not fill their vectors, and y has no memory for more than K.
      let isWhole = column + width <= d.k
      let weight = weight + column * d.terms
      // Each block prefetches a part of the next panel of weights, at most a cache line for each term.
      let count = blocks(of: d.columns, vectors: vectors)
      let ahead =
        column + width < d.filters ? min(16, (width + d.rows * count - 1) / (d.rows * count)) : 0
      for row in 0..<d.rows {
        for index in 0..<count {
          let first = firstRow(ofBlock: index, of: d.columns, vectors: vectors)
          let height = firstRow(ofBlock: index + 1, of: d.columns, vectors: vectors) - first
          let target = y + row * d.outputRow + first * d.outputPixel + column
          BlockProduct(
            a: x + row * d.strideH * d.inputRow + first * d.strideW * d.c, aRow: d.strideW * d.c,
            aInner: 1, aOuter: d.inputRow, b: weight, bInner: width, bOuter: d.s * d.c * width,
            inner: d.s * d.c, outer: d.r, start: bias + column, startRow: 0,
            c: isWhole ? target : scratch, cRow: isWhole ? d.outputPixel : panel,
            relu: activation == .relu,
            next: weight + (width + (row * count + index) * ahead) * d.terms, nextInner: ahead
          ).run(rows: height, vectors: vectors)
          if isWhole { continue }
          for pixel in 0..<height {
            (target + pixel * d.outputPixel).update(
              from: scratch + pixel * panel, count: d.k - column)
          }
        }
      }
    }
  }

  public static func directWeightGradient(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
    addingTo dWeight: UnsafeMutablePointer<Float>, _ d: DirectExtents
  ) {
    // The pixels of a part stay in the L1 cache for all elements of the weight; if the weight is
    // larger than the L2 cache, it is better to read the weight less often.
    let pixels = d.terms * d.filters < 1 << 18 ? 56 : 448
    let parts = (d.columns + pixels - 1) / pixels
    let height = max(1, pixels / max(1, d.columns))
    for row in stride(from: 0, to: d.rows, by: height) {
      for part in 0..<parts {
        let column = d.columns * part / parts
        addWeightGradient(
          x + row * d.strideH * d.inputRow + column * d.strideW * d.c,
          dy + row * d.outputRow + column * d.outputPixel, addingTo: dWeight, d,
          rows: min(height, d.rows - row), columns: d.columns * (part + 1) / parts - column)
      }
    }
  }

  private static func addWeightGradient(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
    addingTo dWeight: UnsafeMutablePointer<Float>, _ d: DirectExtents, rows: Int, columns: Int
  ) {
    let taps = d.s * d.c
    for r in 0..<d.r {
      for column in stride(from: 0, to: d.filters, by: blockVectors * lanes) {
        let vectors = min(blockVectors, (d.filters - column) / lanes)
        for index in 0..<blocks(of: taps, vectors: vectors) {
          let first = firstRow(ofBlock: index, of: taps, vectors: vectors)
          let target = dWeight + (r * taps + first) * d.filters + column
          BlockProduct(
            a: x + r * d.inputRow + first, aRow: 1, aInner: d.strideW * d.c,
            aOuter: d.strideH * d.inputRow,
            b: dy + column, bInner: d.outputPixel, bOuter: d.outputRow,
            inner: columns, outer: rows, start: target, startRow: d.filters,
            c: target, cRow: d.filters
          ).run(
            rows: firstRow(ofBlock: index + 1, of: taps, vectors: vectors) - first,
            vectors: vectors)
        }
      }
    }
  }

  public static func directOutputGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>?, into copy: UnsafeMutablePointer<Float>,
    addingTo dBias: UnsafeMutablePointer<Float>, pixels: Int, k: Int, filters: Int
  ) {
    for pixel in 0..<pixels {
      for column in stride(from: 0, to: filters, by: lanes) {
        let (place, width) = (pixel * k + column, min(lanes, k - column))
        var gradient = Vector(at: dy + place, width)
        if let y {
          gradient = gradient.kept(where: Vector(at: y + place, width))
        }
        gradient.store(at: copy + pixel * filters + column)
        (Vector(at: dBias + column) + gradient).store(at: dBias + column)
      }
    }
  }
}
