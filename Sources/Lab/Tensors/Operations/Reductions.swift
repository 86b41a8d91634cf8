/// The sum of all elements, as a single number.
///
/// ```swift
/// sum(Tensor([1, 2, 3])).item  // 6
/// ```
public func sum(_ x: Tensor) -> Tensor { sum(x, Array(0..<x.rank), divisor: 1) }

/// The sum over some dimensions.
///
/// ```swift
/// let x = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
/// try sum(x, axes: [0])                  // tensor([5., 7., 9.])
/// try sum(x, axes: [-1], keepDims: true) // tensor([[ 6.], [15.]])
/// ```
///
/// Sums are taken in double precision.
///
/// - Parameters:
///   - x: Any tensor.
///   - axes: The dimensions, negative ones counted from the last.
///   - keepDims: Whether the result keeps these dimensions, with extent 1.
/// - Throws: ``ShapeError`` if x does not have one of the dimensions, or one occurs twice.
public func sum(
  _ x: Tensor, axes: [Int], keepDims: Bool = false
) throws(ShapeError) -> Tensor {
  let axes = try checkedAxes("sum", axes, of: x)
  return kept(sum(x, axes, divisor: 1), x, axes, keepDims)
}

/// The mean of all elements, as a single number.
public func mean(_ x: Tensor) -> Tensor {
  sum(x, Array(0..<x.rank), divisor: Double(x.count))
}

/// The mean over some dimensions; see ``sum(_:axes:keepDims:)``.
///
/// - Throws: ``ShapeError`` if x does not have one of the dimensions, or one occurs twice.
public func mean(
  _ x: Tensor, axes: [Int], keepDims: Bool = false
) throws(ShapeError) -> Tensor {
  let axes = try checkedAxes("mean", axes, of: x)
  let count = axes.reduce(1) { $0 * x.shape[$1] }
  return kept(sum(x, axes, divisor: Double(count)), x, axes, keepDims)
}

/// The largest element over some dimensions. NaN counts as the largest; among equal elements the
/// first one gets the gradient.
///
/// - Parameters:
///   - x: A tensor with at least one element along these dimensions.
///   - axes: The dimensions, negative ones counted from the last.
///   - keepDims: Whether the result keeps these dimensions, with extent 1.
/// - Throws: ``ShapeError`` if x does not have one of the dimensions, one occurs twice, or there is
///   nothing to take the largest of.
public func max(
  _ x: Tensor, axes: [Int], keepDims: Bool = false
) throws(ShapeError) -> Tensor {
  let axes = try checkedAxes("max", axes, of: x)
  guard axes.allSatisfy({ x.shape[$0] > 0 }) else {
    throw ShapeError(
      "max", expected: "at least one element along the dimensions \(axes)", got: "\(x.shape)")
  }
  x.materialize()
  let backend = x.storage.backend
  let (y, saved) = backend.maxima(x, axes: axes)
  let target = x.gradientTarget
  let recorded = y.recorded(from: [x]) { dy in
    target.receive(backend.maximaGradient(dy: dy, shape: target.shape, axes: axes, saved: saved))
  }
  return kept(recorded, x, axes, keepDims)
}

private func sum(_ x: Tensor, _ axes: [Int], divisor: Double) -> Tensor {
  x.materialize()
  let backend = x.storage.backend
  let target = x.gradientTarget
  let y = backend.sum(x, axes: axes, divisor: divisor)
  return y.recorded(from: [x], as: divisor == 1 ? "sum" : "mean") { dy in
    target.receive(
      backend.sumGradient(dy: dy, shape: target.shape, axes: axes, divisor: divisor))
  }
}

/// The result with the reduced dimensions put back in if they are to be kept.
private func kept(_ y: Tensor, _ x: Tensor, _ axes: [Int], _ keepDims: Bool) -> Tensor {
  guard keepDims else { return y }
  return reshaped(y, x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] })
}

/// The dimensions in increasing order, all of them from 0.
private func checkedAxes(
  _ operation: String, _ axes: [Int], of x: Tensor
) throws(ShapeError) -> [Int] {
  var checked: [Int] = []
  for axis in axes {
    let index = try checkedAxis(operation, axis, of: x.shape)
    guard !checked.contains(index) else {
      throw ShapeError(operation, expected: "each dimension once", got: "axes \(axes)")
    }
    checked.append(index)
  }
  return checked.sorted()
}

/// The dimension from 0.
func checkedAxis(
  _ operation: String, _ axis: Int, of shape: [Int]
) throws(ShapeError) -> Int {
  guard axis >= -shape.count, axis < shape.count else {
    throw ShapeError(
      operation,
      expected: shape.isEmpty
        ? "a tensor with dimensions" : "an axis in \(-shape.count)..<\(shape.count)",
      got: shape.isEmpty ? "shape []" : "\(axis) for shape \(shape)")
  }
  return axis < 0 ? axis + shape.count : axis
}
