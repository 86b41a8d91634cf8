/// Reductions over any dimensions of an array.
///
/// Sums are taken in double precision, in parts that follow from the extents alone and in their
/// order, so results do not depend on the number of threads.

/// The extents of a reduction: the shape of the array and the dimensions that are reduced.
public struct ReductionExtents: Sendable, Equatable {
  public let shape: [Int]
  /// Whether each dimension is reduced.
  public let isReduced: [Bool]

  public init(shape: [Int], axes: [Int]) {
    self.shape = shape
    isReduced = shape.indices.map(axes.contains)
  }

  /// The number of results, and the number of elements that each is computed from.
  public var outputCount: Int { zip(shape, isReduced).reduce(1) { $1.1 ? $0 : $0 * $1.0 } }
  public var reducedCount: Int { zip(shape, isReduced).reduce(1) { $1.1 ? $0 * $1.0 : $0 } }

  /// The strides of the results along the dimensions of the array; 0 along reduced ones.
  var outputStrides: [Int] {
    var (strides, step) = ([Int](repeating: 0, count: shape.count), 1)
    for dimension in shape.indices.reversed() where !isReduced[dimension] {
      strides[dimension] = step
      step *= shape[dimension]
    }
    return strides
  }

  /// Extents outside, along and inside one run of reduced dimensions; nil if there are several runs.
  fileprivate var planes: Planes? {
    var (outer, reduced, inner) = (1, 1, 1)
    var stage = 0
    for (extent, flag) in zip(shape, isReduced) where extent != 1 {
      if flag, stage == 2 { return nil }
      if flag { stage = 1 } else if stage == 1 { stage = 2 }
      switch stage {
      case 0: outer *= extent
      case 1: reduced *= extent
      default: inner *= extent
      }
    }
    return Planes(outer: outer, reduced: reduced, inner: inner)
  }

  /// The dimensions with the reduced ones last, in their order.
  private var order: [Int] {
    shape.indices.filter { !isReduced[$0] } + shape.indices.filter { isReduced[$0] }
  }

  /// The strides of an array of this shape whose memory has the reduced dimensions last.
  private var gatheredStrides: [Int] {
    var strides = [Int](repeating: 0, count: shape.count)
    for (dimension, stride) in zip(order, rowMajorStrides(order.map { shape[$0] })) {
      strides[dimension] = stride
    }
    return strides
  }

  /// Calls `body` with x, copied so that the reduced dimensions are last if there are several runs
  /// of them.
  fileprivate func withPlanes(
    of x: UnsafePointer<Float>, _ body: (UnsafePointer<Float>, Planes) -> Void
  ) {
    if let planes { return body(x, planes) }
    let copy = Scratch(count: outputCount * reducedCount)
    copyStrided(
      x, strides: rowMajorStrides(shape), into: copy.pointer, strides: gatheredStrides,
      shape: shape)
    body(copy.pointer, Planes(outer: outputCount, reduced: reducedCount, inner: 1))
  }

  /// Calls `body` with memory for an array of the order of ``withPlanes(of:_:)``, and puts what it
  /// has written into the order of x.
  fileprivate func withWritablePlanes(
    into x: UnsafeMutablePointer<Float>, _ body: (UnsafeMutablePointer<Float>, Planes) -> Void
  ) {
    if let planes { return body(x, planes) }
    let copy = Scratch(count: outputCount * reducedCount)
    body(copy.pointer, Planes(outer: outputCount, reduced: reducedCount, inner: 1))
    copyStrided(
      copy.pointer, strides: gatheredStrides, into: x, strides: rowMajorStrides(shape),
      shape: shape)
  }
}

/// An array of `outer` × `reduced` × `inner` elements, reduced along its second dimension.
private struct Planes {
  let outer, reduced, inner: Int

  /// Columns that are reduced together.
  static let width = 1024
  var blocks: Int { (inner + Self.width - 1) / Self.width }

  func columns(ofBlock block: Int) -> Range<Int> {
    block * Self.width..<min(inner, (block + 1) * Self.width)
  }

  /// Parts of a long sum, if there are too few sums for the threads.
  var parts: Int {
    outer * blocks >= 16 ? 1 : max(1, min(16, reduced * min(inner, Self.width) / (1 << 15)))
  }

  /// Blocks of columns that are worth a thread of their own.
  var grain: Int { max(1, (1 << 16) / max(1, reduced * min(inner, Self.width))) }
}

