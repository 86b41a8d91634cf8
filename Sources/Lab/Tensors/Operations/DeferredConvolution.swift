import Kernels

/// A convolution that has been put off, so that what follows can be computed with it while its pixels
/// are in the caches: an activation, then pooling, then dropout. The images between them then never
/// exist.
///
/// Each of those operations asks whether its input is a deferred convolution that it can be fused
/// with. What can be fused is for the backend to say.
final class DeferredConvolution: DeferredOperation, @unchecked Sendable {
  // Sendable because `compute` is called once, by the storage that holds its lock meanwhile.
  private let x, weight: Tensor
  private let bias: Tensor?
  private let extents: ConvolutionExtents
  private let epilogue: ConvolutionEpilogue
  private let backend: any Backend
  /// What the backend wants back for the gradients.
  private var saved: AnyObject?
  /// The result on its tape.
  private weak var node: Tape.Node?
  private(set) var label: OperationLabel?

  /// - Parameters:
  ///   - x: The images. They have been computed, or will be by a convolution that can be fused with
  ///     this one.
  ///   - weight: The weight.
  ///   - bias: The bias, or nil.
  ///   - extents: The extents of the three.
  ///   - epilogue: What follows the convolution.
  ///   - backend: What they are computed with.
  init(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ extents: ConvolutionExtents,
    _ epilogue: ConvolutionEpilogue = ConvolutionEpilogue(), on backend: any Backend
  ) {
    (self.x, self.weight, self.bias) = (x, weight, bias)
    (self.extents, self.epilogue, self.backend) = (extents, epilogue, backend)
  }

  /// The result on the tape of what it is computed from.
  var result: Tensor {
    let (h, w) = (extents.outputH, extents.outputW)
    let shape =
      epilogue.pool2x2
      ? [extents.n, extents.k, h / 2, w / 2] : [extents.n, extents.k, h, w]
    let storage = Storage(count: shape.reduce(1, *), deferred: self, on: backend)
    let y = Tensor(shape: shape, storage: storage)
    let inputs = [x, weight] + (bias.map { [$0] } ?? [])
    if let observer = OperationObservation.observer, epilogue == ConvolutionEpilogue() {
      label = observer.called("conv2d", inputs, y, .deferred)
      if let front = front?.label { label = label?.behind(front) }
    }
    let recorded = y.recorded(from: inputs, label) { [self] dy in
      // The gradients of a convolution that nothing follows do not depend on its result.
      pullBack(dy, epilogue == ConvolutionEpilogue() ? y : y.materialize())
    }
    node = recorded.node
    return recorded
  }

  // MARK: Fusing

  func fused(with activation: Activation) -> Tensor? {
    guard epilogue.activation == .none, !epilogue.pool2x2, epilogue.dropout == nil else {
      return nil
    }
    return fused { $0.activation = activation }
  }

  /// The result of this convolution with pooling behind it, if the two can be fused.
  func withPooling(size: Int, stride: Int) -> Tensor? {
    guard size == 2, stride == 2, !epilogue.pool2x2 else { return nil }
    return fused { $0.pool2x2 = true }
  }

  /// The result of this convolution with dropout behind it, if the two can be fused.
  func withDropout(_ rule: DropoutRule) -> Tensor? {
    guard epilogue.dropout == nil else { return nil }
    return fused { $0.dropout = rule }
  }

  private func fused(_ change: (inout ConvolutionEpilogue) -> Void) -> Tensor? {
    var epilogue = epilogue
    change(&epilogue)
    guard backend.canFuse(epilogue, after: extents) else { return nil }
    let fused = DeferredConvolution(x, weight, bias, extents, epilogue, on: backend)
    fused.label = label
    return fused.result
  }

  // MARK: Computing

  func compute() -> Tensor {
    let (y, saved) = backend.convolution(
      operand, weight: weight.detached, bias: bias?.detached, extents, epilogue, saves: node != nil)
    self.saved = saved
    return y
  }

  private func pullBack(_ dy: Tensor, _ y: Tensor) {
    let front = front.flatMap { $0.x.needsGradient ? nil : $0 }
    if front == nil { x.materialize() }
    let targets: [(ConvolutionGradient, Tensor?)] = [
      (.weight, weight), (.bias, bias), (.input, front == nil ? x : nil),
      (.frontWeight, front?.weight), (.frontBias, front?.bias),
    ]
    let wanted = targets.filter { $0.1?.needsGradient == true }
    let gradients = backend.convolutionGradients(
      front?.asOperand ?? .images(x.detached), weight: weight.detached, dy: dy, y: y, saved: saved,
      extents, epilogue, wanted: Set(wanted.map(\.0)))
    // In this order gradients are added up where a tensor is used twice.
    for key: ConvolutionGradient in [.input, .frontWeight, .frontBias, .weight, .bias] {
      guard let gradient = gradients[key] else { continue }
      wanted.first { $0.0 == key }?.1?.receive(gradient)
    }
  }

  // MARK: The convolution in front

  /// What this convolution is applied to.
  private var operand: ConvolutionOperand {
    if let front { return front.asOperand }
    return .images(x.detached.materialize())
  }

  /// This convolution as the operand of another one that it is computed with.
  private var asOperand: ConvolutionOperand {
    .convolution(x.detached, weight: weight.detached, bias: bias?.detached, epilogue, extents)
  }

  /// The convolution that x is the result of, if it has not been computed and can be computed with
  /// this one.
  private var front: DeferredConvolution? {
    guard let front = Self.front(of: x, for: extents), front.node === x.node else { return nil }
    return front
  }

  /// The convolution that gives `x`, if it has not been computed and can be computed with one of the
  /// given extents.
  static func front(of x: Tensor, for extents: ConvolutionExtents) -> DeferredConvolution? {
    guard let front = x.storage.deferred as? DeferredConvolution,
      front.backend.canFuse(front.extents, front.epilogue, inFrontOf: extents)
    else { return nil }
    return front
  }
}
