// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// Transforms the weights, K × C × 3 × 3, to the matrices `U = G g Gᵀ`, and their gradients back.

extension Loops {
  public static func winogradWeights(
    _ weight: UnsafePointer<Float>, into u: UnsafeMutablePointer<Float>, channels: Range<Int>,
    _ e: WinogradExtents, taps: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let plane = e.channels * e.filters
    let real = min(channels.upperBound, e.c)
    if e.filters > e.k { taps.update(repeating: 0, count: 9 * channels.count * e.filters) }
    // Nine rows for each input channel, one for each kernel element, of all output channels.
    transpose(
      weight + 9 * channels.lowerBound, stride: 9 * e.c, rows: e.k,
      columns: 9 * (real - channels.lowerBound), into: taps, targetStride: e.filters)
    let columns = scratch
    for c in channels {
      for k in stride(from: 0, to: e.filters, by: lanes) {
        let target = u + c * e.filters + k
        if c >= e.c {
          for xi in 0..<36 { Vector.zero.store(at: target + xi * plane) }
          continue
        }
        let tap = taps + 9 * (c - channels.lowerBound) * e.filters + k
        for column in 0..<3 {
          let g = (
            Vector(at: tap + column * e.filters), Vector(at: tap + (3 + column) * e.filters),
            Vector(at: tap + (6 + column) * e.filters)
          )
          storeSix(transformWeight(g), columns + column * lanes, 3 * lanes)
        }
        for row in 0..<6 {
          let g = columns + 3 * row * lanes
          storeSix(
            transformWeight((Vector(at: g), Vector(at: g + lanes), Vector(at: g + 2 * lanes))),
            target + 6 * row * plane, plane)
        }
      }
    }
  }

  public static func winogradWeightGradient(
    _ du: UnsafePointer<Float>, parts: Int, into dWeight: UnsafeMutablePointer<Float>,
    channels: Range<Int>, _ e: WinogradExtents, taps: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let plane = e.channels * e.filters
    let (sums, columns) = (scratch, scratch + 36 * lanes)
    for c in channels {
      for k in stride(from: 0, to: e.filters, by: lanes) {
        for xi in 0..<36 {
          let first = du + xi * plane + c * e.filters + k
          var sum = Vector(at: first)
          for part in 1..<max(1, parts) { sum += Vector(at: first + part * 36 * plane) }
          sum.store(at: sums + xi * lanes)
        }
        for column in 0..<6 {
          let g = transformWeightGradient(loadSix(sums + column * lanes, 6 * lanes))
          g.0.store(at: columns + column * lanes)
          g.1.store(at: columns + (6 + column) * lanes)
          g.2.store(at: columns + (12 + column) * lanes)
        }
        let tap = taps + 9 * (c - channels.lowerBound) * e.filters + k
        for row in 0..<3 {
          let g = transformWeightGradient(loadSix(columns + 6 * row * lanes, lanes))
          g.0.store(at: tap + 3 * row * e.filters)
          g.1.store(at: tap + (3 * row + 1) * e.filters)
          g.2.store(at: tap + (3 * row + 2) * e.filters)
        }
      }
    }
    transpose(
      taps, stride: e.filters, rows: 9 * channels.count, columns: e.k,
      into: dWeight + 9 * channels.lowerBound, targetStride: 9 * e.c)
  }
}
