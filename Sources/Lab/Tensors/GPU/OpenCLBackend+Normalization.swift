import Kernels
import OpenCLKernels

// Sums over pixels are taken in parts that follow from the extents alone, in their order: results
// are the same in every run.

extension OpenCLBackend {
  private var normalization: KernelSource { .normalization }

  /// Pixels that a thread reads before it adds them up; the kernels' `BATCH`.
  private static let batch = 8

  /// Runs a kernel that adds up columns in parts, and then the one that adds up the parts.
  ///
  /// - Parameters:
  ///   - values: The values of each column in a part.
  ///   - first: Runs the first kernel with these groups, threads and width, into the memory.
  ///   - second: The second kernel, likewise, and the number of parts.
  private func sumColumns(
    rows: Int, columns: Int, values: Int,
    _ first: (_ groups: (Int, Int, Int), GroupShape, DeviceBuffer) -> Void,
    _ second: (_ groups: (Int, Int, Int), GroupShape, DeviceBuffer, _ parts: Int) -> Void
  ) {
    let shape = GroupShape(columns, most: 64, threads: groupThreads)
    let blocks = shape.groups(forColumns: columns)
    // As many parts as keep a large GPU busy, if each has a few pixels a thread.
    let most = max(1, 1024 / max(1, blocks))
    let parts = max(1, min(most, rows / (shape.rows * Self.batch)))
    let partial = scratch(parts * values * columns)
    first((parts, blocks, 1), shape, partial)
    let finish = GroupShape(columns, most: 4, threads: groupThreads)
    second((finish.groups(forColumns: columns), 1, 1), finish, partial, parts)
  }

  // MARK: Batch normalization

  package func batchNormStatistics(
    _ x: Tensor, running: ChannelStatistics, momentum: Double
  ) -> (batch: ChannelStatistics, running: ChannelStatistics) {
    let channels = x.shape[1]
    let (mean, variance) = (uninitialized([channels]), uninitialized([channels]))
    let (newMean, newVariance) = (uninitialized([channels]), uninitialized([channels]))
    let count = x.count / max(1, channels)
    let unbiased = Double(count) / Double(count - 1)
    sumColumns(rows: count, columns: channels, values: 3) { groups, shape, partial in
      queue.run(
        "batch_norm_moments", in: normalization, groups: groups, threads: (shape.threads, 1, 1),
        [pixels(x), partial, Int32(count), Int32(channels), Int32(shape.width)])
    } _: { groups, shape, partial, parts in
      queue.run(
        "batch_norm_statistics", in: normalization, groups: groups, threads: (shape.threads, 1, 1),
        [
          partial, Int32(parts), rows(mean), rows(variance), rows(running.mean),
          rows(running.variance), Float(1 - momentum), Float(momentum), Float(momentum * unbiased),
          rows(newMean), rows(newVariance), Int32(channels), Int32(shape.width),
        ])
    }
    return (
      ChannelStatistics(mean: mean, variance: variance),
      ChannelStatistics(mean: newMean, variance: newVariance)
    )
  }

  /// Runs a kernel whose threads have a few pixels of one channel each. Its last arguments are the
  /// numbers of pixels and of channels, and the width.
  private func runChannels(_ name: String, _ x: Tensor, _ arguments: [any KernelArgument]) {
    let channels = x.shape[1]
    let shape = GroupShape(channels, most: 64, threads: groupThreads)
    let count = x.count / max(1, channels)
    let pixels = shape.rows * Self.batch
    queue.run(
      name, in: normalization,
      groups: ((count + pixels - 1) / pixels, shape.groups(forColumns: channels), 1),
      threads: (shape.threads, 1, 1),
      arguments + [Int32(count), Int32(channels), Int32(shape.width)])
  }

  /// The arguments that say how x is normalized, and what follows.
  private func arguments(
    _ p: BatchNormParameters, _ activation: Activation
  ) -> [any KernelArgument] {
    [
      rows(p.mean), rows(p.variance), rows(p.weight), rows(p.bias), p.epsilon,
      Int32(activation == .relu ? 1 : 0),
    ]
  }

  package func batchNorm(
    _ x: Tensor, _ p: BatchNormParameters, _ activation: Activation
  ) -> Tensor {
    let y = uninitializedImages(x.shape)
    runChannels("batch_norm", x, [pixels(x)] + arguments(p, activation) + [pixels(y)])
    return y
  }

