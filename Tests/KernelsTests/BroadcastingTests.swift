import Kernels
import Testing

@Suite(.serialized)
struct BroadcastingTests {
  /// Shapes of the two operands, which are aligned at their last dimensions.
  static let cases: [([Int], [Int])] = [
    ([], []), ([1], [1]), ([7], [7]), ([7], [1]), ([1], [7]), ([3, 5], [5]), ([3, 1], [1, 4]),
    ([2, 3, 4], [3, 1]), ([4, 1, 3, 1], [5, 1, 6]), ([17, 9, 31], [17, 9, 31]), ([0, 3], [3]),
    ([3, 0], [1]), ([300, 700], [700]), ([300, 700], [300, 1]), ([300_001], [300_001]),
    ([2, 64, 50, 40], [64, 1, 1]), ([64, 1, 1], [2, 64, 50, 40]),
  ]

  @Test(arguments: KernelSet.supported, cases.indices)
  func agreeWithTheDefinitions(_ set: KernelSet, _ index: Int) {
    let problem = Problem(Self.cases[index].0, Self.cases[index].1)
    for operation in BinaryOperation.allCases {
      let results = withThreadCounts(set) { problem.solve(operation) }
      for other in results.dropFirst() { #expect(other == results[0], "\(operation)") }
      let expected = problem.solveByDefinition(operation)
      #expect(results[0][0] == expected[0], "\(operation)")
      for (found, expected) in zip(results[0].dropFirst(), expected.dropFirst()) {
        #expect(relativeError(found, expected) < 1e-6, "\(operation)")
      }
    }
  }

  @Test(arguments: KernelSet.supported, cases.indices)
  func selectsByTheCondition(_ set: KernelSet, _ index: Int) {
    let problem = Problem(Self.cases[index].0, Self.cases[index].1)
    let condition = numbers(max(1, problem.e.shape.last ?? 1), seed: 4).map {
      $0 > 0 ? 1 : Float(0)
    }
    let strides = problem.e.shape.indices.map { $0 == problem.e.shape.count - 1 ? 1 : 0 }
    let results = withThreadCounts(set) {
      var result = [problem.dy, problem.a, problem.b]
      select(
        condition: condition, problem.a, problem.b, y: &result[0], shape: problem.e.shape,
        strides: (strides, problem.e.aStrides, problem.e.bStrides))
      selectGradient(
        of: .left, condition: condition, dy: problem.dy, d: &result[1], shape: problem.e.shape,
        strides: (strides, problem.e.aStrides))
      selectGradient(
        of: .right, condition: condition, dy: problem.dy, d: &result[2], shape: problem.e.shape,
        strides: (strides, problem.e.bStrides))
      return result
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
    let columns = problem.e.shape.last ?? 1
    let isLeft = problem.dy.indices.map { condition[$0 % max(1, columns)] != 0 }
    var expected = [problem.dy, problem.a.map { _ in 0 }, problem.b.map { _ in 0 }]
    for (index, (i, j)) in zip(problem.aIndices, problem.bIndices).enumerated() {
      expected[0][index] = isLeft[index] ? problem.a[i] : problem.b[j]
      expected[1][i] += isLeft[index] ? problem.dy[index] : 0
      expected[2][j] += isLeft[index] ? 0 : problem.dy[index]
    }
    #expect(results[0][0] == expected[0])
    #expect(relativeError(results[0][1], expected[1]) < 1e-5)
    #expect(relativeError(results[0][2], expected[2]) < 1e-5)
  }

  @Test(arguments: KernelSet.supported)
  func nanAndEqualOperandsAreTreatedAsInPyTorch(_ set: KernelSet) {
    let (a, b): ([Float], [Float]) = ([.nan, 1, 2, 3], [1, .nan, 2, 5])
    let e = BroadcastExtents(shape: [4], aStrides: [1], bStrides: [1])
    KernelSet.$current.withValue(set) {
      for operation in [BinaryOperation.minimum, .maximum] {
        var (y, d) = (a, a)
        binary(operation, a, b, y: &y, e)
        #expect(y[0].isNaN && y[1].isNaN && y[2] == 2)
        binaryGradient(operation, of: .left, dy: [1, 1, 1, 1], a, b, d: &d, e)
        #expect(d == [1, 1, 0.5, operation == .minimum ? 1 : 0])
        binaryGradient(operation, of: .right, dy: [1, 1, 1, 1], a, b, d: &d, e)
        #expect(d == [1, 1, 0.5, operation == .minimum ? 0 : 1])
      }
      var y = a
      binary(.equal, a, a, y: &y, e)
      #expect(y == [0, 1, 1, 1])
      binary(.notEqual, a, a, y: &y, e)
      #expect(y == [1, 0, 0, 0])
    }
  }

  /// A shape, and the order of its dimensions in the copy.
  static let permutations: [([Int], [Int])] = [
    ([5], [0]), ([3, 7], [1, 0]), ([300, 517], [1, 0]), ([2, 3, 4], [2, 0, 1]),
    ([2, 20, 5, 9], [0, 2, 3, 1]), ([9, 4, 16, 33], [1, 3, 0, 2]), ([3, 1, 4, 1], [3, 2, 1, 0]),
    ([2, 0, 3], [2, 1, 0]), ([6, 5, 4, 3, 2], [4, 2, 0, 3, 1]),
  ]

  @Test(arguments: KernelSet.supported, permutations.indices)
  func copiesInAnyOrder(_ set: KernelSet, _ index: Int) {
    let (shape, order) = Self.permutations[index]
    let x = numbers(shape.reduce(1, *))
    let target = order.map { shape[$0] }
    let xStrides = order.map { strides(shape)[$0] }
    let results = withThreadCounts(set) {
      var (copy, sum) = (numbers(x.count, seed: 2), numbers(x.count, seed: 3))
      copyStrided(x, strides: xStrides, into: &copy, strides: strides(target), shape: target)
      copyStrided(
        x, strides: xStrides, into: &sum, strides: strides(target), shape: target,
        adding: true)
      return [copy, sum]
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
    let expected = positions(target, xStrides).map { x[$0] }
    #expect(results[0][0] == expected)
    #expect(results[0][1] == zip(numbers(x.count, seed: 3), expected).map { $0 + $1 })
  }

  private func strides(_ shape: [Int]) -> [Int] {
    shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
  }
}

/// The position of each element of a shape, in row-major order, in an array of these strides.
func positions(_ shape: [Int], _ strides: [Int]) -> [Int] {
  zip(shape, strides).reduce([0]) { positions, dimension in
    positions.flatMap { position in
      (0..<dimension.0).map { position + $0 * dimension.1 }
    }
  }
}

/// Two operands, and the gradient of a result.
private struct Problem {
  let e: BroadcastExtents
  let a, b, dy: [Float]

  init(_ aShape: [Int], _ bShape: [Int]) {
    let rank = max(aShape.count, bShape.count)
    let shapes = [aShape, bShape].map { Array(repeating: 1, count: rank - $0.count) + $0 }
    let shape = zip(shapes[0], shapes[1]).map { $0 == 1 ? $1 : $0 }
    let strides = shapes.map { shape in
      shape.indices.map { shape[$0] == 1 ? 0 : shape[($0 + 1)...].reduce(1, *) }
    }
    e = BroadcastExtents(shape: shape, aStrides: strides[0], bStrides: strides[1])
    // Few different numbers, so that some are equal, and none is 0.
    a = numbers(aShape.reduce(1, *)).map { ($0 * 4).rounded() + 0.25 }
    b = numbers(bShape.reduce(1, *), seed: 2).map { ($0 * 4).rounded() + 0.25 }
    dy = numbers(shape.reduce(1, *), seed: 3)
  }

  var aIndices: [Int] { positions(e.shape, e.aStrides) }
  var bIndices: [Int] { positions(e.shape, e.bStrides) }

  /// The result and the gradients of both operands.
  func solve(_ operation: BinaryOperation) -> [[Float]] {
    // Values from before the call must not matter.
    var result = [dy, a, b]
    binary(operation, a, b, y: &result[0], e)
    binaryGradient(operation, of: .left, dy: dy, a, b, d: &result[1], e)
    binaryGradient(operation, of: .right, dy: dy, a, b, d: &result[2], e)
    return result
  }

  func solveByDefinition(_ operation: BinaryOperation) -> [[Float]] {
    var y: [Float] = []
    var sums = [[Double](repeating: 0, count: a.count), [Double](repeating: 0, count: b.count)]
    for (index, (i, j)) in zip(aIndices, bIndices).enumerated() {
      let (value, da, db) = definition(operation, a[i], b[j])
      y.append(value)
      sums[0][i] += Double(dy[index]) * Double(da)
      sums[1][j] += Double(dy[index]) * Double(db)
    }
    return [y] + sums.map { $0.map { Float($0) } }
  }

  /// The value and the derivatives by both operands.
  private func definition(
    _ operation: BinaryOperation, _ a: Float, _ b: Float
  ) -> (Float, Float, Float) {
    let half: Float = a == b ? 0.5 : 1
    switch operation {
    case .add: return (a + b, 1, 1)
    case .subtract: return (a - b, 1, -1)
    case .multiply: return (a * b, b, a)
    case .divide: return (a / b, 1 / b, -a / (b * b))
    case .minimum: return (min(a, b), a <= b ? half : 0, b <= a ? half : 0)
    case .maximum: return (max(a, b), a >= b ? half : 0, b >= a ? half : 0)
    case .equal: return (a == b ? 1 : 0, 0, 0)
    case .notEqual: return (a != b ? 1 : 0, 0, 0)
    case .less: return (a < b ? 1 : 0, 0, 0)
    case .lessOrEqual: return (a <= b ? 1 : 0, 0, 0)
    case .greater: return (a > b ? 1 : 0, 0, 0)
    case .greaterOrEqual: return (a >= b ? 1 : 0, 0, 0)
    }
  }
}
