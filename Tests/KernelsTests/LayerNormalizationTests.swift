import Kernels
import Testing

@Suite(.serialized)
struct LayerNormalizationTests {
  @Test(arguments: KernelSet.supported, [(1, 1), (3, 3), (5, 17), (200, 300), (1000, 33)])
  func followsItsDefinition(_ set: KernelSet, extents: (rows: Int, columns: Int)) {
    let (rows, columns) = extents
    // Far from 0, where a variance by Σx² - (Σx)² would be wrong.
    let x = numbers(rows * columns).map { $0 + 3 }
    let (weight, bias) = (numbers(columns, seed: 2), numbers(columns, seed: 3))
    let dy = numbers(rows * columns, seed: 4)
    for isAffine in [true, false] {
      let results = withThreadCounts(set) {
        var (y, dx, dWeight, dBias) = (dy, x, weight, bias)
        var (means, scales) = (numbers(rows), numbers(rows))
        weight.withUnsafeBufferPointer { weight in
          bias.withUnsafeBufferPointer { bias in
            let (weight, bias) = (weight.baseAddress, bias.baseAddress)
            LayerNormalization.forward(
              x: x, weight: isAffine ? weight : nil, bias: isAffine ? bias : nil, epsilon: 1e-5,
              y: &y, means: &means, scales: &scales, rows: rows, columns: columns)
            LayerNormalization.gradients(
              x: x, weight: isAffine ? weight : nil, means: means, scales: scales, dy: dy,
              dx: &dx, dWeight: &dWeight, dBias: &dBias, rows: rows, columns: columns)
          }
        }
        return [y, dx, dWeight, dBias]
      }
      for other in results.dropFirst() { #expect(other == results[0]) }
      let expected = definition(
        x, isAffine ? weight : weight.map { _ in 1 }, isAffine ? bias : bias.map { _ in 0 }, dy,
        rows, columns)
      for (found, expected) in zip(results[0], expected) {
        // A single column has no variance: y and its gradient are rounding errors of 0.
        #expect(columns == 1 || relativeError(found, expected) < 2e-5)
      }
      #expect(columns > 1 || relativeError(results[0][0], expected[0]) < 1e-6)
    }
  }

  private func definition(
    _ x: [Float], _ weight: [Float], _ bias: [Float], _ dy: [Float], _ rows: Int, _ columns: Int
  ) -> [[Float]] {
    var (y, dx): ([Float], [Float]) = ([], [])
    var (dWeight, dBias) = (
      [Double](repeating: 0, count: columns), [Double](repeating: 0, count: columns)
    )
    for row in 0..<rows {
      let range = row * columns..<(row + 1) * columns
      let values = x[range].map { Double($0) }
      let count = Double(columns)
      let mean = values.reduce(0, +) / count
      let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / count
      let scale = 1 / (variance + 1e-5).squareRoot()
      let normal = values.map { ($0 - mean) * scale }
      let gradients = zip(dy[range], weight).map { Double($0) * Double($1) }
      let sum = gradients.reduce(0, +)
      let product = zip(gradients, normal).map { $0 * $1 }.reduce(0, +)
      for index in 0..<columns {
        y.append(Float(Double(weight[index]) * normal[index] + Double(bias[index])))
        dx.append(Float(scale * (gradients[index] - (sum + normal[index] * product) / count)))
        dWeight[index] += Double(dy[range][range.lowerBound + index]) * normal[index]
        dBias[index] += Double(dy[range][range.lowerBound + index])
      }
    }
    return [y, dx, dWeight.map { Float($0) }, dBias.map { Float($0) }]
  }
}
