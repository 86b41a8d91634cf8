/// The mean and variance of each channel over the batches that a normalisation has learned from: no
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

  /// Takes a batch into account: `running ← (1 - momentum) · running + momentum · batch`.
  ///
  /// - Parameters:
  ///   - mean: The batch's mean of each channel.
  ///   - variance: The batch's variance, a sum over `count` squares divided by `count`.
  ///   - count: The number of pixels of each channel, at least 2.
  ///   - momentum: The batch's share.
  package func update(mean: Tensor, variance: Tensor, count: Int, momentum: Double) {
    let unbiased = Double(count) / Double(count - 1)
    self.mean = mixed(self.mean, mean, share: momentum, scale: 1)
    self.variance = mixed(self.variance, variance, share: momentum, scale: unbiased)
    batches += 1
  }

  /// Replaces everything, as when a checkpoint is read.
  ///
  /// - Throws: ``ShapeError`` if a shape differs.
  public func load(mean: Tensor, variance: Tensor, batches: Int) throws(ShapeError) {
    for new in [mean, variance] where new.shape != self.mean.shape {
      throw ShapeError(
        "load", expected: "statistics of shape \(self.mean.shape)", got: "\(new.shape)")
    }
    (self.mean, self.variance, self.batches) = (mean.detached, variance.detached, batches)
  }

  private func mixed(_ old: Tensor, _ new: Tensor, share: Double, scale: Double) -> Tensor {
    let elements = zip(old.elements, new.elements).map { old, new in
      Float((1 - share) * Double(old) + share * scale * Double(new))
    }
    return Tensor(elements, shape: old.shape)
  }
}
