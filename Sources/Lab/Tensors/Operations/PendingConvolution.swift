import Kernels

/// A convolution that is computed when somebody asks for its pixels.
///
/// That lets what follows it be computed along with it, while its pixels are at hand: a rectifier,
/// then pooling, then dropout. Each of those operations looks whether its input is a pending
/// convolution that it can be fused with; the image between them then never exists.
final class PendingConvolution: Recipe {
  private let x, weight: Tensor
  private let bias: Tensor?
  private let extents: ConvolutionExtents
  private let epilogue: ConvolutionEpilogue
  /// Where each pooled pixel came from.
  private var codes: Numbers<UInt8>?
  /// The result's tape and its place there.
  private weak var tape: Tape?
  private var place: Int?

  init(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ extents: ConvolutionExtents,
    _ epilogue: ConvolutionEpilogue = ConvolutionEpilogue()
  ) {
    (self.x, self.weight, self.bias) = (x, weight, bias)
    (self.extents, self.epilogue) = (extents, epilogue)
  }

  var inputs: [Storage] { ([x, weight] + (bias.map { [$0] } ?? [])).map(\.storage) }

  /// The tensor of the pixels, on the tape of what they are computed from.
  func result() -> Tensor {
    let (h, w) = (extents.outputH, extents.outputW)
    let shape =
      epilogue.pool2x2
      ? [extents.n, extents.k, h / 2, w / 2] : [extents.n, extents.k, h, w]
    let storage = Storage(shape: shape, layout: .channelsLast, recipe: self)
    let y = Tensor(shape: shape, storage: storage)
    let recorded = y.recorded(from: [x, weight] + (bias.map { [$0] } ?? [])) { [self] dy in
      pullBack(dy, y)
    }
    (tape, place) = (recorded.tape, recorded.node?.index)
    return recorded
  }

  // MARK: Fusing

  /// This convolution with pooling behind it, if the two can be computed together.
  func withPooling(size: Int, stride: Int) -> PendingConvolution? {
    guard isWinograd, size == 2, stride == 2, !epilogue.pool2x2 else { return nil }
    return fused { $0.pool2x2 = true }
  }

  /// This convolution with dropout behind it, if the two can be computed together.
  func withDropout(_ rule: DropoutRule) -> PendingConvolution? {
    guard epilogue.pool2x2, epilogue.dropout == nil else { return nil }
    return fused { $0.dropout = rule }
  }

  private func fused(_ change: (inout ConvolutionEpilogue) -> Void) -> PendingConvolution {
    var epilogue = epilogue
    change(&epilogue)
    return PendingConvolution(x, weight, bias, extents, epilogue)
  }

  // MARK: Computing

  private var isWinograd: Bool { WinogradConvolution.isSupported(extents) }

  func write(to storage: Storage) {
    let y = storage.pointer(.channelsLast)
    guard isWinograd else {
      return DirectConvolution.forward(
        x: x.pointer(.channelsLast), weight: weight.pointer, bias: bias?.pointer,
        activation: epilogue.activation, y: y, extents)
    }
    if epilogue.pool2x2, tape != nil { codes = Numbers(count: storage.count) }
    WinogradConvolution.forward(
      x: front?.asInput ?? .images(x.pointer(.channelsLast)), weight: weight.pointer,
      transformed: transformedWeight, bias: bias?.pointer, y: y, codes: codes?.pointer, extents,
      epilogue: epilogue)
  }

  private func pullBack(_ dy: Tensor, _ y: Tensor) {
    let dWeight = weight.needsGradient ? Tensor(uninitialized: weight.shape) : nil
    let dBias = bias.flatMap { $0.needsGradient ? Tensor(uninitialized: $0.shape) : nil }
    // The pixels that the rectifier made 0; pooling has noted them in its codes.
    let rectified = epilogue.activation == .relu && !epilogue.pool2x2 ? y.pointer(.channelsLast) : nil
    if isWinograd, let front, !front.x.needsGradient {
      pullBack(dy, rectified, dWeight, dBias, through: front)
    } else {
      let dx = x.needsGradient ? Tensor(uninitialized: x.shape, layout: .channelsLast) : nil
      if isWinograd {
        WinogradConvolution.gradients(
          x: .images(x.pointer(.channelsLast)), weight: weight.pointer,
          transformed: transformedWeight, dy: dy.pointer(.channelsLast), y: rectified,
          codes: codes?.pointer,
          dx: dx.map { .images($0.pointer(.channelsLast)) }, dWeight: dWeight?.pointer,
          dBias: dBias?.pointer, extents, epilogue: epilogue)
      } else {
        DirectConvolution.gradients(
          x: x.pointer(.channelsLast), weight: weight.pointer, dy: dy.pointer(.channelsLast),
          y: rectified, dx: dx?.pointer(.channelsLast), dWeight: dWeight?.pointer,
          dBias: dBias?.pointer, extents)
      }
      if let dx { x.receive(dx) }
    }
    if let dWeight { weight.receive(dWeight) }
    if let dBias { bias?.receive(dBias) }
  }

  /// The weight as Winograd's way wants it: the same from one call to the next, and on the way back.
  private var transformedWeight: WinogradWeights {
    if let kept = weight.storage.derived as? WinogradWeights, kept.isCurrent { return kept }
    let made = WinogradWeights(weight.pointer, extents)
    weight.storage.derived = made
    return made
  }

  // MARK: The convolution in front

  /// The convolution that x is the result of, if its pixels can be computed along with these and
  /// nobody has asked for them yet.
  private var front: PendingConvolution? {
    guard let front = x.pendingConvolution, !front.isWinograd, !front.epilogue.pool2x2,
      DirectConvolution.canBeInFront(front.extents), front.tape === x.tape,
      front.place == x.node?.index
    else { return nil }
    return front
  }

  private var asInput: ConvolutionInput {
    .front(
      x: x.pointer(.channelsLast), weight: weight.pointer, bias: bias?.pointer,
      activation: epilogue.activation, extents)
  }

  /// The gradients of this convolution and, as far as it depends on this one, of the one in front:
  /// what else depends on that one adds its part when its turn comes.
  private func pullBack(
    _ dy: Tensor, _ rectified: UnsafePointer<Float>?, _ dWeight: Tensor?, _ dBias: Tensor?,
    through front: PendingConvolution
  ) {
    let (weight1, bias1) = (front.weight, front.bias)
    let dWeight1 = weight1.needsGradient ? Tensor(uninitialized: weight1.shape) : nil
    let dBias1 = bias1.flatMap { $0.needsGradient ? Tensor(uninitialized: $0.shape) : nil }
    WinogradConvolution.gradients(
      x: front.asInput, weight: weight.pointer, transformed: transformedWeight,
      dy: dy.pointer(.channelsLast), y: rectified,
      codes: codes?.pointer,
      dx: dWeight1 == nil && dBias1 == nil
        ? nil : .front(dWeight: dWeight1?.pointer, dBias: dBias1?.pointer),
      dWeight: dWeight?.pointer, dBias: dBias?.pointer, extents, epilogue: epilogue)
    if let dWeight1 { weight1.receive(dWeight1) }
    if let dBias1 { bias1?.receive(dBias1) }
  }
}

extension PendingConvolution: Rectifiable {
  func rectified() -> Tensor? {
    guard !epilogue.pool2x2 else { return nil }
    return fused { $0.activation = .relu }.result()
  }
}

extension Tensor {
  /// The convolution whose pixels this tensor will be, while nobody has asked for them.
  var pendingConvolution: PendingConvolution? { storage.recipe as? PendingConvolution }
}
