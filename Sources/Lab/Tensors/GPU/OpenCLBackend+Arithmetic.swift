import Kernels
import OpenCLKernels

// Elementwise operations, with broadcasting.

private let arithmetic = KernelSource(.positions, .arithmetic)

extension OpenCLBackend {
  /// Runs a kernel whose threads compute four neighbours each; its last arguments are the number of
  /// elements and that of threads.
  func runByFours(
    _ name: String, in source: KernelSource, count: Int, _ arguments: any KernelArgument...
  ) {
    guard count > 0 else { return }
    let (threads, needed) = (min(256, queue.device.largestGroup), (count + 3) / 4)
    queue.run(
      name, in: source, groups: ((needed + threads - 1) / threads, 1, 1), threads: (threads, 1, 1),
      arguments + [Int32(count), Int32(needed)])
  }

  /// Runs a kernel with a thread for each element of some extents; its last arguments are the first
  /// positions in each array and the number of elements.
  func run(
    _ name: String, in source: KernelSource, over extents: StridedExtents, _ arrays: [Int],
    offsets: [Int] = [0, 0, 0, 0], _ arguments: [any KernelArgument]
  ) {
    extents.forEachPart(offsets) { part, offsets in
      let threads = min(256, queue.device.largestGroup)
      queue.run(
        name, in: source, groups: ((part.count + threads - 1) / threads, 1, 1),
        threads: (threads, 1, 1),
        arguments + part.arguments(arrays)
          + [KernelVector<SIMD8<Int32>>(offsets), Int32(part.count)])
    }
  }

  // MARK: Functions of one tensor

  package func unary(_ operation: UnaryOperation, _ x: Tensor) -> Tensor {
    let order = x.gpu.order
    let y = uninitialized(x.shape, order: order)
    runByFours(
      "unary", in: arithmetic, count: x.count, operation.number, x.gpu.buffer(order),
      y.gpu.buffer(order))
    return y
  }

  package func unaryGradient(
    _ operation: UnaryOperation, dy: Tensor, x: Tensor, y: Tensor
  ) -> Tensor {
    let order = y.gpu.order
    let dx = uninitialized(y.shape, order: order)
    runByFours(
      "unary_gradient", in: arithmetic, count: y.count, operation.number, dy.gpu.buffer(order),
      x.gpu.buffer(order), y.gpu.buffer(order), dx.gpu.buffer(order))
    return dx
  }

  package func activation(_ activation: Activation, _ x: Tensor) -> Tensor {
    activation == .relu ? unary(.relu, x) : x
  }

  package func activationGradient(_ activation: Activation, y: Tensor, dy: Tensor) -> Tensor {
    activation == .relu ? unaryGradient(.relu, dy: dy, x: y, y: y) : dy
  }

  package func dropout(_ x: Tensor, _ rule: DropoutRule) -> Tensor {
    let order = x.gpu.order
    let y = uninitialized(x.shape, order: order)
    // Which elements are dropped does not depend on their order in memory.
    var (channels, pixels) = (1, 1)
    if case .channelsLast(_, let c, let count) = order { (channels, pixels) = (c, count) }
    runByFours(
      "dropout", in: arithmetic, count: x.count, x.gpu.buffer(order), y.gpu.buffer(order),
      Int32(channels), Int32(pixels), rule.low, rule.high, rule.threshold, rule.scale)
    return y
  }

  // MARK: Functions of two tensors

  package func add(_ a: Tensor, _ b: Tensor, _ activation: Activation) -> Tensor {
    // If one of them has its channels last so does the sum, and no more than one is converted.
    let order = a.gpu.order == .rowMajor ? b.gpu.order : a.gpu.order
    let y = uninitialized(a.shape, order: order)
    runByFours(
      "binary", in: arithmetic, count: a.count, BinaryOperation.add.number, a.gpu.buffer(order),
      Int32(1), b.gpu.buffer(order), Int32(1), Int32(activation == .relu ? 1 : 0),
      y.gpu.buffer(order))
    return y
  }

