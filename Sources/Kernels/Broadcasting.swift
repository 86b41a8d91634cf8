import KernelInterface

/// A function of two numbers, element by element.
public typealias BinaryOperation = KernelInterface.BinaryOperation
/// One of the two operands of a ``BinaryOperation``.
public typealias Operand = KernelInterface.Operand

/// The extents of an elementwise operation whose operands are repeated along dimensions in which
/// they have extent 1.
public struct BroadcastExtents: Sendable, Equatable {
  /// The extents of the result.
  public let shape: [Int]
  /// The strides of the operands along the result's dimensions; 0 where an operand is repeated.
  public let aStrides, bStrides: [Int]

  public init(shape: [Int], aStrides: [Int], bStrides: [Int]) {
    (self.shape, self.aStrides, self.bStrides) = (shape, aStrides, bStrides)
  }
}

/// The positions of one shape's elements in up to four arrays.
///
/// Neighboring dimensions that lie in memory as one in all arrays are merged, so that the runs along
/// the last dimension are as long as possible.
struct StridedPositions {
  private(set) var shape: [Int] = []
  /// For each dimension the distance between neighbors in each array.
  private(set) var steps: [SIMD4<Int>] = []

  /// - Parameters:
  ///   - shape: The common shape.
  ///   - strides: For each of up to four arrays its strides along the dimensions of the shape.
  init(shape extents: [Int], _ strides: [[Int]]) {
    for (dimension, extent) in extents.enumerated() where extent != 1 {
      var step = SIMD4<Int>.zero
      for (array, strides) in strides.enumerated() { step[array] = strides[dimension] }
      if let last = steps.last, last == step &* SIMD4(repeating: extent) {
        shape[shape.count - 1] *= extent
        steps[steps.count - 1] = step
      } else {
        shape.append(extent)
        steps.append(step)
      }
    }
    if shape.isEmpty { (shape, steps) = ([1], [.zero]) }
  }

  /// The number of elements.
  var count: Int { shape.reduce(1, *) }

  /// The distance between neighbors along the last dimension in each array.
  var step: SIMD4<Int> { steps[steps.count - 1] }

  /// Calls `body` for each run along the last dimension that some elements, numbered in row-major
  /// order, lie in.
  ///
  /// - Parameter body: Given the position of the run's first element in each array and the number
  ///   of elements.
  func forEachRun(in range: Range<Int>, _ body: (_ first: SIMD4<Int>, _ count: Int) -> Void) {
    guard !range.isEmpty else { return }
    let columns = shape[shape.count - 1]
    var (row, column) = range.lowerBound.quotientAndRemainder(dividingBy: columns)
    let outer = shape.count - 1
    var index = [Int](repeating: 0, count: outer)
    var start = SIMD4<Int>.zero
    for dimension in (0..<outer).reversed() {
      (row, index[dimension]) = row.quotientAndRemainder(dividingBy: shape[dimension])
      start &+= steps[dimension] &* SIMD4(repeating: index[dimension])
    }
    var left = range.count
    while left > 0 {
      let count = min(left, columns - column)
      body(start &+ step &* SIMD4(repeating: column), count)
      left -= count
      column = 0
      for dimension in (0..<outer).reversed() {
        index[dimension] += 1
        start &+= steps[dimension]
        if index[dimension] < shape[dimension] { break }
        start &-= steps[dimension] &* SIMD4(repeating: shape[dimension])
        index[dimension] = 0
      }
    }
  }
}

/// The strides of an array of this shape in row-major order.
func rowMajorStrides(_ shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  for dimension in shape.indices.dropLast().reversed() {
    strides[dimension] = strides[dimension + 1] * shape[dimension + 1]
  }
  return strides
}

/// Elements that are worth a thread of their own.
private let grain = 1 << 17

/// `y = operation(a, b)`, with both operands repeated as the extents say.
public func binary(
  _ operation: BinaryOperation, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
  y: UnsafeMutablePointer<Float>, _ e: BroadcastExtents
) {
  let loops = KernelSet.current.loops
  let positions = StridedPositions(
    shape: e.shape, [rowMajorStrides(e.shape), e.aStrides, e.bStrides])
  let step = positions.step
  parallel(count: positions.count, grain: grain) { range in
    positions.forEachRun(in: range) { first, count in
      loops.binary(
        operation, a + first[1], step: step[1], b + first[2], step: step[2], into: y + first[0],
        count: count)
    }
  }
}

/// The gradient of an operand of ``binary(_:_:_:y:_:)``. Each element of the operand gets the sum
/// over the elements of the result that it was repeated to.
///
/// - Parameters:
///   - operand: The operand whose gradient is computed.
///   - dy: The gradient of the result.
///   - d: The gradient of the operand, as many elements as the operand has.
public func binaryGradient(
  _ operation: BinaryOperation, of operand: Operand, dy: UnsafePointer<Float>,
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>,
  _ e: BroadcastExtents
) {
  let loops = KernelSet.current.loops
  let strides = operand == .left ? e.aStrides : e.bStrides
  let isRepeated = zip(e.shape, strides).contains { $0 != 1 && $1 == 0 }
  let positions = StridedPositions(
    shape: e.shape, [rowMajorStrides(e.shape), e.aStrides, e.bStrides])
  let step = positions.step
  let whole = isRepeated ? Scratch(count: positions.count) : nil
  let target = whole?.pointer ?? d
  parallel(count: positions.count, grain: grain) { range in
    positions.forEachRun(in: range) { first, count in
      loops.binaryGradient(
        operation, of: operand, dy: dy + first[0], a + first[1], step: step[1], b + first[2],
        step: step[2], into: target + first[0], count: count)
    }
  }
  if let whole { sumRepeated(whole.pointer, shape: e.shape, into: d, strides: strides) }
}

