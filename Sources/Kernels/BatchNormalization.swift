import KernelInterface

/// Batch normalisation of channels-last images (M pixels of all images, C channels), rectified
/// afterwards or not.
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
    sumOverParts(pixels: pixels, count: channels, into: mean) { part, sums in
      loops.sumChannels(
        x + part.lowerBound * channels, addingTo: sums, pixels: part.count, channels: channels)
    }
    for c in 0..<channels { mean[c] /= Float(pixels) }
    sumOverParts(pixels: pixels, count: channels, into: variance) { part, sums in
      loops.sumSquares(
        x + part.lowerBound * channels, mean: mean, addingTo: sums, pixels: part.count,
        channels: channels)
    }
    for c in 0..<channels { variance[c] /= Float(pixels) }
  }

  /// `y = weight (x - mean) / √(variance + epsilon) + bias` for each channel.
  ///
  /// - Parameters:
  ///   - mean: The batch's in training, the running one in evaluation; the variance likewise.
  ///   - relu: Whether negative results become 0.
  public static func forward(
    x: UnsafePointer<Float>, mean: UnsafePointer<Float>, variance: UnsafePointer<Float>,
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, epsilon: Float, relu: Bool = false,
    y: UnsafeMutablePointer<Float>, pixels: Int, channels: Int
  ) {
    let loops = KernelSet.current.loops
    let memory = Scratch(count: 2 * channels)
    let (scale, shift) = (memory.pointer, memory.pointer + channels)
    for c in 0..<channels {
      scale[c] = weight[c] / (variance[c] + epsilon).squareRoot()
      shift[c] = bias[c] - mean[c] * scale[c]
    }
    parallel(count: pixels, grain: grain(channels)) { range in
      let first = range.lowerBound * channels
      loops.scaleChannels(
        x + first, scale: scale, shift: shift, relu: relu, into: y + first, pixels: range.count,
        channels: channels)
    }
  }

  /// The gradients of
  /// ``forward(x:mean:variance:weight:bias:epsilon:relu:y:pixels:channels:)``.
  ///
  /// With `x̂ = (x - mean) / √(variance + epsilon)`: `dBias = Σ dy`, `dWeight = Σ dy x̂`, and
  /// `dx = weight / √(variance + epsilon) · (dy - dBias / M - x̂ dWeight / M)` in training, where
  /// mean and variance depend on x; in evaluation only the first term is left.
  ///
  /// - Parameters:
  ///   - y: The result where it was rectified, else nil.
  ///   - isTraining: Whether mean and variance are those of x.
  ///   - dx: Written whole; nil to leave it out.
  public static func gradients(
    x: UnsafePointer<Float>, mean: UnsafePointer<Float>, variance: UnsafePointer<Float>,
    weight: UnsafePointer<Float>, epsilon: Float, isTraining: Bool, y: UnsafePointer<Float>? = nil,
    dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>?,
    dWeight: UnsafeMutablePointer<Float>, dBias: UnsafeMutablePointer<Float>,
    pixels: Int, channels: Int
  ) {
    let loops = KernelSet.current.loops
    let memory = Scratch(count: 5 * channels)
    let (sums, products) = (memory.pointer, memory.pointer + channels)
    let scale = products + channels
    let (offset, slope) = (scale + channels, scale + 2 * channels)
    sumOverParts(pixels: pixels, count: 2 * channels, into: sums) { part, sums in
      let first = part.lowerBound * channels
      loops.sumGradients(
        dy + first, y: y.map { $0 + first }, x: x + first, mean: mean, addingTo: sums,
        products: sums + channels, pixels: part.count, channels: channels)
    }
    for c in 0..<channels {
      let deviation = 1 / (variance[c] + epsilon).squareRoot()
      dBias[c] = sums[c]
      dWeight[c] = products[c] * deviation
      scale[c] = weight[c] * deviation
      offset[c] = isTraining ? sums[c] / Float(pixels) : 0
      slope[c] = isTraining ? products[c] * deviation * deviation / Float(pixels) : 0
    }
    guard let dx else { return }
    parallel(count: pixels, grain: grain(channels)) { range in
      let first = range.lowerBound * channels
      loops.normalizationGradient(
        dy + first, y: y.map { $0 + first }, x: x + first, mean: mean, scale: scale,
        offset: offset, slope: slope, into: dx + first, pixels: range.count, channels: channels)
    }
  }

  private static func grain(_ channels: Int) -> Int { (1 << 16) / max(1, channels) }

  private static func sumOverParts(
    pixels: Int, count: Int, into sums: UnsafeMutablePointer<Float>,
    _ body: (_ part: Range<Int>, _ sums: UnsafeMutablePointer<Float>) -> Void
  ) {
    let parts = max(1, min(16, pixels / 1024))
    let partial = Scratch(count: parts * count)
    partial.pointer.update(repeating: 0, count: parts * count)
    parallel(count: parts) { part in
      body(
        pixels * part / parts..<pixels * (part + 1) / parts, partial.pointer + part * count)
    }
    sumParts(partial.pointer, parts: parts, count: count, into: sums)
  }
}
