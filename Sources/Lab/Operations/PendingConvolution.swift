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
    return y.recorded(from: [x, weight] + (bias.map { [$0] } ?? [])) { [self] dy in
      pullBack(dy, y)
    }
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
    let (x, y) = (x.pointer(.channelsLast), storage.pointer(.channelsLast))
    guard isWinograd else {
      return DirectConvolution.forward(
        x: x, weight: weight.pointer, bias: bias?.pointer, relu: epilogue.relu, y: y, extents)
    }
    if epilogue.pool2x2 { codes = Numbers(count: storage.count) }
    WinogradConvolution.forward(
      x: x, weight: weight.pointer, bias: bias?.pointer, y: y, codes: codes?.pointer, extents,
      epilogue: epilogue)
  }

  private func pullBack(_ dy: Tensor, _ y: Tensor) {
    let dx = x.needsGradient ? Tensor(uninitialized: x.shape, layout: .channelsLast) : nil
    let dWeight = weight.needsGradient ? Tensor(uninitialized: weight.shape) : nil
    let dBias = bias.flatMap { $0.needsGradient ? Tensor(uninitialized: $0.shape) : nil }
    // The pixels that the rectifier made 0; pooling has noted them in its codes.
    let rectified = epilogue.relu && !epilogue.pool2x2 ? y.pointer(.channelsLast) : nil
    if isWinograd {
      WinogradConvolution.gradients(
        x: x.pointer(.channelsLast), weight: weight.pointer, dy: dy.pointer(.channelsLast),
        y: rectified, codes: codes?.pointer, dx: dx?.pointer(.channelsLast),
        dWeight: dWeight?.pointer, dBias: dBias?.pointer, extents, epilogue: epilogue)
    } else {
      DirectConvolution.gradients(
        x: x.pointer(.channelsLast), weight: weight.pointer, dy: dy.pointer(.channelsLast),
        y: rectified, dx: dx?.pointer(.channelsLast), dWeight: dWeight?.pointer,
        dBias: dBias?.pointer, extents)
    }
    if let dx { x.receive(dx) }
    if let dWeight { weight.receive(dWeight) }
    if let dBias { bias?.receive(dBias) }
  }
}

extension PendingConvolution: Rectifiable {
  func rectified() -> Tensor? {
    guard !epilogue.pool2x2 else { return nil }
    return fused { $0.relu = true }.result()
  }
}

extension Tensor {
  /// The convolution whose pixels this tensor will be, while nobody has asked for them.
  var pendingConvolution: PendingConvolution? { storage.recipe as? PendingConvolution }
}
