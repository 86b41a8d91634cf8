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
  /// Whether all batches weigh the same, whatever the momentum is.
  package var isMean = false

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
    let momentum = isMean ? 1 / Double(batches + 1) : momentum
    if let shard = CurrentShard.shard { return update(with: x, momentum: momentum, as: shard) }
    let (batch, running) = x.storage.backend.batchNormStatistics(
      x, running: ChannelStatistics(mean: mean, variance: variance), momentum: momentum)
    (mean, variance) = (running.mean, running.variance)
    batches += 1
    return batch
  }

  /// Updates the statistics with a batch of which x is one part.
  private func update(
    with x: Tensor, momentum: Double, as shard: any BatchShard
  ) -> ChannelStatistics {
    let channels = x.shape[1]
    let count = x.count / channels
    let (part, _) = x.storage.backend.batchNormStatistics(
      x, running: ChannelStatistics(mean: mean, variance: variance), momentum: momentum)
    let (means, variances) = (part.mean.elements, part.variance.elements)
    // The sums of x and of x²: their rounding errors in double precision are far below those of the
    // part's own mean and variance.
    let pixels = Double(count)
    var sums: [Double] = [pixels]
    sums += means.map { pixels * Double($0) }
    for (mean, variance) in zip(means, variances) {
      sums.append(pixels * (Double(variance) + Double(mean) * Double(mean)))
    }
    let all = shard.sum(sums)
    let total = max(all[0], 1)
    let mean: [Double] = all[1...channels].map { $0 / total }
    let variance: [Double] = zip(all[(channels + 1)...], mean).map { squares, mean in
      max(0, squares / total - mean * mean)
    }
    let device = x.device
    func tensor(_ numbers: [Double]) -> Tensor {
      Tensor(numbers.map { Float($0) }, shape: [channels]).to(device)
    }
    shard.afterwards { [self] in
      func updated(_ running: Tensor, _ batch: [Double], scale: Double) -> Tensor {
        let new = zip(running.elements, batch).map { (running: Float, batch: Double) -> Float in
          let old = (1 - momentum) * Double(running)
          return Float(old + momentum * scale * batch)
        }
        return Tensor(new, shape: [channels]).to(device)
      }
      self.mean = updated(self.mean, mean, scale: 1)
      self.variance = updated(self.variance, variance, scale: total / max(1, total - 1))
      batches += 1
    }
    return ChannelStatistics(mean: tensor(mean), variance: tensor(variance))
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

  /// Replaces everything by statistics of the same shape, on the same device.
  package func set(mean: Tensor, variance: Tensor, batches: Int) {
    precondition(
      mean.shape == self.mean.shape && variance.shape == self.mean.shape,
      "statistics of another shape")
    (self.mean, self.variance, self.batches) = (mean, variance, batches)
  }

  /// Forgets all batches.
  package func reset() {
    let (shape, device) = (mean.shape, mean.device)
    mean = Tensor(repeating: 0, shape: shape).to(device)
    variance = Tensor(repeating: 1, shape: shape).to(device)
    batches = 0
  }

  /// Moves the statistics to a device.
  package func move(to device: Device) {
    (mean, variance) = (mean.to(device), variance.to(device))
  }
}