/// `y = a + b` with both operands repeated as the extents say.
public func addBroadcast(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
  _ e: BroadcastExtents
) {
  binary(.add, a, b, y: y, e)
}

/// The sum over the elements of the result that each element of an operand was repeated to.
///
/// - Parameters:
///   - shape: The extents of the result.
///   - strides: The operand's strides along the result's dimensions; 0 where it was repeated.
public func sumRepeated(
  _ dy: UnsafePointer<Float>, shape: [Int], into d: UnsafeMutablePointer<Float>, strides: [Int]
) {
  let repeated = shape.indices.filter { shape[$0] != 1 && strides[$0] == 0 }
  reduceSum(dy, into: d, ReductionExtents(shape: shape, axes: repeated))
}

/// `y = a` where the condition is not 0, else `b`, with all three repeated where a stride is 0.
///
/// - Parameter strides: The strides of the condition, a and b along the result's dimensions.
public func select(
  condition: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
  y: UnsafeMutablePointer<Float>, shape: [Int], strides: (condition: [Int], a: [Int], b: [Int])
) {
  let positions = StridedPositions(
    shape: shape, [rowMajorStrides(shape), strides.condition, strides.a, strides.b])
  let step = positions.step
  parallel(count: positions.count, grain: grain) { range in
    positions.forEachRun(in: range) { first, count in
      for index in 0..<count {
        y[first[0] + index] =
          condition[first[1] + index * step[1]] != 0
          ? a[first[2] + index * step[2]] : b[first[3] + index * step[3]]
      }
    }
  }
}

/// The gradient of an operand of ``select(condition:_:_:y:shape:strides:)``, summed over the
/// elements it was repeated to.
///
/// - Parameter operand: Left for a, right for b.
public func selectGradient(
  of operand: Operand, condition: UnsafePointer<Float>, dy: UnsafePointer<Float>,
  d: UnsafeMutablePointer<Float>, shape: [Int], strides: (condition: [Int], operand: [Int])
) {
  let positions = StridedPositions(
    shape: shape, [rowMajorStrides(shape), strides.condition])
  let step = positions.step
  let whole = Scratch(count: positions.count)
  let target = whole.pointer
  parallel(count: positions.count, grain: grain) { range in
    positions.forEachRun(in: range) { first, count in
      for index in 0..<count {
        let isLeft = condition[first[1] + index * step[1]] != 0
        target[first[0] + index] = isLeft == (operand == .left) ? dy[first[0] + index] : 0
      }
    }
  }
  sumRepeated(whole.pointer, shape: shape, into: d, strides: strides.operand)
}

/// Copies an array of any strides to one of any strides, or adds it.
///
/// Permuting, slicing, concatenating and repeating are copies with other strides, and so are their
/// gradients.
///
/// - Parameters:
///   - xStrides: The strides of x along the dimensions of the shape; 0 to repeat x.
///   - yStrides: The strides of y. No two elements may have the same position.
///   - adding: Whether to add to y in place of overwriting it.
public func copyStrided(
  _ x: UnsafePointer<Float>, strides xStrides: [Int], into y: UnsafeMutablePointer<Float>,
  strides yStrides: [Int], shape: [Int], adding: Bool = false
) {
  if !adding, copyTransposed(x, xStrides, y, yStrides, shape) { return }
  let positions = StridedPositions(shape: shape, [yStrides, xStrides])
  let (yStep, xStep) = (positions.step[0], positions.step[1])
  parallel(count: positions.count, grain: grain) { range in
    positions.forEachRun(in: range) { first, count in
      let (target, source) = (y + first[0], x + first[1])
      switch (adding, yStep, xStep) {
      case (false, 1, 1): target.update(from: source, count: count)
      case (false, 1, 0): target.update(repeating: source[0], count: count)
      case (true, 1, 1): for index in 0..<count { target[index] += source[index] }
      case (true, _, _):
        for index in 0..<count { target[index * yStep] += source[index * xStep] }
      default: for index in 0..<count { target[index * yStep] = source[index * xStep] }
      }
    }
  }
}

/// Copies an array plane by plane where rows of y are columns of x; returns false if it has no such
/// planes.
private func copyTransposed(
  _ x: UnsafePointer<Float>, _ xStrides: [Int], _ y: UnsafeMutablePointer<Float>,
  _ yStrides: [Int], _ shape: [Int]
) -> Bool {
  let positions = StridedPositions(shape: shape, [yStrides, xStrides])
  let last = positions.shape.count - 1
  guard positions.step[0] == 1, positions.step[1] > 1, positions.count > 0,
    let column = positions.steps.lastIndex(where: { $0[1] == 1 })
  else { return false }
  let loops = KernelSet.current.loops
  let outer = (0..<last).filter { $0 != column }
  let planes = StridedPositions(
    shape: outer.map { positions.shape[$0] },
    [outer.map { positions.steps[$0][0] }, outer.map { positions.steps[$0][1] }])
  let (rows, columns) = (positions.shape[last], positions.shape[column])
  parallel(count: planes.count, grain: max(1, grain / (rows * columns))) { range in
    planes.forEachRun(in: range) { first, count in
      for index in 0..<count {
        loops.transpose(
          x + first[1] + index * planes.step[1], stride: positions.step[1], rows: rows,
          columns: columns, into: y + first[0] + index * planes.step[0],
          targetStride: positions.steps[column][0])
      }
    }
  }
  return true
}
