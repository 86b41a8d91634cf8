/// The dimensions in another order.
///
/// ```swift
/// try permute(Tensor(repeating: 0, shape: [2, 3, 5]), order: [2, 0, 1]).shape  // [5, 2, 3]
/// ```
///
/// - Parameters:
///   - x: Any tensor.
///   - order: For each dimension of the result, the dimension of x.
/// - Throws: ``ShapeError`` if the order does not contain each dimension once.
public func permute(_ x: Tensor, order: [Int]) throws(ShapeError) -> Tensor {
  let dimensions = order.map { $0 < 0 ? $0 + x.rank : $0 }
  guard dimensions.sorted() == Array(0..<x.rank) else {
    throw ShapeError(
      "permute", expected: "each of the \(x.rank) dimensions of x \(x.shape) once",
      got: "\(order)")
  }
  return permuted(x, dimensions)
}

/// Two dimensions exchanged.
///
/// ```swift
/// try transpose(Tensor([1, 2, 3, 4], shape: [2, 2]), 0, 1)  // tensor([[1., 3.], [2., 4.]])
/// ```
///
/// - Throws: ``ShapeError`` if x does not have the dimensions.
public func transpose(_ x: Tensor, _ axis1: Int, _ axis2: Int) throws(ShapeError) -> Tensor {
  var order = Array(0..<x.rank)
  let first = try checkedAxis("transpose", axis1, of: x.shape)
  let second = try checkedAxis("transpose", axis2, of: x.shape)
  order.swapAt(first, second)
  return permuted(x, order)
}

/// The part of a tensor at an index of its first dimension, which exists.
func part(_ x: Tensor, at index: Int) -> Tensor {
  let shape = Array(x.shape.dropFirst())
  return strided(
    x, shape: shape, strides: Array(strides(x.shape).dropFirst()),
    offset: index * shape.reduce(1, *))
}

/// The elements of a tensor at an offset and at distances in row-major order.
private func strided(_ x: Tensor, shape: [Int], strides: [Int], offset: Int) -> Tensor {
  x.materialize()
  let backend = x.storage.backend
  let y = backend.strided(x, shape: shape, strides: strides, offset: offset)
  let target = x.gradientTarget
  return y.recorded(from: [x], as: "slice") { dy in
    target.receive(
      backend.assemble(
        [StridedPart(tensor: dy, strides: strides, offset: offset)], shape: target.shape))
  }
}

/// A part of a tensor along one dimension: the indices of a range, or each `step`-th of them.
///
/// ```swift
/// try slice(Tensor([0, 1, 2, 3, 4]), axis: 0, 1..<5, step: 2)  // tensor([1., 3.])
/// ```
///
/// - Parameters:
///   - x: Any tensor.
///   - axis: The dimension, a negative one counted from the last.
///   - range: The indices.
///   - step: The distance between them.
/// - Throws: ``ShapeError`` if x does not have the dimension or the indices, or the step is not
///   positive.
public func slice(
  _ x: Tensor, axis: Int, _ range: Range<Int>, step: Int = 1
) throws(ShapeError) -> Tensor {
  let axis = try checkedAxis("slice", axis, of: x.shape)
  guard range.lowerBound >= 0, range.upperBound <= x.shape[axis] else {
    throw ShapeError(
      "slice", expected: "indices in 0..<\(x.shape[axis]) along dimension \(axis) of \(x.shape)",
      got: "\(range)")
  }
  guard step >= 1 else {
    throw ShapeError("slice", expected: "a step of at least 1", got: "\(step)")
  }
  let steps = strides(x.shape)
  var (shape, taken) = (x.shape, steps)
  shape[axis] = (range.count + step - 1) / step
  taken[axis] *= step
  let offset = shape[axis] == 0 ? 0 : range.lowerBound * steps[axis]
  return strided(x, shape: shape, strides: taken, offset: offset)
}

extension Tensor {
  /// Some rows, off the tape: the part at these indices of the first dimension.
  package func rows(_ range: Range<Int>) -> Tensor {
    precondition(
      rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0],
      "rows \(range) of a tensor of shape \(shape)")
    guard range.count < shape[0] else { return detached }
    let steps = strides(shape)
    return strided(
      detached, shape: [range.count] + shape.dropFirst(), strides: steps,
      offset: range.isEmpty ? 0 : range.lowerBound * steps[0])
  }
}

