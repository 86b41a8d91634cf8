/// The rows of a table at some indices: a vector for each token or class.
///
/// ```swift
/// let table = Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2])
/// try embedding(IntTensor([2, 0]), weight: table)  // tensor([[5., 6.], [1., 2.]])
/// ```
///
/// - Parameters:
///   - indices: Indices of rows, of any shape.
///   - weight: The table, rows × size.
/// - Returns: A tensor with the shape of the indices followed by the size of a row.
/// - Throws: ``ShapeError`` if the table does not have two dimensions or an index is out of range.
public func embedding(_ indices: IntTensor, weight: Tensor) throws(ShapeError) -> Tensor {
  guard weight.rank == 2 else {
    throw ShapeError(
      "embedding", expected: "a weight of shape [rows, size]", got: "\(weight.shape)")
  }
  let rows = weight.shape[0]
  if let wrong = indices.elements.first(where: { !(0..<rows).contains($0) }) {
    throw ShapeError(
      "embedding", expected: "indices in 0..<\(rows), the rows of the weight \(weight.shape)",
      got: "\(wrong)", hint: "the layer's first size is the number of different indices")
  }
  weight.materialize()
  let backend = weight.storage.backend
  let target = weight.gradientTarget
  let y = backend.gatherRows(
    weight, indices.elements, shape: indices.shape + [weight.shape[1]])
  return y.recorded(from: [weight]) { dy in
    target.receive(backend.scatterRows(dy: dy, indices.elements, shape: target.shape))
  }
}
