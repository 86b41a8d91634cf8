/// The mean and variance of each channel over the training batches of a normalization layer: no
/// parameters, but saved with them.
///
/// In a checkpoint they are `running_mean`, `running_var` and `num_batches_tracked`, as in PyTorch.
public final class RunningStatistics {
  /// The mean of each channel; 0 before the first batch.
  public private(set) var mean: Tensor
  /// The variance of each channel; 1 before the first batch.
  public private(set) var variance: Tensor
  /// The number of batches so far.
  public private(set) var batches = 0

  /// Statistics of no batch yet.
  public init(channels: Int) {
    mean = Tensor(repeating: 0, shape: [channels])
    variance = Tensor(repeating: 1, shape: [channels])
  }

  /// Updates the statistics with a batch: `running ← (1 - momentum) · running + momentum · batch`.
  ///
  /// - Parameters:
  ///   - x: The batch, with at least two pixels of each channel.
  ///   - momentum: The weight of the batch.
  /// - Returns: The batch's own statistics, its variance a sum of squares divided by their number.
  package func update(with x: Tensor, momentum: Double) -> ChannelStatistics {
    let (batch, running) = x.storage.backend.batchNormStatistics(
      x, running: ChannelStatistics(mean: mean, variance: variance), momentum: momentum)
    (mean, variance) = (running.mean, running.variance)
    batches += 1
    return batch
  }

  /// Replaces everything, as when a checkpoint is loaded.
  ///
  /// - Throws: ``ShapeError`` if a shape differs.
  public func load(mean: Tensor, variance: Tensor, batches: Int) throws(ShapeError) {
    for new in [mean, variance] where new.shape != self.mean.shape {
      throw ShapeError(
        "load", expected: "statistics of shape \(self.mean.shape)", got: "\(new.shape)")
    }
    let device = self.mean.device
    (self.mean, self.variance) = (mean.detached.to(device), variance.detached.to(device))
    self.batches = batches
  }

  /// Moves the statistics to a device.
  package func move(to device: Device) {
    (mean, variance) = (mean.to(device), variance.to(device))
  }
}
