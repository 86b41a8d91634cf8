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
      // The last filters need not fill their vectors, and y has no memory for more than K.
      let isWhole = column + width <= d.k
      for row in 0..<d.rows {
        for index in 0..<blocks(of: d.columns, vectors: width / lanes) {
          let first = firstRow(ofBlock: index, of: d.columns, vectors: width / lanes)
          let count =
            firstRow(ofBlock: index + 1, of: d.columns, vectors: width / lanes) - first
          let target = y + (row * d.columns + first) * d.k + column
          BlockProduct(
            a: x + row * d.stride * d.inputRow + first * d.stride * d.c, aRow: d.stride * d.c,
            aInner: 1, aOuter: d.inputRow,
            b: weight + column, bInner: d.filters, bOuter: d.s * d.c * d.filters,
            inner: d.s * d.c, outer: d.r, start: bias + column, startRow: 0,
            c: isWhole ? target : scratch, cRow: isWhole ? d.k : panel, relu: activation == .relu
          ).run(rows: count, vectors: width / lanes)
          if isWhole { continue }
          for pixel in 0..<count {
            (target + pixel * d.k).update(from: scratch + pixel * panel, count: d.k - column)
          }
        }
      }
    }
  }

  public static func directWeightGradient(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
    addingTo dWeight: UnsafeMutablePointer<Float>, _ d: DirectExtents
  ) {
    // The pixels of a part stay in the L1 cache for all elements of the weight.
    let pixels = 56
    let parts = (d.columns + pixels - 1) / pixels
    let height = max(1, pixels / max(1, d.columns))
    for row in stride(from: 0, to: d.rows, by: height) {
      for part in 0..<parts {
        let column = d.columns * part / parts
        addWeightGradient(
          x + (row * d.inputRow + column * d.c) * d.stride,
          dy + (row * d.columns + column) * d.filters, addingTo: dWeight, d,
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
            a: x + r * d.inputRow + first, aRow: 1, aInner: d.stride * d.c,
            aOuter: d.stride * d.inputRow,
            b: dy + column, bInner: d.filters, bOuter: d.columns * d.filters,
            inner: columns, outer: rows, start: target, startRow: d.filters,
            c: target, cRow: d.filters
          ).run(
            rows: firstRow(ofBlock: index + 1, of: taps, vectors: vectors) - first,
            vectors: vectors)
        }
      }
    }
  }

  public static func directInputGradient(
    _ dy: UnsafePointer<Float>, _ weight: UnsafePointer<Float>,
    addingTo dx: UnsafeMutablePointer<Float>, _ d: DirectExtents,
    patches: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    scratch.update(repeating: 0, count: blockVectors * lanes)
    let taps = d.s * d.c
    for row in 0..<d.rows {
      for column in stride(from: 0, to: d.patch, by: blockVectors * lanes) {
        let vectors = min(blockVectors, (d.patch - column) / lanes)
        for index in 0..<blocks(of: d.columns, vectors: vectors) {
          let first = firstRow(ofBlock: index, of: d.columns, vectors: vectors)
          BlockProduct(
            a: dy + (row * d.columns + first) * d.filters, aRow: d.filters, aInner: 1,
            b: weight + column, bInner: d.patch, inner: d.k, start: scratch, startRow: 0,
            c: patches + first * d.patch + column, cRow: d.patch
          ).run(
            rows: firstRow(ofBlock: index + 1, of: d.columns, vectors: vectors) - first,
            vectors: vectors)
        }
      }
      for pixel in 0..<d.columns {
        for r in 0..<d.r {
          addRow(
            patches + pixel * d.patch + r * taps, count: taps,
            to: dx + (row * d.stride + r) * d.inputRow + pixel * d.stride * d.c)
        }
      }
    }
  }

  @inline(__always)
  private static func addRow(
    _ source: UnsafePointer<Float>, count: Int, to target: UnsafeMutablePointer<Float>
  ) {
    let whole = count / lanes * lanes
    for index in stride(from: 0, to: whole, by: lanes) {
      (Vector(at: target + index) + Vector(at: source + index)).store(at: target + index)
    }
    for index in whole..<count { target[index] += source[index] }
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
