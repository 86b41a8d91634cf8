// Pointers: what `Kernels` hands to its inner loops.

/// What batch normalisation knows of each channel: forward is `y = x · scale + shift`, backward
/// `dx = scale (dy - offset - slope (x - mean))`.
public struct NormalizationChannels {
  public let mean, scale, shift, offset, slope: UnsafeMutablePointer<Float>

  /// - Parameter memory: Room for five times as many floats as there are channels.
  public init(_ memory: UnsafeMutablePointer<Float>, channels: Int) {
    (mean, scale, shift) = (memory, memory + channels, memory + 2 * channels)
    (offset, slope) = (memory + 3 * channels, memory + 4 * channels)
  }
}
