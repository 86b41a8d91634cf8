import Kernels

/// Loops limited by memory bandwidth, on the CNN's first feature maps and on its largest weight.
func elementLoops() -> [(String, Work)] {
  let (n, channels, size) = (128, 64, 28)
  let pixels = n * size * size
  let count = pixels * channels
  let (x, y, dx, dy) = (floats(count), floats(count), floats(count), floats(count))
  let (mean, variance) = (floats(channels), floats(channels))
  let (weight, bias) = (floats(channels), floats(channels))
  let (dWeight, dBias) = (floats(channels), floats(channels))
  let codes = UnsafeMutablePointer<UInt8>.allocate(capacity: count / 4)
  let pooling = PoolingExtents(planes: n, h: size, w: size, size: 2, stride: 2)
  let weights = 12544 * 128
  func work(_ operations: Int, _ run: @escaping () -> Void) -> Work {
    Work(operations: Double(operations), run: run)
  }
  let name = "\(n)×\(channels)×\(size)×\(size)"
  return [
    ("relu \(name)", work(count) { relu(x: x, y: y, count: count) }),
    ("relu \(name), backward", work(count) { reluGradient(dy: dy, y: y, dx: dx, count: count) }),
    ("add \(name)", work(count) { add(x, y, y: dx, count: count) }),
    (
      "dropout \(name)",
      work(count) { dropout(x: x, y: y, count: count, DropoutRule(probability: 0.25, seed: 1)) }
    ),
    (
      "max pooling \(name)",
      work(count) { maxPoolingChannelsLast(x: x, y: y, codes: codes, channels: channels, pooling) }
    ),
    (
      "max pooling \(name), backward",
      work(count) {
        maxPoolingGradientChannelsLast(
          dy: dy, codes: codes, dx: dx, channels: channels, pooling)
      }
    ),
    (
      "batch norm \(name), relu, training",
      work(6 * count) {
        BatchNormalization.statistics(
          x: x, mean: mean, variance: variance, pixels: pixels, channels: channels)
        BatchNormalization.forward(
          x: x, mean: mean, variance: variance, weight: weight, bias: bias, epsilon: 1e-5,
          activation: .relu, y: y, pixels: pixels, channels: channels)
      }
    ),
    (
      "batch norm \(name), relu, backward",
      work(8 * count) {
        BatchNormalization.gradients(
          x: x, mean: mean, variance: variance, weight: weight, bias: bias, epsilon: 1e-5,
          activation: .relu, isTraining: true,
          dy: dy, dx: dx, dWeight: dWeight, dBias: dBias, pixels: pixels, channels: channels)
      }
    ),
    (
      "to channels last \(name)",
      work(0) { channelsLast(x, into: y, n: n, c: channels, pixels: size * size) }
    ),
    (
      "to channels first \(name)",
      work(0) { channelsFirst(x, into: y, n: n, c: channels, pixels: size * size) }
    ),
    (
      "adam \(weights)",
      work(12 * weights) {
        adamStep(
          value: x, gradient: dy, moment1: dx, moment2: y, count: weights, step: 10,
          learningRate: 1e-6, beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
      }
    ),
  ]
}
