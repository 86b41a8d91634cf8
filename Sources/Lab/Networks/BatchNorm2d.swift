import LabTensors

/// Normalizes each channel of a batch, initialized as PyTorch's `BatchNorm2d`; see
/// ``batchNorm2d(_:weight:bias:running:momentum:epsilon:)``.
///
/// On a tape it is in training mode, off a tape in evaluation mode. Gradients in evaluation mode, as
/// PyTorch computes them after `eval()`, are not supported.
public struct BatchNorm2d: Layer {
  /// The scale of each channel; 1 initially.
  public let weight: Parameter
  /// The shift of each channel; 0 initially.
  public let bias: Parameter
  /// Mean and variance over the training batches, used off a tape.
  public let running: RunningStatistics
  /// The weight of the newest batch in the running statistics.
  public let momentum: Double
  /// Added to the variance, so that it is never 0.
  public let epsilon: Double

  /// - Parameters:
  ///   - channels: The number of channels of the images.
  ///   - epsilon: Added to the variance, so that it is never 0.
  ///   - momentum: The weight of the newest batch in the running statistics.
  public init(_ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1) {
    weight = Parameter(Tensor(repeating: 1, shape: [channels]))
    bias = Parameter(Tensor(repeating: 0, shape: [channels]))
    running = RunningStatistics(channels: channels)
    self.momentum = momentum
    self.epsilon = epsilon
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try batchNorm2d(
      x, weight: weight.on(x.tape), bias: bias.on(x.tape), running: running, momentum: momentum,
      epsilon: epsilon)
  }
}
