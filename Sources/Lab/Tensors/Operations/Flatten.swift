/// The same elements with the dimensions from `start` on merged into one.
///
/// ```swift
/// try flatten(Tensor(repeating: 0, shape: [128, 64, 14, 14])).shape  // [128, 12544]
/// ```
///
/// - Parameters:
///   - x: A tensor with more than `start` dimensions.
///   - start: The first dimension to merge.
/// - Throws: ``ShapeError`` if x does not have so many dimensions.
/// - Complexity: O(1)
public func flatten(_ x: Tensor, from start: Int = 1) throws(ShapeError) -> Tensor {
  guard start >= 0, start < x.rank else {
    throw ShapeError(
      "flatten", expected: "x with more than \(start) dimensions", got: "shape \(x.shape)")
  }
  let shape = x.shape[..<start] + [x.shape[start...].reduce(1, *)]
  return try reshape(x, to: Array(shape))
}

/// The same elements, in the same order, in another shape.
///
/// - Parameters:
///   - x: Any tensor.
///   - shape: A shape of as many elements.
/// - Throws: ``ShapeError`` if the numbers of elements differ.
/// - Complexity: O(1)
public func reshape(_ x: Tensor, to shape: [Int]) throws(ShapeError) -> Tensor {
  guard shape.allSatisfy({ $0 >= 0 }), shape.reduce(1, *) == x.count else {
    throw ShapeError(
      "reshape", expected: "a shape of \(x.count) elements, as x \(x.shape) has", got: "\(shape)")
  }
  return reshaped(x, shape)
}

/// The same elements in a shape that is known to fit.
func reshaped(_ x: Tensor, _ shape: [Int]) -> Tensor {
  x.materialize()
  let target = x.gradientTarget
  return x.viewed(as: shape).recorded(from: [x], as: "reshape") { dy in
    target.receive(dy.viewed(as: target.shape))
  }
}
