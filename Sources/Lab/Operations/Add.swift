import Kernels

extension Tensor {
  /// The elementwise sum, with broadcasting as in NumPy and PyTorch: shapes are lined up at their
  /// last dimensions, and an operand is repeated along dimensions that it lacks or in which it has
  /// extent 1.
  ///
  /// ```swift
  /// try Tensor([1, 2], shape: [2, 1]) + Tensor([10, 20])  // tensor([[11., 21.], [12., 22.]])
  /// ```
  ///
  /// - Throws: ``ShapeError`` if an extent differs and neither is 1.
  /// - Complexity: O(elements of the result)
  public static func + (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor {
    if a.shape == b.shape {
      return a.adding(b).recorded(from: [a, b]) { dy in
        a.receive(dy)
        b.receive(dy)
      }
    }
    let extents = try broadcastExtents(a, b)
    let y = Tensor(uninitialized: extents.shape)
    addBroadcast(a.pointer, b.pointer, y: y.pointer, extents)
    return y.recorded(from: [a, b]) { dy in
      let da = Tensor(repeating: 0, shape: a.shape)
      let db = Tensor(repeating: 0, shape: b.shape)
      addBroadcastGradients(dy: dy.pointer, da: da.pointer, db: db.pointer, extents)
      a.receive(da)
      b.receive(db)
    }
  }

  /// The elementwise sum with a tensor of the same shape, off the tape.
  package func adding(_ other: Tensor) -> Tensor {
    let result = Tensor(uninitialized: shape, layout: layout)
    add(pointer(layout), other.pointer(layout), y: result.pointer(layout), count: count)
    return result
  }
}

private func broadcastExtents(_ a: Tensor, _ b: Tensor) throws(ShapeError) -> BroadcastExtents {
  let rank = max(a.rank, b.rank)
  let aShape = Array(repeating: 1, count: rank - a.rank) + a.shape
  let bShape = Array(repeating: 1, count: rank - b.rank) + b.shape
  var shape: [Int] = []
  for (p, q) in zip(aShape, bShape) {
    guard p == q || p == 1 || q == 1 else {
      throw ShapeError(
        "+", expected: "shapes that are equal, or 1, in every dimension, counted from the last",
        got: "\(a.shape) and \(b.shape)",
        hint: "a skip connection adds tensors of one shape: a 1×1 convolution changes channels")
    }
    // Not the larger one: an extent of 0 against 1 gives 0.
    shape.append(p == 1 ? q : p)
  }
  return BroadcastExtents(
    shape: shape, aStrides: broadcastStrides(aShape), bStrides: broadcastStrides(bShape))
}

private func broadcastStrides(_ shape: [Int]) -> [Int] {
  var strides: [Int] = []
  var step = 1
  for extent in shape.reversed() {
    strides.append(extent == 1 ? 0 : step)
    step *= extent
  }
  return strides.reversed()
}
