import Kernels

// Images have their channels last in memory.

extension CPUBackend {
  // MARK: Convolution

  package func canFuse(
    _ epilogue: ConvolutionEpilogue, after convolution: ConvolutionExtents
  ) -> Bool {
    // Dropout follows pooling, which only Winograd convolutions have.
    guard epilogue.pool2x2 || epilogue.dropout == nil else { return false }
    return !epilogue.pool2x2 || WinogradConvolution.isSupported(convolution)
  }

  package func canFuse(
    _ front: ConvolutionExtents, _ epilogue: ConvolutionEpilogue,
    inFrontOf convolution: ConvolutionExtents
  ) -> Bool {
    WinogradConvolution.isSupported(convolution) && !WinogradConvolution.isSupported(front)
      && !epilogue.pool2x2 && DirectConvolution.canBeInFront(front)
  }

  package func convolution(
    _ x: ConvolutionOperand, weight: Tensor, bias: Tensor?, _ e: ConvolutionExtents,
    _ epilogue: ConvolutionEpilogue, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) {
    let (h, w) = epilogue.pool2x2 ? (e.outputH / 2, e.outputW / 2) : (e.outputH, e.outputW)
    let y = Tensor(uninitializedImages: [e.n, e.k, h, w])
    guard WinogradConvolution.isSupported(e) else {
      let forward =
        DirectConvolution.isSupported(e)
        ? DirectConvolution.forward : GeneralConvolution.forward
      forward(
        images(x).pixels, weight.pointer, bias?.pointer, epilogue.activation, y.pixels, e)
      return (y, nil)
    }
    let codes = epilogue.pool2x2 && saves ? Codes<UInt8>(count: y.count) : nil
    WinogradConvolution.forward(
      x: kernelInput(x), weight: weight.pointer, transformed: transformed(weight, e),
      bias: bias?.pointer, y: y.pixels, codes: codes?.pointer, e, epilogue: epilogue)
    return (y, codes)
  }

  package func convolutionGradients(
    _ x: ConvolutionOperand, weight: Tensor, dy: Tensor, y: Tensor, saved: AnyObject?,
    _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue, wanted: Set<ConvolutionGradient>
  ) -> [ConvolutionGradient: Tensor] {
    var gradients: [ConvolutionGradient: Tensor] = [:]
    func gradient(_ key: ConvolutionGradient, _ make: () -> Tensor) -> Tensor? {
      guard wanted.contains(key) else { return nil }
      let tensor = make()
      gradients[key] = tensor
      return tensor
    }
    let dWeight = gradient(.weight) { Tensor(uninitialized: weight.shape) }
    let dBias = gradient(.bias) { Tensor(uninitialized: [e.k]) }
    // Which pixels ReLU has set to 0; pooling has noted that in its codes.
    let activated = epilogue.activation == .relu && !epilogue.pool2x2 ? y.pixels : nil
    guard WinogradConvolution.isSupported(e) else {
      let x = images(x)
      let dx = gradient(.input) { Tensor(uninitializedImages: x.shape) }
      let compute =
        DirectConvolution.isSupported(e)
        ? DirectConvolution.gradients : GeneralConvolution.gradients
      compute(
        x.pixels, weight.pointer, dy.pixels, activated, dx?.pixels, dWeight?.pointer,
        dBias?.pointer, e)
      return gradients
    }
    let inputGradient: ConvolutionInputGradient?
    switch x {
    case .images(let x):
      let dx = gradient(.input) { Tensor(uninitializedImages: x.shape) }
      inputGradient = dx.map { .images($0.pixels) }
    case .convolution(_, let frontWeight, let frontBias, _, _):
      let dWeight = gradient(.frontWeight) { Tensor(uninitialized: frontWeight.shape) }
      let dBias = frontBias.flatMap { bias in
        gradient(.frontBias) { Tensor(uninitialized: bias.shape) }
      }
      inputGradient =
        dWeight == nil && dBias == nil
        ? nil : .front(dWeight: dWeight?.pointer, dBias: dBias?.pointer)
    }
    WinogradConvolution.gradients(
      x: kernelInput(x), weight: weight.pointer, transformed: transformed(weight, e),
      dy: dy.pixels, y: activated, codes: (saved as? Codes<UInt8>)?.pointer, dx: inputGradient,
      dWeight: dWeight?.pointer, dBias: dBias?.pointer, e, epilogue: epilogue)
    return gradients
  }

