import Kernels

/// A batch normalisation whose pixels are computed when somebody asks for them, so that a rectifier
/// behind it may be computed along with it.
final class PendingNormalization: Recipe {
  private let x, weight, bias, mean, variance: Tensor
  private let epsilon: Float
  private let isRectified: Bool

  init(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor, mean: Tensor, variance: Tensor, epsilon: Float,
    isRectified: Bool = false
  ) {
    (self.x, self.weight, self.bias) = (x, weight, bias)
    (self.mean, self.variance, self.epsilon) = (mean, variance, epsilon)
    self.isRectified = isRectified
  }

  var inputs: [Storage] { [x, weight, bias].map(\.storage) }

  private var channels: Int { x.shape[1] }
  private var pixels: Int { x.shape[0] * x.shape[2] * x.shape[3] }

  /// The tensor of the pixels, on the tape of what they are computed from.
  func result() -> Tensor {
    let storage = Storage(shape: x.shape, layout: .channelsLast, recipe: self)
    return Tensor(shape: x.shape, storage: storage).recorded(from: [x, weight, bias]) {
      [self] dy in pullBack(dy)
    }
  }

  func write(to storage: Storage) {
    BatchNormalization.forward(
      x: x.pointer(.channelsLast), mean: mean.pointer, variance: variance.pointer,
      weight: weight.pointer, bias: bias.pointer, epsilon: epsilon, activation: isRectified ? .relu : .none,
      y: storage.pointer(.channelsLast), pixels: pixels, channels: channels)
  }

  private func pullBack(_ dy: Tensor) {
    let dx = x.needsGradient ? Tensor(uninitialized: x.shape, layout: .channelsLast) : nil
    let dWeight = Tensor(uninitialized: [channels])
    let dBias = Tensor(uninitialized: [channels])
    BatchNormalization.gradients(
      x: x.pointer(.channelsLast), mean: mean.pointer, variance: variance.pointer,
      weight: weight.pointer, bias: bias.pointer, epsilon: epsilon, activation: isRectified ? .relu : .none,
      // Only what is on a tape has gradients, and there mean and variance are those of x.
      isTraining: x.tape != nil, dy: dy.pointer(.channelsLast), dx: dx?.pointer(.channelsLast),
      dWeight: dWeight.pointer, dBias: dBias.pointer, pixels: pixels, channels: channels)
    if let dx { x.receive(dx) }
    weight.receive(dWeight)
    bias.receive(dBias)
  }
}

extension PendingNormalization: Rectifiable {
  func rectified() -> Tensor? {
    guard !isRectified else { return nil }
    return PendingNormalization(
      x, weight, bias, mean: mean, variance: variance, epsilon: epsilon, isRectified: true
    ).result()
  }
}
