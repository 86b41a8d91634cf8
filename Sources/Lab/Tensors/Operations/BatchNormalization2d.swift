/// Normalizes each channel of a batch of images to mean 0 and variance 1, then scales and shifts it.
///
/// `y = weight · (x - mean) / √(variance + epsilon) + bias`, channel by channel. On a tape mean and
/// variance are those of the batch, and the running ones are updated with them; off a tape they are
/// the running ones.
///
/// | | shape |
/// | --- | --- |
/// | x | N images × C channels × H × W pixels |
/// | weight, bias | C |
/// | result | N × C × H × W |
///
/// As in PyTorch, the batch is normalized with its variance over `N · H · W` pixels, while the running
/// variance is updated with the one over `N · H · W - 1`.
///
/// - Parameters:
///   - x: The images.
///   - weight: The scale of each channel.
///   - bias: What is added to each channel.
///   - running: The running statistics; updated on a tape, used off it.
///   - momentum: The weight of the batch in the running statistics.
///   - epsilon: Added to the variance, so that it is never 0.
/// - Throws: ``ShapeError`` if a shape does not fit, or a channel has a single pixel to train on.
/// - Complexity: O(elements of x)
///
/// Source: Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing
/// Internal Covariate Shift", ICML 2015.
public func batchNorm2d(
  _ x: Tensor, weight: Tensor, bias: Tensor, running: RunningStatistics, momentum: Double = 0.1,
  epsilon: Double = 1e-5
) throws(ShapeError) -> Tensor {
  try checkShapes(x, weight, bias, running)
  _ = try prepare("batchNorm2d", x, weight, bias, running.mean)
  let isTraining = x.tape != nil
  var (mean, variance) = (running.mean, running.variance)
  if isTraining {
    let pixels = x.shape[0] * x.shape[2] * x.shape[3]
    // The other parts of a batch have pixels as well.
    guard pixels > 1 || CurrentShard.shard != nil else {
      throw ShapeError(
        "batchNorm2d", expected: "more than one pixel a channel to train on", got: "x \(x.shape)",
        hint: "one value has no variance: take a larger batch, or larger images")
    }
    let batch = running.update(with: x, momentum: momentum)
    (mean, variance) = (batch.mean, batch.variance)
  }
  return DeferredNormalization(
    x, weight, bias, mean: mean, variance: variance, epsilon: Float(epsilon),
    isTraining: isTraining, .none
  ).result { $0.called("batchNorm2d", [x, weight, bias], $1, .deferred) }
}

private func checkShapes(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ running: RunningStatistics
) throws(ShapeError) {
  guard x.rank == 4 else {
    throw ShapeError(
      "batchNorm2d", expected: "x of shape [images, channels, height, width]", got: "\(x.shape)",
      hint: "images are normalized before flatten")
  }
  let channels = x.shape[1]
  for (name, shape) in [
    ("weight", weight.shape), ("bias", bias.shape), ("running mean", running.mean.shape),
  ] where shape != [channels] {
    throw ShapeError(
      "batchNorm2d", expected: "a \(name) of shape [\(channels)], as x is \(x.shape)",
      got: "\(shape)",
      hint: "the layer's size is the number of output channels of the layer before it")
  }
}

/// A batch normalization that has been put off, so that an activation behind it can be computed with
/// it.
private final class DeferredNormalization: DeferredOperation, @unchecked Sendable {
  // Sendable because nothing changes once there is a result.
  private let x, weight, bias, mean, variance: Tensor
  private let epsilon: Float
  private let isTraining: Bool
  private let activation: Activation
  private(set) var label: OperationLabel?

  init(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor, mean: Tensor, variance: Tensor, epsilon: Float,
    isTraining: Bool, _ activation: Activation
  ) {
    (self.x, self.weight, self.bias) = (x, weight, bias)
    (self.mean, self.variance, self.epsilon) = (mean, variance, epsilon)
    (self.isTraining, self.activation) = (isTraining, activation)
  }

  private var backend: any Backend { x.storage.backend }

  private var parameters: BatchNormParameters {
    BatchNormParameters(
      mean: mean, variance: variance, weight: weight.detached, bias: bias.detached,
      epsilon: epsilon)
  }

  /// The result on the tape of what it is computed from.
  ///
  /// - Parameter report: Reports it to who looks at operations.
  func result(
    _ report: (any OperationObserver, Tensor) -> OperationLabel?
  ) -> Tensor {
    let storage = Storage(count: x.count, deferred: self, on: backend)
    let y = Tensor(shape: x.shape, storage: storage)
    label = OperationObservation.observer.flatMap { report($0, y) }
    return y.recorded(from: [x, weight, bias], label) { [self] dy in
      if isTraining, let shard = CurrentShard.shard { return gradients(dy, shard) }
      let (dx, dWeight, dBias) = backend.batchNormGradients(
        x.detached, parameters, activation, dy: dy, isTraining: isTraining,
        wantsInput: x.needsGradient)
      if let dx { x.receive(dx) }
      weight.receive(dWeight)
      bias.receive(dBias)
    }
  }

  /// The gradients if x is one part of a batch: that by x depends on sums over the whole batch.
  private func gradients(_ dy: Tensor, _ shard: any BatchShard) {
    let channels = x.shape[1]
    let (_, dWeight, dBias) = backend.batchNormGradients(
      x.detached, parameters, activation, dy: dy, isTraining: true, wantsInput: false)
    weight.receive(dWeight)
    bias.receive(dBias)
    let all = shard.sum(
      [Double(x.count / channels)] + (dWeight.elements + dBias.elements).map { Double($0) })
    guard x.needsGradient else { return }
    func tensor(_ numbers: ArraySlice<Double>) -> Tensor {
      Tensor(numbers.map { Float($0) }, shape: [channels]).to(x.device)
    }
    x.receive(
      backend.batchNormInputGradient(
        x.detached, parameters, activation, dy: dy, dWeight: tensor(all[1...channels]),
        dBias: tensor(all[(channels + 1)...]), pixels: max(1, Int(all[0]))))
  }

  func compute() -> Tensor { backend.batchNorm(x.detached, parameters, activation) }

  func fused(with activation: Activation) -> Tensor? {
    guard self.activation == .none else { return nil }
    return DeferredNormalization(
      x, weight, bias, mean: mean, variance: variance, epsilon: epsilon, isTraining: isTraining,
      activation
    ).result { [label] _, _ in label }
  }
}
