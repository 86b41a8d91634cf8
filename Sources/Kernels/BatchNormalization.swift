import KernelInterface

/// Batch normalization of channels-last images (M pixels of all images, C channels), followed by an
/// activation.
///
/// Sums are taken in parts that follow from M alone, in their order, so results do not depend on
/// the number of threads.
///
/// Source: Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing
/// Internal Covariate Shift", ICML 2015.
public enum BatchNormalization {
  /// The mean and the (biased) variance `Σ (x - mean)² / M` of each channel.
  public static func statistics(
    x: UnsafePointer<Float>, mean: UnsafeMutablePointer<Float>,
    variance: UnsafeMutablePointer<Float>, pixels: Int, channels: Int
  ) {
    let loops = KernelSet.current.loops
    let memory = Scratch(count: 3 * channels)
    let (center, sums) = (memory.pointer, memory.pointer + channels)
    // x is read once, for Σ (x - c) and Σ (x - c)² with c near the mean. With c = 0 the variance
    // would be the difference of two large numbers.
    meanOfSamples(x, into: center, pixels: pixels, channels: channels)
    sumOverParts(pixels: pixels, count: 2 * channels, into: sums, loops) { part, sums, scratch in
      loops.sumMoments(
        x + part.lowerBound * channels, center: center, addingTo: sums, squares: sums + channels,
        pixels: part.count, channels: channels, scratch: scratch)
    }
    for c in 0..<channels {
      let distance = sums[c] / Float(pixels)
      mean[c] = center[c] + distance
      variance[c] = max(0, sums[channels + c] / Float(pixels) - distance * distance)
    }
  }

  /// `y = activation(weight (x - mean) / √(variance + epsilon) + bias)` for each channel.
  ///
  /// - Parameters:
  ///   - mean: The batch's in training, the running one in evaluation; the variance likewise.
  ///   - activation: The function that is applied to each result.
  public static func forward(
    x: UnsafePointer<Float>, mean: UnsafePointer<Float>, variance: UnsafePointer<Float>,
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, epsilon: Float,
    activation: Activation = .none,
    y: UnsafeMutablePointer<Float>, pixels: Int, channels: Int
  ) {
    let loops = KernelSet.current.loops
    let memory = Scratch(count: 5 * channels)
    let n = NormalizationChannels(memory.pointer, channels: channels)
    n.fill(mean, variance, weight, bias, epsilon, channels)
    parallel(count: pixels, grain: grain(channels)) { range in
      let first = range.lowerBound * channels
      loops.scaleChannels(
        x + first, scale: n.scale, shift: n.shift, activation: activation, into: y + first,
        pixels: range.count, channels: channels)
    }
  }

  /// The gradients of
  /// ``forward(x:mean:variance:weight:bias:epsilon:activation:y:pixels:channels:)``.
  ///
  /// With `x̂ = (x - mean) / √(variance + epsilon)`: `dBias = Σ dy`, `dWeight = Σ dy x̂`, and
  /// `dx = weight / √(variance + epsilon) · (dy - dBias / M - x̂ dWeight / M)` in training, where
  /// mean and variance depend on x; in evaluation only the first term remains.
  ///
  /// - Parameters:
  ///   - activation: That of the forward pass.
  ///   - isTraining: Whether mean and variance are those of x.
  ///   - dx: Overwritten; nil to skip it.
  public static func gradients(
    x: UnsafePointer<Float>, mean: UnsafePointer<Float>, variance: UnsafePointer<Float>,
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, epsilon: Float,
    activation: Activation = .none,
    isTraining: Bool, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>?,
    dWeight: UnsafeMutablePointer<Float>, dBias: UnsafeMutablePointer<Float>,
    pixels: Int, channels: Int
  ) {
    let loops = KernelSet.current.loops
    let memory = Scratch(count: 7 * channels)
    let n = NormalizationChannels(memory.pointer, channels: channels)
    let sums = memory.pointer + 5 * channels
    n.fill(mean, variance, weight, bias, epsilon, channels)
    sumOverParts(pixels: pixels, count: 2 * channels, into: sums, loops) { part, sums, scratch in
      let first = part.lowerBound * channels
      loops.sumGradients(
        dy + first, x: x + first, n, activation: activation, addingTo: sums,
        products: sums + channels,
        pixels: part.count, channels: channels, scratch: scratch)
    }
    for c in 0..<channels {
      let (sum, product) = (sums[c], sums[channels + c])
      let deviation = 1 / (variance[c] + epsilon).squareRoot()
      (dBias[c], dWeight[c]) = (sum, product * deviation)
      n.offset[c] = isTraining ? sum / Float(pixels) : 0
      n.slope[c] = isTraining ? product * deviation * deviation / Float(pixels) : 0
    }
    guard let dx else { return }
    inputGradient(x: x, n, activation, dy: dy, dx: dx, pixels: pixels, channels: channels, loops)
  }

