import Kernels

/// Normalises each channel of a batch of images to mean 0 and variance 1, then scales and shifts it.
///
/// `y = weight · (x - mean) / √(variance + epsilon) + bias`, channel by channel. On a tape mean and
/// variance are those of the batch, and the running ones move towards them by `momentum`; off a
/// tape they are the running ones.
///
/// | | shape |
/// | --- | --- |
/// | x | N images × C channels × H × W pixels |
/// | weight, bias | C |
/// | result | N × C × H × W |
///
/// As in PyTorch, the batch is divided by the square root of its variance over `N · H · W` pixels,
/// while the running variance is an average of variances over `N · H · W - 1`.
///
/// - Parameters:
///   - x: The images.
///   - weight: What each channel is scaled by.
///   - bias: What is added to each channel.
///   - running: The statistics for use off a tape; changed on one.
///   - momentum: The batch's share in the running statistics.
///   - epsilon: Keeps a channel without variance from being divided by 0.
/// - Throws: ``ShapeError`` if a shape does not fit, or a batch of one pixel is to be learned from.
/// - Complexity: O(elements of x)
///
/// Source: Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing
/// Internal Covariate Shift", ICML 2015.
public func batchNorm2d(
  _ x: Tensor, weight: Tensor, bias: Tensor, running: RunningStatistics, momentum: Double = 0.1,
  epsilon: Double = 1e-5
) throws(ShapeError) -> Tensor {
  try checkShapes(x, weight, bias, running)
  guard x.tape != nil else {
    return PendingNormalization(
      x, weight, bias, mean: running.mean, variance: running.variance, epsilon: Float(epsilon)
    ).result()
  }
  let (channels, pixels) = (x.shape[1], x.shape[0] * x.shape[2] * x.shape[3])
  guard pixels > 1 else {
    throw ShapeError(
      "batchNorm2d", expected: "more than one pixel a channel to learn from", got: "x \(x.shape)",
      hint: "one value has no variance: take a larger batch, or larger images")
  }
  let mean = Tensor(uninitialized: [channels])
  let variance = Tensor(uninitialized: [channels])
  BatchNormalization.statistics(
    x: x.pointer(.channelsLast), mean: mean.pointer, variance: variance.pointer, pixels: pixels,
    channels: channels)
  running.update(mean: mean, variance: variance, count: pixels, momentum: momentum)
  return PendingNormalization(
    x, weight, bias, mean: mean, variance: variance, epsilon: Float(epsilon)
  ).result()
}

private func checkShapes(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ running: RunningStatistics
) throws(ShapeError) {
  guard x.rank == 4 else {
    throw ShapeError(
      "batchNorm2d", expected: "x of shape [images, channels, height, width]", got: "\(x.shape)",
      hint: "images are normalised before flatten")
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