  /// The orders in which two operands and their result are read and written, and their extents.
  private struct Alignment {
    /// The shape of the result and the strides of the operands, as they lie in memory.
    let shape, aStrides, bStrides: [Int]
    let a, b, result: ElementOrder
    /// Whether each operand has all elements or one.
    var isFlat: Bool { shape.count == 1 }

    /// The extents with the strides of the result, a and b.
    var extents: StridedExtents {
      StridedExtents(shape: shape, [StridedExtents.rowMajor(shape), aStrides, bStrides])
    }
  }

  private func align(_ a: Tensor, _ b: Tensor, shape: [Int]) -> Alignment {
    let count = shape.reduce(1, *)
    if [a, b].allSatisfy({ $0.count == count || $0.count == 1 }) {
      // Elements are paired as they are in memory. If one operand has its channels last so does the
      // result, and no more than one is converted.
      let (aOrder, bOrder) = (a.gpu.order, b.gpu.order)
      let order = a.count == count && aOrder != .rowMajor || b.count != count ? aOrder : bOrder
      return Alignment(
        shape: [count], aStrides: [a.count == 1 ? 0 : 1], bStrides: [b.count == 1 ? 0 : 1],
        a: a.count == 1 ? .rowMajor : order, b: b.count == 1 ? .rowMajor : order,
        result: count == 1 ? .rowMajor : order)
    }
    let areImages =
      a.rank == 4 && b.rank == 4 && (a.hasChannelsLastOnGPU || b.hasChannelsLastOnGPU)
    return Alignment(
      shape: areImages ? channelsLast(shape) : shape,
      aStrides: broadcastStrides(a.shape, shape.count, areImages),
      bStrides: broadcastStrides(b.shape, shape.count, areImages),
      a: areImages ? a.channelsLast : .rowMajor, b: areImages ? b.channelsLast : .rowMajor,
      result: areImages ? .channels(shape[0], shape[1], shape[2] * shape[3]) : .rowMajor)
  }

  private func channelsLast(_ shape: [Int]) -> [Int] { [shape[0], shape[2], shape[3], shape[1]] }

  /// The distance in memory between an operand's neighbours along each dimension of the result; 0
  /// where the operand is repeated.
  private func broadcastStrides(_ shape: [Int], _ rank: Int, _ areImages: Bool) -> [Int] {
    let padded = Array(repeating: 1, count: rank - shape.count) + shape
    let extents = areImages ? channelsLast(padded) : padded
    return zip(extents, StridedExtents.rowMajor(extents)).map { $0 == 1 ? 0 : $1 }
  }

  package func binary(
    _ operation: BinaryOperation, _ a: Tensor, _ b: Tensor, shape: [Int]
  ) -> Tensor {
    let alignment = align(a, b, shape: shape)
    let y = uninitialized(shape, order: alignment.result)
    let (left, right) = (a.gpu.buffer(alignment.a), b.gpu.buffer(alignment.b))
    let target = y.gpu.buffer(alignment.result)
    if alignment.isFlat {
      runByFours(
        "binary", in: arithmetic, count: y.count, operation.number, left,
        Int32(alignment.aStrides[0]), right, Int32(alignment.bStrides[0]), Int32(0), target)
    } else {
      run(
        "binary_strided", in: arithmetic, over: alignment.extents, [1, 2],
        [operation.number, left, right, target])
    }
    return y
  }