  /// The gradient by x of some pixels of a batch, from the gradients of the whole batch.
  ///
  /// - Parameters:
  ///   - dWeight: The gradient by the weight, of the whole batch; `dBias` likewise.
  ///   - pixels: The number of pixels of x.
  ///   - batchPixels: The number of pixels of the whole batch.
  public static func inputGradient(
    x: UnsafePointer<Float>, mean: UnsafePointer<Float>, variance: UnsafePointer<Float>,
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, epsilon: Float,
    activation: Activation, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
    dWeight: UnsafePointer<Float>, dBias: UnsafePointer<Float>, pixels: Int, batchPixels: Int,
    channels: Int
  ) {
    let memory = Scratch(count: 5 * channels)
    let n = NormalizationChannels(memory.pointer, channels: channels)
    n.fill(mean, variance, weight, bias, epsilon, channels)
    for c in 0..<channels {
      let deviation = 1 / (variance[c] + epsilon).squareRoot()
      n.offset[c] = dBias[c] / Float(batchPixels)
      n.slope[c] = dWeight[c] * deviation / Float(batchPixels)
    }
    inputGradient(
      x: x, n, activation, dy: dy, dx: dx, pixels: pixels, channels: channels,
      KernelSet.current.loops)
  }

  private static func inputGradient(
    x: UnsafePointer<Float>, _ n: NormalizationChannels, _ activation: Activation,
    dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, pixels: Int, channels: Int,
    _ loops: any VectorLoops.Type
  ) {
    parallel(count: pixels, grain: grain(channels)) { range in
      let first = range.lowerBound * channels
      loops.normalizationGradient(
        dy + first, x: x + first, n, activation: activation, into: dx + first, pixels: range.count,
        channels: channels)
    }
  }

  /// Updates running statistics: `running ← (1 - momentum) · running + momentum · scale · batch`,
  /// computed in double precision.
  ///
  /// - Parameters:
  ///   - running: The running mean or variance.
  ///   - batch: The mean or variance of the batch.
  ///   - momentum: The weight of the batch.
  ///   - scale: 1 for the mean; for the variance `pixels / (pixels - 1)`, to make it unbiased.
  ///   - updated: The new statistics; may be `running`.
  public static func updateRunning(
    _ running: UnsafePointer<Float>, batch: UnsafePointer<Float>, momentum: Double, scale: Double,
    into updated: UnsafeMutablePointer<Float>, channels: Int
  ) {
    for c in 0..<channels {
      updated[c] = Float(
        (1 - momentum) * Double(running[c]) + momentum * scale * Double(batch[c]))
    }
  }

  private static func grain(_ channels: Int) -> Int { (1 << 18) / max(1, channels) }

  /// The mean of some pixels spread over the images.
  private static func meanOfSamples(
    _ x: UnsafePointer<Float>, into mean: UnsafeMutablePointer<Float>, pixels: Int, channels: Int
  ) {
    let samples = min(pixels, 64)
    mean.update(repeating: 0, count: channels)
    for sample in 0..<samples {
      let pixel = x + pixels * sample / samples * channels
      for c in 0..<channels { mean[c] += pixel[c] / Float(samples) }
    }
  }

  private static func sumOverParts(
    pixels: Int, count: Int, into sums: UnsafeMutablePointer<Float>,
    _ loops: any VectorLoops.Type,
    _ body: (
      _ part: Range<Int>, _ sums: UnsafeMutablePointer<Float>,
      _ scratch: UnsafeMutablePointer<Float>
    ) -> Void
  ) {
    let parts = max(1, min(16, pixels / 1024))
    let partial = Scratch(count: parts * count)
    partial.pointer.update(repeating: 0, count: parts * count)
    parallel(count: parts) { part in
      let scratch = Scratch(count: max(count, loops.scratchCount))
      body(
        pixels * part / parts..<pixels * (part + 1) / parts, partial.pointer + part * count,
        scratch.pointer)
    }
    sumParts(partial.pointer, parts: parts, count: count, into: sums)
  }
}

extension NormalizationChannels {
  fileprivate func fill(
    _ mean: UnsafePointer<Float>, _ variance: UnsafePointer<Float>,
    _ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ epsilon: Float, _ channels: Int
  ) {
    self.mean.update(from: mean, count: channels)
    for c in 0..<channels {
      scale[c] = weight[c] / (variance[c] + epsilon).squareRoot()
      shift[c] = bias[c] - mean[c] * scale[c]
    }
  }
}
