import Lab
import LabTensors
import Testing

@Suite(.needsOpenCL) struct ReductionsTests {
  static let shapes = [
    [], [1], [7], [0], [255], [257], [2, 3], [2, 3, 4], [3, 1, 2, 5], [3, 0, 2], [16, 10, 5],
    [1000, 3], [3, 1000], [2, 300, 7], [5, 9, 300], [2, 2, 2, 2, 2], [9000, 2], [2, 9000],
    [40, 62],
    [2, 3, 17, 31], [300, 65],
  ]

  /// All dimensions, each one alone, each pair, and none.
  static func axes(_ shape: [Int]) -> [[Int]] {
    var all = [[], Array(shape.indices)] + shape.indices.map { [$0] }
    for first in shape.indices {
      for second in shape.indices.dropFirst(first + 1) { all.append([first, second]) }
    }
    return all
  }

  @Test(arguments: shapes)
  func sums(shape: [Int]) throws {
    let x = numbers(shape)
    for axes in Self.axes(shape) {
      try expectSame([x], tolerance: 1e-6) { try sum($0[0], axes: axes) }
      try expectSame([x], tolerance: 1e-6) { try mean($0[0], axes: axes, keepDims: true) }
    }
    try expectSame([x]) { sum($0[0]) }
    try expectSame([x]) { mean($0[0]) }
  }

  @Test(arguments: shapes)
  func maxima(shape: [Int]) throws {
    // Many equal elements: which of them gets the gradient must agree.
    let rough = numbers(shape, seed: 5).elements.map { ($0 * 3).rounded() }
    for x in [numbers(shape), Tensor(rough, shape: shape)] {
      for axes in Self.axes(shape) where axes.allSatisfy({ shape[$0] > 0 }) {
        try expectSame([x], tolerance: 0) { try max($0[0], axes: axes) }
      }
    }
  }

  @Test func sumsToASmallerShape() throws {
    let device = try #require(OpenCL.device)
    let cases: [([Int], [[Int]])] = [
      ([2, 3], [[2, 3], [3], [1, 3], [2, 1], [1], []]), ([4, 0], [[1, 0], [4, 1], []]),
      (
        [2, 3, 4, 5],
        [
          [3, 1, 1], [1, 3, 1, 1], [2, 1, 4, 1], [1, 1, 1, 1], [5], [2, 3, 1, 1], [1, 3, 4, 5],
        ]
      ),
      ([700, 5], [[5], [700, 1], []]), ([5, 700], [[700], [5, 1]]),
    ]
    for (shape, targets) in cases {
      let x = numbers(shape)
      for target in targets {
        let expected = x.device.backend.sum(x, to: target)
        expectClose(device.backend.sum(x.to(device), to: target), expected, 1e-5, "\(target)")
        guard shape.count == 4 else { continue }
        expectClose(
          device.backend.sum(imagesOf(x.to(device)), to: target), expected, 1e-5, "\(target)")
      }
    }
    try device.check()
  }

  @Test func longSums() throws {
    let device = try #require(OpenCL.device)
    let count = 1_000_003
    let x = numbers([count])
    for shape in [[count], [count, 1], [1, count]] {
      let y = Tensor(x.elements, shape: shape)
      let exact = Float(x.elements.reduce(0.0) { $0 + Double($1) })
      #expect(abs(sum(y.to(device)).item - exact) <= 1e-5 * abs(exact))
    }
    let ones = Tensor(repeating: 1, shape: [3, 400_001]).to(device)
    #expect(try sum(ones, axes: [1]) == Tensor([400_001, 400_001, 400_001]))
    #expect(try sum(ones, axes: [0]) == Tensor(repeating: 3, shape: [400_001]))
    #expect(sum(ones).item == 1_200_003)
    #expect(mean(ones).item == 1)
    let rows = Tensor(repeating: 1, shape: [400_001, 3]).to(device)
    #expect(try sum(rows, axes: [0]) == Tensor([400_001, 400_001, 400_001]))
    var spiked = x.elements
    for index in [70_000, 700_000, 1_000_002] { spiked[index] = 2 }
    try expectSame([Tensor(spiked)], tolerance: 0) { try max($0[0], axes: [0]) }
    spiked[500_000] = .nan
    spiked[999_999] = .nan
    try expectSame([Tensor(spiked)], tolerance: 0) { try max($0[0], axes: [0]) }
    #expect(sum(Tensor(spiked).to(device)).item.isNaN)
  }

  @Test func notANumberAndInfinity() throws {
    let device = try #require(OpenCL.device)
    let (n, i) = (Float.nan, Float.infinity)
    let x = Tensor([1, n, 3, n, -i, -i, -i, -i, 2, i, i, n, 0, -0.0, 0, 0], shape: [4, 4])
    for axes in [[0], [1], [0, 1]] {
      try expectSame([x]) { try max($0[0], axes: axes) }
      try expectSame([x], tolerance: 1e-6) { try sum($0[0], axes: axes) }
    }
    #expect(argmax(x.to(device)).elements == [1, 0, 3, 0])
    #expect(countCorrect(x.to(device), IntTensor([1, 0, 3, 1])).item == 3)
    try device.check()
  }

  @Test(arguments: [
    [1], [9], [0, 3], [3, 1], [5, 10], [128, 62], [300, 7], [2, 3, 1000], [1000, 2], [2, 70_001],
  ])
  func largestOfRows(shape: [Int]) throws {
    let device = try #require(OpenCL.device)
    let rough = numbers(shape).elements.map { ($0 * 5).rounded() }
    for x in [numbers(shape), Tensor(rough, shape: shape)] {
      let expected = argmax(x)
      #expect(argmax(x.to(device)) == expected)
      let labels = expected.elements.enumerated().map { $0 % 3 == 0 ? $1 + 1 : $1 }
      let correct = countCorrect(x.to(device), IntTensor(labels))
      #expect(correct.device == device)
      #expect(correct.to(.cpu) == countCorrect(x, IntTensor(labels)))
    }
    try device.check()
  }

  @Test func theSameBytesTwice() throws {
    let device = try #require(OpenCL.device)
    let x = numbers([301, 1777]).to(device)
    for axes in [[0], [1], [0, 1]] {
      let first = try sum(x, axes: axes).elements.map(\.bitPattern)
      #expect(try sum(x, axes: axes).elements.map(\.bitPattern) == first)
    }
  }
}
