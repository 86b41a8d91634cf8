import Kernels

/// The kernels of operations that the course's networks do not use.
func vocabulary() -> [(String, Work)] {
  let (n, channels, size) = (32, 64, 28)
  let pixels = size * size
  let count = n * pixels * channels
  let (x, y, dx, dy) = (floats(count), floats(count), floats(count), floats(count))
  let (weight, bias) = (floats(channels), floats(channels))
  let (means, scales) = (floats(n * pixels), floats(n * pixels))
  let same = BroadcastExtents(shape: [count], aStrides: [1], bStrides: [1])
  let byChannel = BroadcastExtents(
    shape: [n * pixels, channels], aStrides: [channels, 1], bStrides: [0, 1])
  let rows = ReductionExtents(shape: [n * pixels, channels], axes: [0])
  let shape = [n, channels, pixels]
  let strides = [channels * pixels, pixels, 1]
  let permuted = [channels * pixels, 1, channels]
  let name = "\(n)×\(size)×\(size)×\(channels)"
  func work(_ operations: Int, _ run: @escaping () -> Void) -> Work {
    Work(operations: Double(operations), run: run)
  }
  return [
    ("multiply \(name)", work(count) { binary(.multiply, x, y, y: dx, same) }),
    ("multiply by channel \(name)", work(count) { binary(.multiply, x, weight, y: dx, byChannel) }),
    (
      "multiply by channel \(name), backward by the channel",
      work(2 * count) {
        binaryGradient(.multiply, of: .right, dy: dy, x, weight, d: bias, byChannel)
      }
    ),
    ("exp \(name)", work(count) { unary(.exp, x: x, y: y, count: count) }),
    ("gelu \(name)", work(count) { unary(.gelu, x: x, y: y, count: count) }),
    (
      "gelu \(name), backward",
      work(count) { unaryGradient(.gelu, dy: dy, x: x, y: y, dx: dx, count: count) }
    ),
    ("sum of rows \(name)", work(count) { reduceSum(x, into: bias, rows) }),
    (
      "permute \(name)",
      work(count) {
        copyStrided(x, strides: strides, into: y, strides: permuted, shape: shape)
      }
    ),
    (
      "layer norm \(name)",
      work(6 * count) {
        LayerNormalization.forward(
          x: x, weight: weight, bias: bias, epsilon: 1e-5, y: y, means: means, scales: scales,
          rows: n * pixels, columns: channels)
      }
    ),
  ]
}

/// Convolutions that are neither direct nor Winograd's.
func groupedConvolutions() -> [(String, Work)] {
  let (n, channels, size) = (32, 64, 28)
  let count = n * size * size * channels
  let (x, y, dx, dy) = (floats(count), floats(count), floats(count), floats(count))
  let bias = floats(channels)
  func work(_ operations: Int, _ run: @escaping () -> Void) -> Work {
    Work(operations: Double(operations), run: run)
  }
  var all: [(String, Work)] = []
  for (name, dilation, groups) in [("dilated", 2, 1), ("4 groups", 1, 4), ("depthwise", 1, 64)] {
    let e = ConvolutionExtents(
      n: n, c: channels, h: size, w: size, k: channels, r: 3, s: 3, stride: (1, 1),
      padding: (dilation, dilation), dilation: (dilation, dilation), groups: groups)
    let (weights, dWeights) = (floats(e.k * e.patch), floats(e.k * e.patch))
    let operations = 2 * e.n * e.outputPixels * e.k * e.patch
    all += [
      (
        "general convolution, \(name)",
        work(operations) {
          GeneralConvolution.forward(x: x, weight: weights, bias: bias, y: y, e)
        }
      ),
      (
        "general convolution, \(name), backward",
        work(2 * operations) {
          GeneralConvolution.gradients(
            x: x, weight: weights, dy: dy, dx: dx, dWeight: dWeights, dBias: bias, e)
        }
      ),
    ]
  }
  return all
}