/// `y = Σ x / divisor` over the reduced dimensions.
public func reduceSum(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ e: ReductionExtents,
  divisor: Double = 1
) {
  e.withPlanes(of: x) { x, planes in
    let (parts, blocks, inner) = (planes.parts, planes.blocks, planes.inner)
    let tasks = planes.outer * blocks * parts
    let sums = UnsafeMutablePointer<Double>.allocate(capacity: max(1, tasks * min(inner, 1024)))
    defer { sums.deallocate() }
    let width = min(inner, Planes.width)
    parallel(count: tasks, grain: planes.grain) { range in
      for task in range {
        let (plane, part) = task.quotientAndRemainder(dividingBy: parts)
        let (outer, block) = plane.quotientAndRemainder(dividingBy: blocks)
        let columns = planes.columns(ofBlock: block)
        let rows = planes.reduced * part / parts..<planes.reduced * (part + 1) / parts
        let first = x + (outer * planes.reduced + rows.lowerBound) * inner + columns.lowerBound
        if inner == 1 {
          sums[task] = sumOfRun(first, count: rows.count)
        } else {
          sumOfRows(
            first, stride: inner, rows: rows.count, columns: columns.count,
            into: sums + task * width)
        }
      }
    }
    for plane in 0..<planes.outer * blocks {
      let (outer, block) = plane.quotientAndRemainder(dividingBy: blocks)
      let columns = planes.columns(ofBlock: block)
      for index in 0..<columns.count {
        var sum = 0.0
        for part in 0..<parts { sum += sums[(plane * parts + part) * width + index] }
        y[outer * inner + columns.lowerBound + index] = Float(sum / divisor)
      }
    }
  }
}

/// The gradient of ``reduceSum(_:into:_:divisor:)``: `dx = dy / divisor`, repeated along the reduced
/// dimensions.
public func reduceSumGradient(
  dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, _ e: ReductionExtents,
  divisor: Double = 1
) {
  let shares = Scratch(count: e.outputCount)
  for index in 0..<e.outputCount { shares.pointer[index] = Float(Double(dy[index]) / divisor) }
  copyStrided(
    shares.pointer, strides: e.outputStrides, into: dx, strides: rowMajorStrides(e.shape),
    shape: e.shape)
}

/// The largest element over the reduced dimensions and its index among them in row-major order: of
/// the first one among equals. NaN counts as the largest, as in PyTorch.
///
/// There must be an element to each result.
public func reduceMax(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
  indices: UnsafeMutablePointer<Int32>, _ e: ReductionExtents
) {
  e.withPlanes(of: x) { x, planes in
    parallel(count: planes.outer * planes.blocks, grain: planes.grain) { range in
      for plane in range {
        let (outer, block) = plane.quotientAndRemainder(dividingBy: planes.blocks)
        let columns = planes.columns(ofBlock: block)
        let first = outer * planes.inner + columns.lowerBound
        let (largest, places) = (y + first, indices + first)
        let source = x + outer * planes.reduced * planes.inner + columns.lowerBound
        largest.update(from: source, count: columns.count)
        places.update(repeating: 0, count: columns.count)
        for row in 1..<max(1, planes.reduced) {
          for column in 0..<columns.count {
            let value = source[row * planes.inner + column]
            if value > largest[column] || (value.isNaN && !largest[column].isNaN) {
              largest[column] = value
              places[column] = Int32(truncatingIfNeeded: row)
            }
          }
        }
      }
    }
  }
}

/// The gradient of ``reduceMax(_:into:indices:_:)``: each result's goes to the element it was taken
/// from.
public func reduceMaxGradient(
  dy: UnsafePointer<Float>, indices: UnsafePointer<Int32>, dx: UnsafeMutablePointer<Float>,
  _ e: ReductionExtents
) {
  e.withWritablePlanes(into: dx) { dx, planes in
    let size = planes.reduced * planes.inner
    parallel(count: planes.outer, grain: max(1, (1 << 17) / max(1, size))) { range in
      for outer in range {
        (dx + outer * size).update(repeating: 0, count: size)
        for column in 0..<planes.inner {
          let index = outer * planes.inner + column
          dx[outer * size + Int(indices[index]) * planes.inner + column] = dy[index]
        }
      }
    }
  }
}