  package func batchNormGradients(
    _ x: Tensor, _ p: BatchNormParameters, _ activation: Activation, dy: Tensor, isTraining: Bool,
    wantsInput: Bool
  ) -> (dx: Tensor?, dWeight: Tensor, dBias: Tensor) {
    let channels = x.shape[1]
    let (dWeight, dBias) = (uninitialized([channels]), uninitialized([channels]))
    let count = x.count / max(1, channels)
    let inputs = [pixels(x), pixels(dy)] + arguments(p, activation)
    sumColumns(rows: count, columns: channels, values: 2) { groups, shape, partial in
      queue.run(
        "batch_norm_gradient_sums", in: normalization, groups: groups,
        threads: (shape.threads, 1, 1),
        inputs + [partial, Int32(count), Int32(channels), Int32(shape.width)])
    } _: { groups, shape, partial, parts in
      queue.run(
        "finish_two_sums", in: normalization, groups: groups, threads: (shape.threads, 1, 1),
        [
          partial, Int32(parts), Int32(1), rows(p.variance), p.epsilon, rows(dBias), rows(dWeight),
          Int32(channels), Int32(shape.width),
        ])
    }
    guard wantsInput else { return (nil, dWeight, dBias) }
    let dx = uninitializedImages(x.shape)
    runChannels(
      "batch_norm_gradient", x,
      inputs + [Int32(isTraining ? 1 : 0), rows(dWeight), rows(dBias), pixels(dx)])
    return (dx, dWeight, dBias)
  }

  // MARK: Layer normalization

  /// The mean of each row, and what its elements are scaled by.
  private final class RowStatistics {
    let means, scales: DeviceBuffer

    init(means: DeviceBuffer, scales: DeviceBuffer) {
      (self.means, self.scales) = (means, scales)
    }
  }

  package func layerNorm(
    _ x: Tensor, weight: Tensor?, bias: Tensor?, columns: Int, epsilon: Double
  ) -> (y: Tensor, saved: AnyObject?) {
    let y = uninitialized(x.shape)
    let count = x.count / columns
    let saved = RowStatistics(means: scratch(count), scales: scratch(count))
    // Some buffer has to be there if there is no weight or bias; it is not read.
    runRows(
      "layer_norm", in: normalization, rows: count, columns: columns, rows(x),
      Int32(weight == nil ? 0 : 1), weight.map(rows) ?? rows(x), Int32(bias == nil ? 0 : 1),
      bias.map(rows) ?? rows(x), Float(epsilon), rows(y), saved.means, saved.scales)
    return (y, saved)
  }

  package func layerNormGradients(
    _ x: Tensor, weight: Tensor?, columns: Int, epsilon: Double, dy: Tensor, saved: AnyObject?
  ) -> (dx: Tensor, dWeight: Tensor, dBias: Tensor) {
    guard let saved = saved as? RowStatistics else {
      preconditionFailure("layerNormGradients expects what layerNorm saved")
    }
    let dx = uninitialized(x.shape)
    let (dWeight, dBias) = (uninitialized([columns]), uninitialized([columns]))
    let count = x.count / columns
    runRows(
      "layer_norm_gradient", in: normalization, rows: count, columns: columns, rows(x),
      Int32(weight == nil ? 0 : 1), weight.map(rows) ?? rows(x), saved.means, saved.scales,
      rows(dy), rows(dx))
    sumColumns(rows: count, columns: columns, values: 2) { groups, shape, partial in
      queue.run(
        "layer_norm_gradient_sums", in: normalization, groups: groups,
        threads: (shape.threads, 1, 1),
        [
          rows(x), rows(dy), saved.means, saved.scales, partial, Int32(count), Int32(columns),
          Int32(shape.width),
        ])
    } _: { groups, shape, partial, parts in
      queue.run(
        "finish_two_sums", in: normalization, groups: groups, threads: (shape.threads, 1, 1),
        [
          partial, Int32(parts), Int32(0), partial, Float(0), rows(dBias), rows(dWeight),
          Int32(columns), Int32(shape.width),
        ])
    }
    return (dx, dWeight, dBias)
  }
}