  package func binaryGradient(
    _ operation: BinaryOperation, of operand: Operand, dy: Tensor, _ a: Tensor, _ b: Tensor
  ) -> Tensor {
    let alignment = align(a, b, shape: dy.shape)
    let order = operand == .left ? alignment.a : alignment.b
    let d = uninitialized(operand == .left ? a.shape : b.shape, order: order)
    let strides = operand == .left ? alignment.aStrides : alignment.bStrides
    let repeated = alignment.shape.indices.filter { alignment.shape[$0] != 1 && strides[$0] == 0 }
    let target = d.gpu.buffer(order)
    let whole = repeated.isEmpty ? target : scratch(dy.count)
    let (left, right) = (a.gpu.buffer(alignment.a), b.gpu.buffer(alignment.b))
    let (isRight, gradient) = (operand.number, dy.gpu.buffer(alignment.result))
    if alignment.isFlat {
      runByFours(
        "binary_gradient", in: arithmetic, count: dy.count, operation.number, isRight, gradient,
        left, Int32(alignment.aStrides[0]), right, Int32(alignment.bStrides[0]), whole)
    } else {
      run(
        "binary_gradient_strided", in: arithmetic, over: alignment.extents, [1, 2],
        [operation.number, isRight, gradient, left, right, whole])
    }
    if !repeated.isEmpty { sum(whole, shape: alignment.shape, axes: repeated, into: target) }
    return d
  }

  package func sum(_ x: Tensor, to shape: [Int]) -> Tensor {
    guard x.shape != shape else { return x }
    let areImages = x.rank == 4 && shape.count == 4 && x.hasChannelsLastOnGPU
    let strides = broadcastStrides(shape, x.rank, areImages)
    let y = areImages ? uninitializedImages(shape) : uninitialized(shape)
    let extents = areImages ? channelsLast(x.shape) : x.shape
    sum(
      areImages ? pixels(x) : rows(x), shape: extents,
      axes: extents.indices.filter { extents[$0] != 1 && strides[$0] == 0 },
      into: y.gpu.buffer(y.gpu.order))
    return y
  }

  // MARK: Selection

  package func select(
    _ condition: Tensor, _ a: Tensor, _ b: Tensor, shape: [Int]
  ) -> Tensor {
    let y = uninitialized(shape)
    let strides = [condition, a, b].map { broadcastStrides($0.shape, shape.count, false) }
    run(
      "choose", in: arithmetic,
      over: StridedExtents(shape: shape, [StridedExtents.rowMajor(shape)] + strides), [1, 2, 3],
      [rows(condition), rows(a), rows(b), rows(y)])
    return y
  }

  package func selectGradient(
    of operand: Operand, _ condition: Tensor, dy: Tensor, shape: [Int]
  ) -> Tensor {
    let d = uninitialized(shape)
    let strides = broadcastStrides(shape, dy.rank, false)
    let repeated = dy.shape.indices.filter { dy.shape[$0] != 1 && strides[$0] == 0 }
    let whole = repeated.isEmpty ? rows(d) : scratch(dy.count)
    let extents = StridedExtents(
      shape: dy.shape,
      [
        StridedExtents.rowMajor(dy.shape), broadcastStrides(condition.shape, dy.rank, false),
      ])
    run(
      "choose_gradient", in: arithmetic, over: extents, [1], offsets: [0, 0],
      [operand.number, rows(condition), rows(dy), whole])
    if !repeated.isEmpty { sum(whole, shape: dy.shape, axes: repeated, into: rows(d)) }
    return d
  }
}

extension UnaryOperation {
  /// The kernel's number of the operation.
  fileprivate var number: Int32 {
    switch self {
    case .negate: 0
    case .absolute: 1
    case .exp: 2
    case .log: 3
    case .sqrt: 4
    case .sigmoid: 5
    case .tanh: 6
    case .gelu: 7
    case .silu: 8
    case .relu: 9
    }
  }
}

extension BinaryOperation {
  /// The kernel's number of the operation.
  fileprivate var number: Int32 {
    switch self {
    case .add: 0
    case .subtract: 1
    case .multiply: 2
    case .divide: 3
    case .minimum: 4
    case .maximum: 5
    case .equal: 6
    case .notEqual: 7
    case .less: 8
    case .lessOrEqual: 9
    case .greater: 10
    case .greaterOrEqual: 11
    }
  }
}

extension Operand {
  fileprivate var number: Int32 { self == .right ? 1 : 0 }
}
