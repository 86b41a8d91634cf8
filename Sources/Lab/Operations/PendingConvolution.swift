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
  private var codes: Codes?

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
    let storage = Storage(shape: shape, layout: layout, recipe: self)
    let y = Tensor(shape: shape, storage: storage)
    return y.recorded(from: [x, weight] + (bias.map { [$0] } ?? [])) { [self] dy in
      pullBack(dy, y)
    }
  }

  // MARK: Fusing

  /// This convolution with a rectifier behind it, if the two can be computed together.
  func withReLU() -> PendingConvolution? {
    guard !epilogue.pool2x2 else { return nil }
    return fused { $0.relu = true }
  }

  /// This convolution with pooling of 2×2 pixels behind it, if the two can be computed together.
  func withPooling(size: Int, stride: Int) -> PendingConvolution? {
    guard size == 2, stride == 2, !epilogue.pool2x2 else { return nil }
    return fused { $0.pool2x2 = true }
  }

  /// This convolution with dropout behind it, if the two can be computed together.
  func withDropout(_ rule: DropoutRule) -> PendingConvolution? {
    guard epilogue.pool2x2, epilogue.dropout == nil else { return nil }
    return fused { $0.dropout = rule }
  }

  private func fused(_ change: (inout ConvolutionEpilogue) -> Void) -> PendingConvolution? {
    guard WinogradConvolution.isSupported(extents) else { return nil }
    var epilogue = epilogue
    change(&epilogue)
    return PendingConvolution(x, weight, bias, extents, epilogue)
  }

  // MARK: Computing

  private var layout: Layout {
    WinogradConvolution.isSupported(extents) ? .channelsLast : .rowMajor
  }

  func write(to storage: Storage) {
    let y = storage.pointer(layout)
    switch layout {
    case .channelsLast:
      if epilogue.pool2x2 { codes = Codes(count: storage.count) }
      WinogradConvolution.forward(
        x: x.pointer(layout), weight: weight.pointer, bias: bias?.pointer, y: y,
        codes: codes?.pointer, extents, epilogue: epilogue)
    case .rowMajor:
      convolution(x: x.pointer, weight: weight.pointer, bias: bias?.pointer, y: y, extents)
    }
  }

  private func pullBack(_ dy: Tensor, _ y: Tensor) {
    let dx = x.needsGradient ? Tensor(uninitialized: x.shape, layout: layout) : nil
    let dWeight = weight.needsGradient ? Tensor(uninitialized: weight.shape) : nil
    let dBias = bias.flatMap { $0.needsGradient ? Tensor(uninitialized: $0.shape) : nil }
    switch layout {
    case .channelsLast:
      WinogradConvolution.gradients(
        x: x.pointer(layout), weight: weight.pointer, dy: dy.pointer(layout),
        y: epilogue.relu && !epilogue.pool2x2 ? y.pointer(layout) : nil, codes: codes?.pointer,
        dx: dx?.pointer(layout), dWeight: dWeight?.pointer, dBias: dBias?.pointer,
        extents, epilogue: epilogue)
    case .rowMajor:
      convolutionGradients(
        x: x.pointer, weight: weight.pointer, dy: dy.pointer,
        dx: dx?.pointer, dWeight: dWeight?.pointer, dBias: dBias?.pointer, extents)
    }
    if let dx { x.receive(dx) }
    if let dWeight { weight.receive(dWeight) }
    if let dBias { bias?.receive(dBias) }
  }
}

extension Tensor {
  /// The convolution whose pixels this tensor will be, while nobody has asked for them.
  var pendingConvolution: PendingConvolution? { storage.recipe as? PendingConvolution }
}

/// A byte for each pooled pixel, in memory that steps reuse.
private final class Codes {
  private let buffer: Buffer
  let pointer: UnsafeMutablePointer<UInt8>

  init(count: Int) {
    buffer = Buffer(count: (count + 3) / 4)
    pointer = UnsafeMutableRawPointer(buffer.pointer).assumingMemoryBound(to: UInt8.self)
  }
}