/// Tensors one after another along a dimension that they have.
///
/// ```swift
/// try concatenate([Tensor([1, 2]), Tensor([3])])  // tensor([1., 2., 3.])
/// ```
///
/// - Parameters:
///   - tensors: At least one; all extents but that of the dimension are equal.
///   - axis: The dimension, a negative one counted from the last.
/// - Throws: ``ShapeError`` if there are no tensors, they differ in another dimension, or they do not
///   have the dimension.
public func concatenate(_ tensors: [Tensor], axis: Int = 0) throws(ShapeError) -> Tensor {
  guard let first = tensors.first else {
    throw ShapeError("concatenate", expected: "at least one tensor", got: "none")
  }
  let axis = try checkedAxis("concatenate", axis, of: first.shape)
  for tensor in tensors.dropFirst() {
    var other = tensor.shape
    if other.count == first.rank { other[axis] = first.shape[axis] }
    guard other == first.shape else {
      throw ShapeError(
        "concatenate", expected: "tensors that differ in dimension \(axis) only",
        got: "\(first.shape) and \(tensor.shape)")
    }
  }
  let backend = try commonBackend("concatenate", tensors)
  for tensor in tensors { tensor.materialize() }
  var shape = first.shape
  shape[axis] = tensors.reduce(0) { $0 + $1.shape[axis] }
  let steps = strides(shape)
  var offsets = [0]
  for tensor in tensors { offsets.append(offsets[offsets.count - 1] + tensor.shape[axis]) }
  let parts = zip(tensors, offsets).map {
    StridedPart(tensor: $0.detached, strides: steps, offset: $1 * steps[axis])
  }
  let targets = tensors.map(\.gradientTarget)
  return backend.assemble(parts, shape: shape).recorded(from: tensors) { dy in
    for (target, offset) in zip(targets, offsets) where target.needsGradient {
      target.receive(
        backend.strided(
          dy, shape: target.shape, strides: steps,
          offset: target.shape.contains(0) ? 0 : offset * steps[axis]))
    }
  }
}

/// Tensors of one shape one after another along a new dimension.
///
/// ```swift
/// try stack([Tensor([1, 2]), Tensor([3, 4])])  // tensor([[1., 2.], [3., 4.]])
/// ```
///
/// - Parameters:
///   - tensors: At least one, all of the same shape.
///   - axis: The position of the new dimension in the result.
/// - Throws: ``ShapeError`` if there are no tensors, their shapes differ, or there is no such
///   position.
public func stack(_ tensors: [Tensor], axis: Int = 0) throws(ShapeError) -> Tensor {
  guard let first = tensors.first else {
    throw ShapeError("stack", expected: "at least one tensor", got: "none")
  }
  if let other = tensors.first(where: { $0.shape != first.shape }) {
    throw ShapeError(
      "stack", expected: "tensors of one shape", got: "\(first.shape) and \(other.shape)")
  }
  let axis = try checkedAxis("stack", axis, of: first.shape + [1])
  var shape = first.shape
  shape.insert(1, at: axis)
  return try concatenate(tensors.map { reshaped($0, shape) }, axis: axis)
}

/// A tensor divided along a dimension into parts of a given extent; the last one may be smaller.
///
/// - Parameters:
///   - x: Any tensor.
///   - size: The extent of each part.
///   - axis: The dimension, a negative one counted from the last.
/// - Throws: ``ShapeError`` if the size is not positive or x does not have the dimension.
public func split(_ x: Tensor, size: Int, axis: Int = 0) throws(ShapeError) -> [Tensor] {
  let index = try checkedAxis("split", axis, of: x.shape)
  guard size >= 1 else {
    throw ShapeError("split", expected: "a size of at least 1", got: "\(size)")
  }
  let extent = x.shape[index]
  let firsts = Array(stride(from: 0, to: Swift.max(1, extent), by: size))
  return try split(x, sizes: firsts.map { min(size, extent - $0) }, axis: index)
}

/// A tensor divided along a dimension into parts of given extents.
///
/// ```swift
/// try split(Tensor([1, 2, 3]), sizes: [1, 2])  // [tensor([1.]), tensor([2., 3.])]
/// ```
///
/// - Throws: ``ShapeError`` if the extents do not add up to that of x, or x does not have the
///   dimension.
public func split(_ x: Tensor, sizes: [Int], axis: Int = 0) throws(ShapeError) -> [Tensor] {
  let axis = try checkedAxis("split", axis, of: x.shape)
  guard sizes.allSatisfy({ $0 >= 0 }), sizes.reduce(0, +) == x.shape[axis] else {
    throw ShapeError(
      "split",
      expected: "sizes that add up to \(x.shape[axis]), the extent of dimension \(axis) of"
        + " \(x.shape)", got: "\(sizes)")
  }
  var parts: [Tensor] = []
  var first = 0
  for size in sizes {
    parts.append(try slice(x, axis: axis, first..<first + size))
    first += size
  }
  return parts
}

private func permuted(_ x: Tensor, _ order: [Int]) -> Tensor {
  x.materialize()
  let backend = x.storage.backend
  let steps = strides(x.shape)
  let shape = order.map { x.shape[$0] }
  let taken = order.map { steps[$0] }
  let target = x.gradientTarget
  let y = backend.strided(x, shape: shape, strides: taken, offset: 0)
  return y.recorded(from: [x], as: "permute") { dy in
    var inverse = [Int](repeating: 0, count: order.count)
    for (stride, dimension) in zip(strides(dy.shape), order) { inverse[dimension] = stride }
    target.receive(backend.strided(dy, shape: target.shape, strides: inverse, offset: 0))
  }
}

/// The strides of a tensor of this shape in row-major order.
func strides(_ shape: [Int]) -> [Int] {
  shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
}