/// The sum of neighboring elements: eight running sums, then these.
func sumOfRun(_ x: UnsafePointer<Float>, count: Int) -> Double {
  var sums = SIMD8<Double>.zero
  let whole = count / 8 * 8
  for index in stride(from: 0, to: whole, by: 8) {
    let values = UnsafeRawPointer(x + index).loadUnaligned(as: SIMD8<Float>.self)
    sums += SIMD8<Double>(values)
  }
  var sum = 0.0
  for lane in 0..<8 { sum += sums[lane] }
  for index in whole..<count { sum += Double(x[index]) }
  return sum
}

private func sumOfRows(
  _ x: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int,
  into sums: UnsafeMutablePointer<Double>
) {
  sums.update(repeating: 0, count: columns)
  for row in 0..<rows {
    let source = x + row * stride
    for column in 0..<columns { sums[column] += Double(source[column]) }
  }
}

/// The sum of `term` over `0..<count` in double precision, taken in parts that follow from the count
/// alone.
func sumInParts(count: Int, _ term: (Int) -> Double) -> Double {
  let size = 1 << 14
  let parts = (count + size - 1) / size
  let sums = UnsafeMutablePointer<Double>.allocate(capacity: max(1, parts))
  defer { sums.deallocate() }
  parallel(count: parts) { part in
    var sum = 0.0
    for index in part * size..<min(count, (part + 1) * size) { sum += term(index) }
    sums[part] = sum
  }
  return (0..<parts).reduce(0.0) { $0 + sums[$1] }
}

/// Adds `parts` arrays of `count` floats that lie one after another, in their order.
func sumParts(
  _ values: UnsafePointer<Float>, parts: Int, count: Int, into y: UnsafeMutablePointer<Float>
) {
  guard parts > 0 else { return y.update(repeating: 0, count: count) }
  y.update(from: values, count: count)
  for part in 1..<max(1, parts) {
    let source = values + part * count
    for index in 0..<count { y[index] += source[index] }
  }
}

/// `y[column] = Σ rows x[row, column]`: the gradient of a bias that was added to every row.
public func sumRows(
  _ x: UnsafePointer<Float>, rows: Int, columns: Int, into y: UnsafeMutablePointer<Float>
) {
  sumParts(x, parts: rows, count: columns, into: y)
}

/// The index of the largest element of each row: of the first one among equals. NaN counts as the
/// largest, as in PyTorch.
public func argmaxOfRows(
  _ x: UnsafePointer<Float>, into indices: UnsafeMutablePointer<Int>, rows: Int, columns: Int
) {
  parallel(count: rows, grain: max(1, (1 << 16) / max(1, columns))) { range in
    for row in range {
      let source = x + row * columns
      var best = 0
      for index in 1..<max(1, columns)
      where source[index] > source[best] || (source[index].isNaN && !source[best].isNaN) {
        best = index
      }
      indices[row] = best
    }
  }
}

/// The number of rows whose largest element is at the label's index.
public func countOfCorrectRows(
  _ x: UnsafePointer<Float>, labels: [Int], columns: Int
) -> Int {
  let indices = UnsafeMutablePointer<Int>.allocate(capacity: max(1, labels.count))
  defer { indices.deallocate() }
  argmaxOfRows(x, into: indices, rows: labels.count, columns: columns)
  return labels.indices.count { indices[$0] == labels[$0] }
}

/// `y[i] = table[indices[i]]`, row by row.
public func gatherRows(
  _ table: UnsafePointer<Float>, indices: [Int], into y: UnsafeMutablePointer<Float>, columns: Int
) {
  parallel(count: indices.count, grain: max(1, (1 << 16) / max(1, columns))) { range in
    for row in range {
      (y + row * columns).update(from: table + indices[row] * columns, count: columns)
    }
  }
}

/// The gradient of ``gatherRows(_:indices:into:columns:)``: adds each row of dy to the row of the
/// table that it was copied from, in the order of the indices.
public func scatterRows(
  _ dy: UnsafePointer<Float>, indices: [Int], into table: UnsafeMutablePointer<Float>, rows: Int,
  columns: Int
) {
  table.update(repeating: 0, count: rows * columns)
  // The threads share the columns, so that the rows are added in order.
  parallel(count: columns, grain: max(16, (1 << 16) / max(1, indices.count))) { range in
    for (row, index) in indices.enumerated() {
      let (source, target) = (dy + row * columns, table + index * columns)
      for column in range { target[column] += source[column] }
    }
  }
}