  private func images(_ x: ConvolutionOperand) -> Tensor {
    switch x {
    case .images(let x): x
    case .convolution(let x, let weight, let bias, let epilogue, let extents):
      convolution(.images(x), weight: weight, bias: bias, extents, epilogue, saves: false).y
    }
  }

  private func kernelInput(_ x: ConvolutionOperand) -> ConvolutionInput {
    switch x {
    case .images(let x): .images(x.pixels)
    case .convolution(let x, let weight, let bias, let epilogue, let extents):
      .front(
        x: x.pixels, weight: weight.pointer, bias: bias?.pointer, activation: epilogue.activation,
        extents)
    }
  }

  /// The weight as Winograd convolutions want it, the same from one call to the next while it does
  /// not change.
  private func transformed(_ weight: Tensor, _ e: ConvolutionExtents) -> WinogradWeights {
    weight.host.derived(where: { $0.weights.isCurrent && $0.c == e.c && $0.k == e.k }) {
      TransformedWeight(weights: WinogradWeights(weight.pointer, e), c: e.c, k: e.k)
    }.weights
  }

  // MARK: Normalization

  package func batchNormStatistics(
    _ x: Tensor, running: ChannelStatistics, momentum: Double
  ) -> (batch: ChannelStatistics, running: ChannelStatistics) {
    let channels = x.shape[1]
    let pixels = x.count / channels
    let mean = Tensor(uninitialized: [channels])
    let variance = Tensor(uninitialized: [channels])
    BatchNormalization.statistics(
      x: x.pixels, mean: mean.pointer, variance: variance.pointer, pixels: pixels,
      channels: channels)
    let unbiased = Double(pixels) / Double(pixels - 1)
    return (
      ChannelStatistics(mean: mean, variance: variance),
      ChannelStatistics(
        mean: updated(running.mean, batch: mean, momentum: momentum, scale: 1),
        variance: updated(running.variance, batch: variance, momentum: momentum, scale: unbiased))
    )
  }

  /// `(1 - momentum) · running + momentum · scale · batch`, in double precision for each element.
  private func updated(
    _ running: Tensor, batch: Tensor, momentum: Double, scale: Double
  ) -> Tensor {
    let y = Tensor(uninitialized: running.shape)
    BatchNormalization.updateRunning(
      running.pointer, batch: batch.pointer, momentum: momentum, scale: scale, into: y.pointer,
      channels: running.count)
    return y
  }

  package func batchNorm(
    _ x: Tensor, _ p: BatchNormParameters, _ activation: Activation
  ) -> Tensor {
    let channels = x.shape[1]
    let y = Tensor(uninitializedImages: x.shape)
    BatchNormalization.forward(
      x: x.pixels, mean: p.mean.pointer, variance: p.variance.pointer, weight: p.weight.pointer,
      bias: p.bias.pointer, epsilon: p.epsilon, activation: activation, y: y.pixels,
      pixels: x.count / max(1, channels), channels: channels)
    return y
  }

  package func batchNormGradients(
    _ x: Tensor, _ p: BatchNormParameters, _ activation: Activation, dy: Tensor, isTraining: Bool,
    wantsInput: Bool
  ) -> (dx: Tensor?, dWeight: Tensor, dBias: Tensor) {
    let channels = x.shape[1]
    let dx = wantsInput ? Tensor(uninitializedImages: x.shape) : nil
    let dWeight = Tensor(uninitialized: [channels])
    let dBias = Tensor(uninitialized: [channels])
    BatchNormalization.gradients(
      x: x.pixels, mean: p.mean.pointer, variance: p.variance.pointer, weight: p.weight.pointer,
      bias: p.bias.pointer, epsilon: p.epsilon, activation: activation, isTraining: isTraining,
      dy: dy.pixels, dx: dx?.pixels, dWeight: dWeight.pointer, dBias: dBias.pointer,
      pixels: x.count / max(1, channels), channels: channels)
    return (dx, dWeight, dBias)
  }

