import Kernels

/// Computes on the processor with the kernels of the module `Kernels`.
///
/// Convolutions, normalization and pooling work on images with their channels last. Elementwise
/// operations take the order in which their input is in memory.
package final class CPUBackend: Backend {
  package static let shared = CPUBackend()
  package let name = "cpu"

  private init() {}

  // MARK: Memory

  package func memory(of elements: [Float], shape: [Int]) -> any DeviceMemory {
    let memory = HostMemory(count: elements.count)
    memory.pointer(.rowMajor).update(from: elements, count: elements.count)
    return memory
  }

  package func memory(repeating value: Float, shape: [Int]) -> any DeviceMemory {
    let memory = HostMemory(count: shape.reduce(1, *))
    memory.pointer(.rowMajor).update(repeating: value, count: memory.count)
    return memory
  }

  package func copy(of memory: any DeviceMemory) -> any DeviceMemory {
    HostMemory(copying: host(memory))
  }

  package func elements(of memory: any DeviceMemory) -> [Float] {
    let memory = host(memory)
    return withExtendedLifetime(memory) {
      Array(UnsafeBufferPointer(start: memory.pointer(.rowMajor), count: memory.count))
    }
  }

  private func host(_ memory: any DeviceMemory) -> HostMemory {
    guard let memory = memory as? HostMemory else {
      preconditionFailure("the memory of another device is given to the processor")
    }
    return memory
  }

  // MARK: Elementwise

  package func add(_ a: Tensor, _ b: Tensor, _ activation: Activation) -> Tensor {
    // If one of them has its channels last so does the sum, and no more than one is converted.
    let order = a.order == .rowMajor ? b.order : a.order
    let y = Tensor(uninitialized: a.shape, order: order)
    Kernels.add(
      a.host.pointer(order), b.host.pointer(order), activation: activation,
      y: y.host.pointer(order), count: a.count)
    return y
  }

  package func sum(_ x: Tensor, to shape: [Int]) -> Tensor {
    guard x.shape != shape else { return x }
    let areImages = x.rank == 4 && shape.count == 4 && hasChannelsLast(x)
    let strides = broadcastStrides(shape, x.rank, areImages)
    guard areImages else {
      let y = Tensor(uninitialized: shape)
      sumRepeated(x.pointer, shape: x.shape, into: y.pointer, strides: strides)
      return y
    }
    let y = Tensor(uninitializedImages: shape)
    sumRepeated(x.pixels, shape: channelsLast(x.shape), into: y.pixels, strides: strides)
    return y
  }

  func hasChannelsLast(_ x: Tensor) -> Bool {
    x.rank == 4 && x.channelsLast != .rowMajor && x.order == x.channelsLast
  }

  func channelsLast(_ shape: [Int]) -> [Int] { [shape[0], shape[2], shape[3], shape[1]] }

  /// The distance in memory between an operand's neighbours along each dimension of the result; 0
  /// where the operand is repeated.
  func broadcastStrides(
    _ shape: [Int], _ rank: Int, _ areImages: Bool
  ) -> [Int] {
    let padded = Array(repeating: 1, count: rank - shape.count) + shape
    var strides: [Int] = []
    var step = 1
    for extent in (areImages ? channelsLast(padded) : padded).reversed() {
      strides.append(extent == 1 ? 0 : step)
      step *= extent
    }
    return strides.reversed()
  }

  package func activation(_ activation: Activation, _ x: Tensor) -> Tensor {
    guard activation == .relu else { return x }
    let order = x.order
    let y = Tensor(uninitialized: x.shape, order: order)
    relu(x: x.host.pointer(order), y: y.host.pointer(order), count: x.count)
    return y
  }

  package func activationGradient(_ activation: Activation, y: Tensor, dy: Tensor) -> Tensor {
    guard activation == .relu else { return dy }
    let order = y.order
    let dx = Tensor(uninitialized: y.shape, order: order)
    reluGradient(
      dy: dy.host.pointer(order), y: y.host.pointer(order), dx: dx.host.pointer(order),
      count: y.count)
    return dx
  }

  package func dropout(_ x: Tensor, _ rule: DropoutRule) -> Tensor {
    let order = x.order
    let y = Tensor(uninitialized: x.shape, order: order)
    switch order {
    case .rowMajor:
      Kernels.dropout(x: x.pointer, y: y.pointer, count: x.count, rule)
    case .channelsLast(let n, let c, let pixels):
      // Which elements are dropped does not depend on their order in memory.
      dropoutChannelsLast(
        x: x.host.pointer(order), y: y.host.pointer(order), n: n, pixels: pixels, channels: c, rule)
    }
    return y
  }

  // MARK: Reductions

  package func argmax(_ x: Tensor) -> [Int] {
    let columns = x.shape.last ?? 1
    let rows = x.shape.dropLast().reduce(1, *)
    return [Int](unsafeUninitializedCapacity: rows) { indices, count in
      if let first = indices.baseAddress, columns > 0 {
        argmaxOfRows(x.pointer, into: first, rows: rows, columns: columns)
      } else {
        indices.initialize(repeating: 0)
      }
      count = rows
    }
  }

  package func countCorrect(_ logits: Tensor, labels: [Int]) -> Tensor {
    Tensor(scalar: Float(zip(argmax(logits), labels).count { $0 == $1 }))
  }

  // MARK: Fully connected

  package func linear(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let y = Tensor(uninitialized: [x.shape[0], outputs])
    let orders = linearOrders(x, weight)
    // The optimizer then changes the weight in this order too, and nothing is converted any more.
    weight.host.prefer(orders.weight)
    Kernels.linear(
      x: x.host.pointer(orders.x), weight: weight.host.pointer(orders.weight), bias: bias?.pointer,
      y: y.pointer, n: x.shape[0], inputs: inputs, outputs: outputs)
    return y
  }

  package func linearInputGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor {
    let orders = linearOrders(x, weight)
    let dx = Tensor(uninitialized: x.shape, order: orders.x)
    Kernels.linearInputGradient(
      dy: dy.pointer, weight: weight.host.pointer(orders.weight), dx: dx.host.pointer(orders.x),
      n: x.shape[0], inputs: weight.shape[1], outputs: weight.shape[0])
    return dx
  }

  package func linearWeightGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor {
    let orders = linearOrders(x, weight)
    let dWeight = Tensor(uninitialized: weight.shape, order: orders.weight)
    Kernels.linearWeightGradient(
      dy: dy.pointer, x: x.host.pointer(orders.x), dWeight: dWeight.host.pointer(orders.weight),
      n: x.shape[0], inputs: weight.shape[1], outputs: weight.shape[0])
    return dWeight
  }

  /// The orders of a linear layer's input and weight. The features of flattened images are taken as
  /// they lie in memory, with the channels last; the weight then has its columns in that order too.
  private func linearOrders(
    _ x: Tensor, _ weight: Tensor
  ) -> (x: ElementOrder, weight: ElementOrder) {
    guard case .channelsLast(let n, let c, let pixels) = x.order, n == x.shape[0] else {
      return (.rowMajor, .rowMajor)
    }
    return (x.order, .channels(weight.shape[0], c, pixels))
  }

  package func sumRows(_ x: Tensor) -> Tensor {
    let y = Tensor(uninitialized: [x.shape[1]])
    Kernels.sumRows(x.pointer, rows: x.shape[0], columns: x.shape[1], into: y.pointer)
    return y
  }

  // MARK: Long short-term memory

  /// The gates and the cells of all steps.
  private final class SavedStates {
    let gates, cells: Buffer
    var states: LSTMStates { LSTMStates(gates: gates.pointer, cells: cells.pointer) }

    init(_ e: LSTMExtents) {
      (gates, cells) = (Buffer(count: e.gateCount), Buffer(count: e.cellCount))
    }
  }

  private func extents(_ x: Tensor, _ directions: [LSTMDirection]) -> LSTMExtents {
    LSTMExtents(
      steps: x.shape[0], items: x.shape[1], inputs: x.shape[2],
      hidden: directions[0].weightHH.shape[1], isReversed: directions.map(\.isReversed))
  }

  private func weights(_ direction: LSTMDirection) -> LSTMWeights<UnsafePointer<Float>> {
    LSTMWeights(
      ih: UnsafePointer(direction.weightIH.pointer), hh: UnsafePointer(direction.weightHH.pointer),
      biases: [direction.biasIH, direction.biasHH].map { UnsafePointer($0.pointer) })
  }

  package func lstm(
    _ x: Tensor, _ directions: [LSTMDirection], saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) {
    let e = extents(x, directions)
    let y = Tensor(uninitialized: [e.steps, e.items, e.width])
    let saved = saves ? SavedStates(e) : nil
    LSTMLayer.forward(
      x: x.pointer, directions.map(weights), y: y.pointer, states: saved?.states, e)
    return (y, saved)
  }

  package func lstmGradients(
    _ x: Tensor, _ directions: [LSTMDirection], y: Tensor, dy: Tensor, saved: AnyObject?,
    wantsInput: Bool
  ) -> (dx: Tensor?, directions: [LSTMGradients]) {
    guard let saved = saved as? SavedStates else {
      preconditionFailure("lstmGradients expects what lstm saved")
    }
    let dx = wantsInput ? Tensor(uninitialized: x.shape) : nil
    let gradients = directions.map { direction in
      LSTMGradients(
        weightIH: Tensor(uninitialized: direction.weightIH.shape),
        weightHH: Tensor(uninitialized: direction.weightHH.shape),
        bias: Tensor(uninitialized: direction.biasIH.shape))
    }
    LSTMLayer.gradients(
      x: x.pointer, directions.map(weights), y: y.pointer, dy: dy.pointer, states: saved.states,
      dx: dx?.pointer,
      gradients.map {
        LSTMWeights(ih: $0.weightIH.pointer, hh: $0.weightHH.pointer, biases: [$0.bias.pointer])
      }, extents(x, directions))
    return (dx, gradients)
  }

  // MARK: Losses

  package func softmax(_ x: Tensor) -> Tensor {
    let y = Tensor(uninitialized: x.shape)
    let classes = x.shape.last ?? 1
    guard x.count > 0 else { return y }
    Kernels.softmax(x: x.pointer, y: y.pointer, rows: x.count / classes, classes: classes)
    return y
  }

  package func softmaxGradient(dy: Tensor, y: Tensor) -> Tensor {
    let dx = Tensor(uninitialized: y.shape)
    let classes = y.shape.last ?? 1
    guard y.count > 0 else { return dx }
    Kernels.softmaxGradient(
      dy: dy.pointer, y: y.pointer, dx: dx.pointer, rows: y.count / classes, classes: classes)
    return dx
  }

  package func logSoftmax(_ x: Tensor) -> Tensor {
    let y = Tensor(uninitialized: x.shape)
    let classes = x.shape.last ?? 1
    guard x.count > 0 else { return y }
    Kernels.logSoftmax(x: x.pointer, y: y.pointer, rows: x.count / classes, classes: classes)
    return y
  }

  package func logSoftmaxGradient(dy: Tensor, y: Tensor) -> Tensor {
    let dx = Tensor(uninitialized: y.shape)
    let classes = y.shape.last ?? 1
    guard y.count > 0 else { return dx }
    Kernels.logSoftmaxGradient(
      dy: dy.pointer, y: y.pointer, dx: dx.pointer, rows: y.count / classes, classes: classes)
    return dx
  }

  package func crossEntropy(
    _ logits: Tensor, labels: [Int], labelSmoothing: Double
  ) -> (loss: Tensor, saved: Tensor) {
    let probabilities = Tensor(uninitialized: logits.shape)
    let loss = Kernels.crossEntropy(
      x: logits.pointer, labels: labels, probabilities: probabilities.pointer,
      classes: logits.shape[1], labelSmoothing: labelSmoothing)
    return (Tensor(scalar: loss), probabilities)
  }

  package func crossEntropyGradient(
    dy: Tensor, saved: Tensor, labels: [Int], labelSmoothing: Double
  ) -> Tensor {
    let dx = Tensor(uninitialized: saved.shape)
    Kernels.crossEntropyGradient(
      probabilities: saved.pointer, labels: labels, scale: dy.pointer[0], dx: dx.pointer,
      classes: saved.shape[1], labelSmoothing: labelSmoothing)
    return dx
  }

  package func nllLoss(_ x: Tensor, labels: [Int]) -> Tensor {
    Tensor(scalar: Kernels.nllLoss(x: x.pointer, labels: labels, classes: x.shape[1]))
  }

  package func nllLossGradient(dy: Tensor, shape: [Int], labels: [Int]) -> Tensor {
    let dx = Tensor(uninitialized: shape)
    Kernels.nllLossGradient(
      labels: labels, scale: dy.pointer[0], dx: dx.pointer, classes: shape[1])
    return dx
  }

  package func multiMarginLoss(_ x: Tensor, labels: [Int]) -> Tensor {
    Tensor(scalar: Kernels.multiMarginLoss(x: x.pointer, labels: labels, classes: x.shape[1]))
  }

  package func multiMarginLossGradient(dy: Tensor, _ x: Tensor, labels: [Int]) -> Tensor {
    let dx = Tensor(uninitialized: x.shape)
    Kernels.multiMarginLossGradient(
      x: x.pointer, labels: labels, scale: dy.pointer[0], dx: dx.pointer, classes: x.shape[1])
    return dx
  }

  package func mseLoss(_ x: Tensor, target: Tensor) -> Tensor {
    Tensor(scalar: Kernels.mseLoss(x: x.pointer, target: target.pointer, count: x.count))
  }

  package func mseLossGradient(dy: Tensor, _ x: Tensor, target: Tensor) -> Tensor {
    let dx = Tensor(uninitialized: x.shape)
    Kernels.mseLossGradient(
      x: x.pointer, target: target.pointer, scale: dy.pointer[0], dx: dx.pointer, count: x.count)
    return dx
  }

  package func binaryCrossEntropyWithLogits(_ x: Tensor, target: Tensor) -> Tensor {
    Tensor(
      scalar: Kernels.binaryCrossEntropyWithLogits(
        x: x.pointer, target: target.pointer, count: x.count))
  }

  package func binaryCrossEntropyWithLogitsGradients(
    dy: Tensor, _ x: Tensor, target: Tensor
  ) -> (dx: Tensor, dTarget: Tensor) {
    let (dx, dTarget) = (Tensor(uninitialized: x.shape), Tensor(uninitialized: x.shape))
    Kernels.binaryCrossEntropyWithLogitsGradients(
      x: x.pointer, target: target.pointer, scale: dy.pointer[0], dx: dx.pointer,
      dTarget: dTarget.pointer, count: x.count)
    return (dx, dTarget)
  }

  package func ctcLoss(
    _ x: Tensor, _ batch: CTCBatch, wantsGradient: Bool
  ) -> (losses: Tensor, gradients: Tensor?) {
    let losses = Tensor(uninitialized: [batch.items])
    let gradients = wantsGradient ? Tensor(uninitialized: x.shape) : nil
    ctcLosses(x: x.pointer, batch, losses: losses.pointer, gradients: gradients?.pointer)
    return (losses, gradients)
  }

  // MARK: Optimizers

  package func adamStep(
    _ value: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor, _ step: AdamStep
  ) {
    let order = value.order
    Kernels.adamStep(
      value: value.host.mutablePointer(order), gradient: gradient.host.pointer(order),
      moment1: moment1.host.mutablePointer(order), moment2: moment2.host.mutablePointer(order),
      count: value.count, step: step.step, learningRate: step.learningRate, beta1: step.beta1,
      beta2: step.beta2, epsilon: step.epsilon, weightDecay: step.weightDecay,
      isDecoupled: step.isDecoupled)
  }

  package func gradientDescentStep(
    _ value: Tensor, gradient: Tensor, velocity: Tensor?, _ step: GradientDescentStep
  ) {
    let order = value.order
    Kernels.gradientDescentStep(
      value: value.host.mutablePointer(order), gradient: gradient.host.pointer(order),
      velocity: velocity?.host.mutablePointer(order), count: value.count,
      learningRate: step.learningRate, momentum: step.momentum, weightDecay: step.weightDecay,
      nesterov: step.nesterov)
  }
}
