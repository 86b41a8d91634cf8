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
    if a.shape == b.shape { return PendingSum(a, b).result() }
    // Images stay as convolutions want them.
    let areImages = a.rank == 4 && b.rank == 4
    let layout =
      areImages && (a.layout == .channelsLast || b.layout == .channelsLast)
      ? Layout.channelsLast : .rowMajor
    let shape = try broadcastShape(a, b)
    let extents = BroadcastExtents(
      shape: ordered(shape, layout), aStrides: broadcastStrides(a, shape.count, layout),
      bStrides: broadcastStrides(b, shape.count, layout))
    let y = Tensor(uninitialized: shape, layout: layout)
    addBroadcast(a.pointer(layout), b.pointer(layout), y: y.pointer(layout), extents)
    return y.recorded(from: [a, b]) { dy in
      for (operand, strides) in [(a, extents.aStrides), (b, extents.bStrides)]
      where operand.needsGradient {
        guard operand.shape != shape else {
          operand.receive(dy)
          continue
        }
        let gradient = Tensor(uninitialized: operand.shape, layout: layout)
        sumRepeated(
          dy.pointer(layout), shape: extents.shape, into: gradient.pointer(layout),
          strides: strides)
        operand.receive(gradient)
      }
    }
  }

  /// The elementwise sum with a tensor of the same shape, off the tape.
  package func adding(_ other: Tensor) -> Tensor {
    let result = Tensor(uninitialized: shape, layout: layout)
    add(pointer(layout), other.pointer(layout), y: result.pointer(layout), count: count)
    return result
  }
}

private func broadcastShape(_ a: Tensor, _ b: Tensor) throws(ShapeError) -> [Int] {
  let rank = max(a.rank, b.rank)
  var shape: [Int] = []
  for (p, q) in zip(lengthened(a.shape, rank), lengthened(b.shape, rank)) {
    guard p == q || p == 1 || q == 1 else {
      throw ShapeError(
        "+", expected: "shapes that are equal, or 1, in every dimension, counted from the last",
        got: "\(a.shape) and \(b.shape)",
        hint: "a skip connection adds tensors of the same shape: a 1×1 convolution changes "
          + "channels, with a stride also height and width")
    }
    // Not the larger one: an extent of 0 against 1 gives 0.
    shape.append(p == 1 ? q : p)
  }
  return shape
}

/// The distance in memory between an operand's neighbours along each dimension of the result, in
/// the layout's order; 0 where the operand is repeated.
private func broadcastStrides(_ operand: Tensor, _ rank: Int, _ layout: Layout) -> [Int] {
  var strides: [Int] = []
  var step = 1
  for extent in ordered(lengthened(operand.shape, rank), layout).reversed() {
    strides.append(extent == 1 ? 0 : step)
    step *= extent
  }
  return strides.reversed()
}

/// The shape with as many dimensions of extent 1 in front as it lacks.
private func lengthened(_ shape: [Int], _ rank: Int) -> [Int] {
  Array(repeating: 1, count: rank - shape.count) + shape
}

/// The extents in the order in which a layout's elements lie in memory.
private func ordered(_ shape: [Int], _ layout: Layout) -> [Int] {
  layout == .channelsLast ? [shape[0], shape[2], shape[3], shape[1]] : shape
}
