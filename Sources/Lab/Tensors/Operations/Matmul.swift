/// The matrix product, of batches too, by PyTorch's rules:
///
/// - Two vectors give their dot product, a single number.
/// - A vector on the left counts as a matrix of one row, one on the right as a matrix of one column;
///   the result lacks that dimension.
/// - Otherwise the last two dimensions are those of matrices, m × k and k × n, and the dimensions
///   before them are broadcast.
///
/// ```swift
/// let a = Tensor([1, 2, 3, 4], shape: [2, 2])
/// try matmul(a, Tensor([1, 10]))  // tensor([21., 43.])
/// ```
///
/// - Throws: ``ShapeError`` if an operand has no dimensions, the inner extents differ, or the
///   dimensions before the last two cannot be broadcast.
/// - Complexity: O(batches · m · k · n)
public func matmul(_ a: Tensor, _ b: Tensor) throws(ShapeError) -> Tensor {
  guard a.rank >= 1, b.rank >= 1 else {
    throw ShapeError(
      "matmul", expected: "two tensors with dimensions", got: "\(a.shape) and \(b.shape)",
      hint: "multiply by a single number with *")
  }
  let left = a.rank == 1 ? [1] + a.shape : a.shape
  let right = b.rank == 1 ? b.shape + [1] : b.shape
  let (m, k, n) = (left[left.count - 2], left[left.count - 1], right[right.count - 1])
  guard right[right.count - 2] == k else {
    throw ShapeError(
      "matmul", expected: "as many rows in b as a has columns, \(k)",
      got: "\(right[right.count - 2]): a is \(a.shape), b \(b.shape)")
  }
  let batch = try broadcastShape("matmul", Array(left.dropLast(2)), Array(right.dropLast(2)))
  let backend = try prepare("matmul", a, b)
  let product = Product(
    backend: backend, a: a.detached, b: b.detached, batch: batch,
    aOffsets: offsets(left, in: batch), bOffsets: offsets(right, in: batch), m: m, n: n, k: k)
  let shape = batch + (a.rank == 1 ? [] : [m]) + (b.rank == 1 ? [] : [n])
  let (aTarget, bTarget) = (a.gradientTarget, b.gradientTarget)
  return product.result.viewed(as: shape).recorded(from: [a, b]) { dy in
    if aTarget.needsGradient {
      aTarget.receive(product.gradientOfA(dy, as: left).viewed(as: aTarget.shape))
    }
    if bTarget.needsGradient {
      bTarget.receive(product.gradientOfB(dy, as: right).viewed(as: bTarget.shape))
    }
  }
}

/// Products of pairs of matrices, m × k by k × n.
private struct Product {
  let backend: any Backend
  let a, b: Tensor
  let batch: [Int]
  let aOffsets, bOffsets: [Int]
  let m, n, k: Int

  var result: Tensor {
    backend.matrixProducts(
      MatrixBatch(tensor: a, stride: k, isTransposed: false, offsets: aOffsets),
      MatrixBatch(tensor: b, stride: n, isTransposed: false, offsets: bOffsets), m: m, n: n, k: k)
  }

  private func results(_ dy: Tensor, isTransposed: Bool) -> MatrixBatch {
    MatrixBatch(
      tensor: dy, stride: n, isTransposed: isTransposed,
      offsets: aOffsets.indices.map { $0 * m * n })
  }

  /// `dA = dC Bᵀ`, summed over the products that share a matrix.
  func gradientOfA(_ dy: Tensor, as shape: [Int]) -> Tensor {
    let d = backend.matrixProducts(
      results(dy, isTransposed: false),
      MatrixBatch(tensor: b, stride: n, isTransposed: true, offsets: bOffsets), m: m, n: k, k: n)
    return backend.sum(d.viewed(as: batch + [m, k]), to: shape)
  }

  /// `dB = Aᵀ dC`, summed over the products that share a matrix.
  func gradientOfB(_ dy: Tensor, as shape: [Int]) -> Tensor {
    let d = backend.matrixProducts(
      MatrixBatch(tensor: a, stride: k, isTransposed: true, offsets: aOffsets),
      results(dy, isTransposed: false), m: k, n: n, k: m)
    return backend.sum(d.viewed(as: batch + [k, n]), to: shape)
  }
}

/// The position of the operand's matrix for each product of the batch.
private func offsets(_ shape: [Int], in batch: [Int]) -> [Int] {
  let padded = Array(repeating: 1, count: batch.count + 2 - shape.count) + shape
  let steps = strides(padded)
  return zip(batch, zip(padded, steps)).reduce([0]) { offsets, dimension in
    let (extent, (own, step)) = dimension
    return offsets.flatMap { offset in (0..<extent).map { offset + (own == 1 ? 0 : $0 * step) } }
  }
}
