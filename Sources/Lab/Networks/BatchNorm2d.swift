import LabTensors

/// Normalises each channel of a batch, initialised as PyTorch's `BatchNorm2d`; see
/// ``batchNorm2d(_:weight:bias:running:momentum:epsilon:)``.
///
/// On a tape it learns, off a tape it evaluates: gradients with the running statistics, as PyTorch
/// gives them after `eval()`, cannot be had.
public struct BatchNorm2d: Layer {
  /// What each channel is scaled by; 1 at first.
  public let weight: Parameter
  /// What is added to each channel; 0 at first.
  public let bias: Parameter
  /// Mean and variance of the batches learned from, for use off a tape.
  public let running: RunningStatistics
  /// The newest batch's share in the running statistics.
  public let momentum: Double
  /// Keeps a channel without variance from being divided by 0.
  public let epsilon: Double

  /// - Parameters:
  ///   - channels: Channels of the images.
  ///   - epsilon: Keeps a channel without variance from being divided by 0.
  ///   - momentum: The newest batch's share in the running statistics.
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
