import Kernels

// Elementwise operations with broadcasting, reductions and copies of arrays of any shape.

extension CPUBackend {
  // MARK: Elementwise

  /// The orders in which two operands and their result are read and written, and their strides.
  private struct Alignment {
    let extents: BroadcastExtents
    let a, b, result: ElementOrder
  }

  private func align(_ a: Tensor, _ b: Tensor, shape: [Int]) -> Alignment {
    let count = shape.reduce(1, *)
    if [a, b].allSatisfy({ $0.count == count || $0.count == 1 }) {
      // Elements are paired as they are in memory. If one operand has its channels last so does the
      // result, and no more than one is converted.
      let order = a.count == count && a.order != .rowMajor || b.count != count ? a.order : b.order
      let extents = BroadcastExtents(
        shape: [count], aStrides: [a.count == 1 ? 0 : 1], bStrides: [b.count == 1 ? 0 : 1])
      return Alignment(
        extents: extents, a: a.count == 1 ? .rowMajor : order, b: b.count == 1 ? .rowMajor : order,
        result: count == 1 ? .rowMajor : order)
    }
    let areImages = a.rank == 4 && b.rank == 4 && (hasChannelsLast(a) || hasChannelsLast(b))
    let extents = BroadcastExtents(
      shape: areImages ? channelsLast(shape) : shape,
      aStrides: broadcastStrides(a.shape, shape.count, areImages),
      bStrides: broadcastStrides(b.shape, shape.count, areImages))
    guard areImages else {
      return Alignment(extents: extents, a: .rowMajor, b: .rowMajor, result: .rowMajor)
    }
    return Alignment(
      extents: extents, a: a.channelsLast, b: b.channelsLast,
      result: .channels(shape[0], shape[1], shape[2] * shape[3]))
  }

  package func binary(
    _ operation: BinaryOperation, _ a: Tensor, _ b: Tensor, shape: [Int]
  ) -> Tensor {
    let alignment = align(a, b, shape: shape)
    let y = Tensor(uninitialized: shape, order: alignment.result)
    Kernels.binary(
      operation, a.host.pointer(alignment.a), b.host.pointer(alignment.b),
      y: y.host.pointer(alignment.result), alignment.extents)
    return y
  }

  package func binaryGradient(
    _ operation: BinaryOperation, of operand: Operand, dy: Tensor, _ a: Tensor, _ b: Tensor
  ) -> Tensor {
    let alignment = align(a, b, shape: dy.shape)
    let order = operand == .left ? alignment.a : alignment.b
    let d = Tensor(uninitialized: operand == .left ? a.shape : b.shape, order: order)
    Kernels.binaryGradient(
      operation, of: operand, dy: dy.host.pointer(alignment.result), a.host.pointer(alignment.a),
      b.host.pointer(alignment.b), d: d.host.pointer(order), alignment.extents)
    return d
  }

  package func select(
    _ condition: Tensor, _ a: Tensor, _ b: Tensor, shape: [Int]
  ) -> Tensor {
    let y = Tensor(uninitialized: shape)
    func strides(_ x: Tensor) -> [Int] { broadcastStrides(x.shape, shape.count, false) }
    Kernels.select(
      condition: condition.pointer, a.pointer, b.pointer, y: y.pointer, shape: shape,
      strides: (strides(condition), strides(a), strides(b)))
    return y
  }

  package func selectGradient(
    of operand: Operand, _ condition: Tensor, dy: Tensor, shape: [Int]
  ) -> Tensor {
    let d = Tensor(uninitialized: shape)
    Kernels.selectGradient(
      of: operand, condition: condition.pointer, dy: dy.pointer, d: d.pointer, shape: dy.shape,
      strides: (
        broadcastStrides(condition.shape, dy.rank, false), broadcastStrides(shape, dy.rank, false)
      ))
    return d
  }

  package func unary(_ operation: UnaryOperation, _ x: Tensor) -> Tensor {
    let order = x.order
    let y = Tensor(uninitialized: x.shape, order: order)
    Kernels.unary(operation, x: x.host.pointer(order), y: y.host.pointer(order), count: x.count)
    return y
  }

  package func unaryGradient(
    _ operation: UnaryOperation, dy: Tensor, x: Tensor, y: Tensor
  ) -> Tensor {
    let order = y.order
    let dx = Tensor(uninitialized: y.shape, order: order)
    Kernels.unaryGradient(
      operation, dy: dy.host.pointer(order), x: x.host.pointer(order), y: y.host.pointer(order),
      dx: dx.host.pointer(order), count: y.count)
    return dx
  }

  // MARK: Reductions

  /// The extents without some dimensions.
  private func remaining(_ shape: [Int], _ axes: [Int]) -> [Int] {
    shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
  }

  package func sum(_ x: Tensor, axes: [Int], divisor: Double) -> Tensor {
    let y = Tensor(uninitialized: remaining(x.shape, axes))
    reduceSum(
      x.pointer, into: y.pointer, ReductionExtents(shape: x.shape, axes: axes), divisor: divisor)
    return y
  }