  package func batchNormInputGradient(
    _ x: Tensor, _ p: BatchNormParameters, _ activation: Activation, dy: Tensor, dWeight: Tensor,
    dBias: Tensor, pixels: Int
  ) -> Tensor {
    let channels = x.shape[1]
    let dx = Tensor(uninitializedImages: x.shape)
    BatchNormalization.inputGradient(
      x: x.pixels, mean: p.mean.pointer, variance: p.variance.pointer, weight: p.weight.pointer,
      bias: p.bias.pointer, epsilon: p.epsilon, activation: activation, dy: dy.pixels,
      dx: dx.pixels, dWeight: dWeight.pointer, dBias: dBias.pointer,
      pixels: x.count / max(1, channels), batchPixels: pixels, channels: channels)
    return dx
  }

  // MARK: Pooling

  package func maxPool(
    _ x: Tensor, size: Int, stride: Int, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) {
    let isChannelsLast = x.order != .rowMajor && size <= 15
    let extents = PoolingExtents(
      planes: isChannelsLast ? x.shape[0] : x.shape[0] * x.shape[1], h: x.shape[2], w: x.shape[3],
      size: size, stride: stride)
    let shape = [x.shape[0], x.shape[1], extents.outputH, extents.outputW]
    if isChannelsLast {
      let y = Tensor(uninitializedImages: shape)
      let codes = Codes<UInt8>(count: y.count)
      maxPoolingChannelsLast(
        x: x.pixels, y: y.pixels, codes: codes.pointer, channels: x.shape[1], extents)
      return (y, codes)
    }
    let y = Tensor(uninitialized: shape)
    let indices = Codes<Int32>(count: y.count)
    maxPooling(x: x.pointer, y: y.pointer, indices: indices.pointer, extents)
    return (y, indices)
  }

  package func maxPoolGradient(
    dy: Tensor, shape: [Int], size: Int, stride: Int, saved: AnyObject?
  ) -> Tensor {
    func extents(planes: Int) -> PoolingExtents {
      PoolingExtents(planes: planes, h: shape[2], w: shape[3], size: size, stride: stride)
    }
    if let codes = saved as? Codes<UInt8> {
      let dx = Tensor(uninitializedImages: shape)
      maxPoolingGradientChannelsLast(
        dy: dy.pixels, codes: codes.pointer, dx: dx.pixels, channels: shape[1],
        extents(planes: shape[0]))
      return dx
    }
    guard let indices = saved as? Codes<Int32> else {
      preconditionFailure("maxPoolGradient expects what maxPool saved")
    }
    let dx = Tensor(uninitialized: shape)
    maxPoolingGradient(
      dy: dy.pointer, indices: indices.pointer, dx: dx.pointer,
      extents(planes: shape[0] * shape[1]))
    return dx
  }

  package func globalAveragePool(_ x: Tensor) -> Tensor {
    let y = Tensor(uninitialized: [x.shape[0], x.shape[1]])
    meanOfPixels(
      x.pixels, into: y.pointer, n: x.shape[0], pixels: x.shape[2] * x.shape[3],
      channels: x.shape[1])
    return y
  }

  package func globalAveragePoolGradient(dy: Tensor, shape: [Int]) -> Tensor {
    let dx = Tensor(uninitializedImages: shape)
    meanOfPixelsGradient(
      dy: dy.pointer, dx: dx.pixels, n: shape[0], pixels: shape[2] * shape[3], channels: shape[1])
    return dx
  }

  package func averagePool(_ x: Tensor, _ extents: AveragePoolingExtents) -> Tensor {
    let y = Tensor(
      uninitializedImages: [x.shape[0], x.shape[1], extents.rows.count, extents.columns.count])
    averagePooling(x: x.pixels, y: y.pixels, extents)
    return y
  }

  package func averagePoolGradient(
    dy: Tensor, shape: [Int], _ extents: AveragePoolingExtents
  ) -> Tensor {
    let dx = Tensor(uninitializedImages: shape)
    averagePoolingGradient(dy: dy.pixels, dx: dx.pixels, extents)
    return dx
  }
}

/// A weight transformed for Winograd convolutions from C to K channels.
private final class TransformedWeight: Derived {
  let weights: WinogradWeights
  let c, k: Int

  init(weights: WinogradWeights, c: Int, k: Int) {
    (self.weights, self.c, self.k) = (weights, c, k)
  }
}
