import Kernels
import OpenCLKernels

extension OpenCLBackend {
  // MARK: Fully connected

  package func linear(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let y = uninitialized([x.shape[0], outputs])
    let orders = linearOrders(x, weight)
    // The optimizer then changes the weight in this order too, and nothing is converted any more.
    weight.gpu.prefer(orders.weight)
    forward(
      x.gpu.buffer(orders.x), weight: weight.gpu.buffer(orders.weight), bias: bias.map(rows),
      into: rows(y), codes: nil, product(rows: x.shape[0], inputs: inputs, outputs: outputs),
      ConvolutionEpilogue())
    return y
  }

  package func linearInputGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor {
    let orders = linearOrders(x, weight)
    let dx = uninitialized(x.shape, order: orders.x)
    inputGradient(
      ResultGradient(dy: rows(dy)), weight: weight.gpu.buffer(orders.weight),
      into: dx.gpu.buffer(orders.x),
      product(rows: x.shape[0], inputs: weight.shape[1], outputs: weight.shape[0]),
      ConvolutionEpilogue())
    return dx
  }

  package func linearWeightGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor {
    linearParameterGradients(dy: dy, x: x, weight: weight, bias: nil)
  }

  package func linearParameterGradients(
    dy: Tensor, x: Tensor, weight: Tensor
  ) -> (weight: Tensor, bias: Tensor) {
    let bias = uninitialized([weight.shape[0]])
    return (linearParameterGradients(dy: dy, x: x, weight: weight, bias: bias), bias)
  }

  private func linearParameterGradients(
    dy: Tensor, x: Tensor, weight: Tensor, bias: Tensor?
  ) -> Tensor {
    let orders = linearOrders(x, weight)
    let dWeight = uninitialized(weight.shape, order: orders.weight)
    weightGradient(
      x.gpu.buffer(orders.x), ResultGradient(dy: rows(dy)),
      into: dWeight.gpu.buffer(orders.weight), bias: bias.map(rows),
      product(rows: x.shape[0], inputs: weight.shape[1], outputs: weight.shape[0]),
      ConvolutionEpilogue())
    return dWeight
  }

  /// The orders of a linear layer's input and weight. The features of flattened images are taken as
  /// they lie in memory, with the channels last; the weight then has its columns in that order too.
  private func linearOrders(
    _ x: Tensor, _ weight: Tensor
  ) -> (x: ElementOrder, weight: ElementOrder) {
    guard case .channelsLast(let n, let c, let pixels) = x.gpu.order, n == x.shape[0] else {
      return (.rowMajor, .rowMajor)
    }
    return (x.gpu.order, .channels(weight.shape[0], c, pixels))
  }

  package func sumRows(_ x: Tensor) -> Tensor {
    let y = uninitialized([x.shape[1]])
    sumRows(rows(x), rows: x.shape[0], columns: x.shape[1], into: rows(y))
    return y
  }

  /// The sum of the rows of a matrix.
  func sumRows(_ x: DeviceBuffer, rows: Int, columns: Int, into y: DeviceBuffer) {
    let groups = (columns + 63) / 64
    let parts = ProductTile.parts(
      steps: rows, groups: groups, units: queue.device.computeUnits, least: 256)
    let sums = parts.count > 1 ? scratch(parts.count * columns) : y
    queue.run(
      "sum_rows", in: .sums, groups: (groups, parts.count, 1), threads: (256, 1, 1),
      [x, sums, Int32(clamping: rows), Int32(clamping: columns), Int32(clamping: parts.steps)])
    if parts.count > 1 { addParts(sums, into: y, count: columns, parts: parts.count) }
  }

  // MARK: Matrix products

  package func matrixProducts(
    _ a: MatrixBatch, _ b: MatrixBatch, m: Int, n: Int, k: Int
  ) -> Tensor {
    let y = uninitialized([a.offsets.count, m, n])
    guard !multiplyWhole(a, b, into: rows(y), m: m, n: n, k: k) else { return y }
    func arguments(_ batch: MatrixBatch) -> [any KernelArgument] {
      [
        rows(batch.tensor), integers(batch.offsets), Int32(clamping: batch.stride),
        Int32(batch.isTransposed ? 1 : 0),
      ]
    }
    queue.run(
      "batched_product", in: KernelSource(.batchedProduct),
      groups: ((n + 31) / 32, (m + 31) / 32, a.offsets.count), threads: (64, 1, 1),
      arguments(a) + arguments(b)
        + [rows(y), Int32(clamping: m), Int32(clamping: n), Int32(clamping: k)])
    return y
  }

  /// Multiplies two whole matrices as a linear layer or its gradients do, if they lie that way.
  private func multiplyWhole(
    _ a: MatrixBatch, _ b: MatrixBatch, into y: DeviceBuffer, m: Int, n: Int, k: Int
  ) -> Bool {
    guard a.offsets == [0], b.offsets == [0], m > 0, n > 0, k > 0,
      a.stride == (a.isTransposed ? m : k), b.stride == (b.isTransposed ? k : n)
    else { return false }
    let (left, right) = (rows(a.tensor), rows(b.tensor))
    switch (a.isTransposed, b.isTransposed) {
    case (false, true):
      forward(
        left, weight: right, bias: nil, into: y, codes: nil,
        product(rows: m, inputs: k, outputs: n), ConvolutionEpilogue())
    case (false, false):
      inputGradient(
        ResultGradient(dy: left), weight: right, into: y,
        product(rows: m, inputs: n, outputs: k), ConvolutionEpilogue())
    case (true, false):
      weightGradient(
        right, ResultGradient(dy: left), into: y, bias: nil,
        product(rows: k, inputs: n, outputs: m), ConvolutionEpilogue())
    case (true, true): return false
    }
    return true
  }

  /// A linear layer as a convolution of images of one pixel.
  private func product(rows: Int, inputs: Int, outputs: Int) -> ConvolutionExtents {
    ConvolutionExtents(
      n: rows, c: inputs, h: 1, w: 1, k: outputs, r: 1, s: 1, stride: 1, padding: 0)
  }
}