  package func sumGradient(
    dy: Tensor, shape: [Int], axes: [Int], divisor: Double
  ) -> Tensor {
    let dx = Tensor(uninitialized: shape)
    reduceSumGradient(
      dy: dy.pointer, dx: dx.pointer, ReductionExtents(shape: shape, axes: axes), divisor: divisor)
    return dx
  }

  package func maxima(_ x: Tensor, axes: [Int]) -> (y: Tensor, saved: AnyObject?) {
    let y = Tensor(uninitialized: remaining(x.shape, axes))
    let indices = Codes<Int32>(count: y.count)
    reduceMax(
      x.pointer, into: y.pointer, indices: indices.pointer,
      ReductionExtents(shape: x.shape, axes: axes))
    return (y, indices)
  }

  package func maximaGradient(
    dy: Tensor, shape: [Int], axes: [Int], saved: AnyObject?
  ) -> Tensor {
    guard let indices = saved as? Codes<Int32> else {
      preconditionFailure("maximaGradient expects what maxima saved")
    }
    let dx = Tensor(uninitialized: shape)
    reduceMaxGradient(
      dy: dy.pointer, indices: indices.pointer, dx: dx.pointer,
      ReductionExtents(shape: shape, axes: axes))
    return dx
  }

  // MARK: Rearranging

  /// The strides of an array of this shape in row-major order.
  private func rowMajorStrides(_ shape: [Int]) -> [Int] {
    shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
  }

  package func strided(
    _ x: Tensor, shape: [Int], strides: [Int], offset: Int
  ) -> Tensor {
    let y = Tensor(uninitialized: shape)
    copyStrided(
      x.pointer + offset, strides: strides, into: y.pointer, strides: rowMajorStrides(shape),
      shape: shape)
    return y
  }

  package func assemble(_ parts: [StridedPart], shape: [Int]) -> Tensor {
    let y = Tensor(uninitialized: shape)
    if parts.reduce(0, { $0 + $1.tensor.count }) < y.count {
      y.pointer.update(repeating: 0, count: y.count)
    }
    for part in parts {
      copyStrided(
        part.tensor.pointer, strides: rowMajorStrides(part.tensor.shape),
        into: y.pointer + part.offset, strides: part.strides, shape: part.tensor.shape)
    }
    return y
  }

  package func gatherRows(_ table: Tensor, _ indices: [Int], shape: [Int]) -> Tensor {
    let y = Tensor(uninitialized: shape)
    Kernels.gatherRows(
      table.pointer, indices: indices, into: y.pointer, columns: table.shape[1])
    return y
  }

  package func scatterRows(dy: Tensor, _ indices: [Int], shape: [Int]) -> Tensor {
    let dTable = Tensor(uninitialized: shape)
    Kernels.scatterRows(
      dy.pointer, indices: indices, into: dTable.pointer, rows: shape[0], columns: shape[1])
    return dTable
  }

  // MARK: Matrix products

  package func matrixProducts(
    _ a: MatrixBatch, _ b: MatrixBatch, m: Int, n: Int, k: Int
  ) -> Tensor {
    let y = Tensor(uninitialized: [a.offsets.count, m, n])
    func first(_ batch: MatrixBatch) -> Matrix {
      Matrix(batch.tensor.pointer, stride: batch.stride, isTransposed: batch.isTransposed)
    }
    Kernels.matrixProducts(
      first(a), offsets: a.offsets, first(b), offsets: b.offsets, into: y.pointer, m: m, n: n,
      k: k)
    return y
  }

  // MARK: Layer normalization

  private final class LayerStatistics {
    let means, scales: Tensor

    init(rows: Int) {
      (means, scales) = (Tensor(uninitialized: [rows]), Tensor(uninitialized: [rows]))
    }
  }

  package func layerNorm(
    _ x: Tensor, weight: Tensor?, bias: Tensor?, columns: Int, epsilon: Double
  ) -> (y: Tensor, saved: AnyObject?) {
    let y = Tensor(uninitialized: x.shape)
    let rows = x.count / columns
    let statistics = LayerStatistics(rows: rows)
    LayerNormalization.forward(
      x: x.pointer, weight: weight?.pointer, bias: bias?.pointer, epsilon: epsilon, y: y.pointer,
      means: statistics.means.pointer, scales: statistics.scales.pointer, rows: rows,
      columns: columns)
    return (y, statistics)
  }

  package func layerNormGradients(
    _ x: Tensor, weight: Tensor?, columns: Int, epsilon: Double, dy: Tensor, saved: AnyObject?
  ) -> (dx: Tensor, dWeight: Tensor, dBias: Tensor) {
    guard let statistics = saved as? LayerStatistics else {
      preconditionFailure("layerNormGradients expects what layerNorm saved")
    }
    let dx = Tensor(uninitialized: x.shape)
    let (dWeight, dBias) = (Tensor(uninitialized: [columns]), Tensor(uninitialized: [columns]))
    LayerNormalization.gradients(
      x: x.pointer, weight: weight?.pointer, means: statistics.means.pointer,
      scales: statistics.scales.pointer, dy: dy.pointer, dx: dx.pointer,
      dWeight: dWeight.pointer, dBias: dBias.pointer, rows: x.count / columns, columns: columns)
    return (dx, dWeight, dBias)
  }
}
