import Kernels
import Testing

@Suite(.serialized)
struct ReductionsTests {
  /// A shape and the dimensions that are reduced.
  static let cases: [([Int], [Int])] = [
    ([], []), ([1], [0]), ([9], [0]), ([9], []), ([3, 5], [0]), ([3, 5], [1]), ([3, 5], [0, 1]),
    ([2, 3, 4, 5], [1]), ([2, 3, 4, 5], [0, 2]), ([2, 3, 4, 5], [1, 3]), ([2, 3, 4, 5], [0, 3]),
    ([7, 1, 33], [1, 2]), ([300_001], [0]), ([40_000, 7], [0]), ([5, 2000, 1100], [1]),
    ([20, 3000], [1]), ([0, 4], [1]), ([4, 0], [0]),
  ]

  @Test(arguments: KernelSet.supported, cases.indices)
  func agreeWithTheDefinitions(_ set: KernelSet, _ index: Int) {
    let (shape, axes) = Self.cases[index]
    let e = ReductionExtents(shape: shape, axes: axes)
    // Few different numbers, so that several are the largest.
    let x = numbers(shape.reduce(1, *)).map { ($0 * 8).rounded() / 8 + 1 }
    let dy = numbers(e.outputCount, seed: 2)
    let results = withThreadCounts(set) {
      var result = [dy, x, dy, x]
      var indices = [Int32](repeating: -1, count: dy.count)
      reduceSum(x, into: &result[0], e, divisor: 3)
      reduceSumGradient(dy: dy, dx: &result[1], e, divisor: 3)
      reduceMax(x, into: &result[2], indices: &indices, e)
      reduceMaxGradient(dy: dy, indices: indices, dx: &result[3], e)
      return result + [indices.map { Float($0) }]
    }
    for other in results.dropFirst() { #expect(other == results[0]) }

    // The output that each element belongs to, and how many elements of it have come before.
    var (strides, step) = ([Int](repeating: 0, count: shape.count), 1)
    for dimension in shape.indices.reversed() where !axes.contains(dimension) {
      strides[dimension] = step
      step *= shape[dimension]
    }
    let outputs = positions(shape, strides)
    var sums = [Double](repeating: 0, count: dy.count)
    var largest = [Float](repeating: -.infinity, count: dy.count)
    var (seen, places) = (
      [Int](repeating: 0, count: dy.count), [Int](repeating: 0, count: dy.count)
    )
    var sources = [Int](repeating: 0, count: dy.count)
    for (element, output) in outputs.enumerated() {
      sums[output] += Double(x[element])
      if x[element] > largest[output] {
        (largest[output], places[output], sources[output]) = (x[element], seen[output], element)
      }
      seen[output] += 1
    }
    #expect(results[0][0] == sums.map { Float($0 / 3) })
    #expect(results[0][1] == outputs.map { Float(Double(dy[$0]) / 3) })
    #expect(results[0][2] == largest)
    #expect(results[0][4] == places.map { Float($0) })
    var dx = [Float](repeating: 0, count: x.count)
    for (output, source) in sources.enumerated() { dx[source] = dy[output] }
    #expect(results[0][3] == dx)
  }

  @Test func aLongSumLosesNoDigits() {
    // In single precision the sum would stop growing at 2²⁴.
    var y: Float = 0
    let x = [Float](repeating: 1, count: 20_000_000)
    reduceSum(x, into: &y, ReductionExtents(shape: [x.count], axes: [0]))
    #expect(y == 20_000_000)
  }

  @Test func nanIsTheLargest() {
    var (y, indices): ([Float], [Int32]) = ([0, 0], [0, 0])
    let e = ReductionExtents(shape: [2, 4], axes: [1])
    reduceMax([1, .nan, 5, .nan, 2, 7, 7, 3], into: &y, indices: &indices, e)
    #expect(y[0].isNaN && y[1] == 7 && indices == [1, 1])
    var classes = [0, 0]
    argmaxOfRows([1, .nan, 5, .nan, 2, 7, 7, 3], into: &classes, rows: 2, columns: 4)
    #expect(classes == [1, 1])
  }

  @Test(arguments: KernelSet.supported, [(1, 1), (5, 3), (300, 83), (9000, 10)])
  func countsRowsWhoseLargestElementIsTheLabels(
    _ set: KernelSet, extents: (rows: Int, columns: Int)
  ) {
    let (rows, columns) = extents
    let x = numbers(rows * columns).map { ($0 * 4).rounded() }
    let labels = (0..<rows).map { $0 * 7 % columns }
    let expected = (0..<rows).count { row in
      let scores = x[row * columns..<(row + 1) * columns]
      return scores.firstIndex(of: scores.max() ?? 0) == row * columns + labels[row]
    }
    for found in withThreadCounts(
      set, { countOfCorrectRows(x, labels: labels, columns: columns) })
    {
      #expect(found == expected)
    }
  }

  @Test(arguments: KernelSet.supported, [(1, 1, 1), (5, 9, 3), (100, 2000, 130), (3, 0, 4)])
  func rowsAreCopiedAndTheirGradientsAdded(
    _ set: KernelSet, extents: (rows: Int, count: Int, columns: Int)
  ) {
    let (rows, count, columns) = extents
    let indices = (0..<count).map { $0 * $0 % rows }
    let (table, dy) = (numbers(rows * columns), numbers(count * columns, seed: 2))
    let results = withThreadCounts(set) {
      var (y, dTable) = (dy, table)
      gatherRows(table, indices: indices, into: &y, columns: columns)
      scatterRows(dy, indices: indices, into: &dTable, rows: rows, columns: columns)
      return [y, dTable]
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
    var expected = [Float](repeating: 0, count: table.count)
    for (row, index) in indices.enumerated() {
      for column in 0..<columns { expected[index * columns + column] += dy[row * columns + column] }
    }
    #expect(results[0][0] == indices.flatMap { table[$0 * columns..<($0 + 1) * columns] })
    #expect(results[0][1] == expected)
  }
}
