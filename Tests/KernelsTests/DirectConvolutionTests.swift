import Kernels
import Testing

@Suite(.serialized)
struct DirectConvolutionTests {
  @Test(
    arguments: KernelSet.supported,
    [
      ConvolutionExtents(n: 1, c: 1, h: 1, w: 1, k: 1, r: 1, s: 1, stride: 1, padding: 0),
      ConvolutionExtents(n: 1, c: 1, h: 3, w: 3, k: 1, r: 3, s: 3, stride: 1, padding: 1),
      ConvolutionExtents(n: 5, c: 3, h: 7, w: 9, k: 4, r: 3, s: 3, stride: 1, padding: 1),
      ConvolutionExtents(n: 2, c: 3, h: 8, w: 5, k: 5, r: 3, s: 3, stride: 2, padding: 1),
      ConvolutionExtents(n: 17, c: 2, h: 6, w: 6, k: 3, r: 1, s: 1, stride: 2, padding: 0),
      ConvolutionExtents(n: 3, c: 2, h: 5, w: 4, k: 2, r: 2, s: 4, stride: 3, padding: 3),
      ConvolutionExtents(n: 2, c: 1, h: 2, w: 9, k: 2, r: 2, s: 5, stride: 4, padding: 0),
      ConvolutionExtents(n: 20, c: 16, h: 9, w: 9, k: 16, r: 3, s: 3, stride: 1, padding: 1),
      ConvolutionExtents(n: 3, c: 1, h: 28, w: 28, k: 64, r: 3, s: 3, stride: 1, padding: 1),
      ConvolutionExtents(n: 17, c: 20, h: 7, w: 7, k: 64, r: 1, s: 1, stride: 1, padding: 0),
      ConvolutionExtents(n: 5, c: 64, h: 12, w: 12, k: 64, r: 3, s: 3, stride: 1, padding: 1),
      ConvolutionExtents(n: 2, c: 64, h: 11, w: 10, k: 20, r: 3, s: 3, stride: 2, padding: 1),
      ConvolutionExtents(n: 1, c: 16, h: 8, w: 8, k: 83, r: 1, s: 1, stride: 2, padding: 0),
      // Rectangular, as the last one of the networks that read lines.
      ConvolutionExtents(
        n: 16, c: 16, h: 4, w: 23, k: 83, r: 4, s: 3, stride: (3, 2), padding: (0, 0)),
      ConvolutionExtents(
        n: 9, c: 17, h: 5, w: 12, k: 130, r: 3, s: 2, stride: (3, 1), padding: (0, 1)),
      ConvolutionExtents(
        n: 2, c: 130, h: 9, w: 7, k: 20, r: 2, s: 5, stride: (1, 3), padding: (2, 0)),
      ConvolutionExtents(
        n: 3, c: 5, h: 7, w: 8, k: 16, r: 1, s: 2, stride: (2, 4), padding: (1, 3)),
      // Pixels that no window reaches, and windows outside the image.
      ConvolutionExtents(n: 2, c: 3, h: 7, w: 8, k: 5, r: 3, s: 3, stride: 3, padding: 0),
      ConvolutionExtents(n: 2, c: 3, h: 8, w: 9, k: 5, r: 2, s: 2, stride: 5, padding: 7),
      // Bands of an image, and a weight larger than a cache.
      ConvolutionExtents(n: 2, c: 64, h: 9, w: 700, k: 20, r: 3, s: 3, stride: 2, padding: 1),
      ConvolutionExtents(
        n: 8, c: 128, h: 3, w: 30, k: 512, r: 3, s: 4, stride: (3, 2), padding: (0, 0)),
    ])
  func agreesWithTheReference(_ set: KernelSet, _ e: ConvolutionExtents) {
    for relu in [false, true] {
      let problem = Problem(e, relu: relu)
      let results = withThreadCounts(set) { problem.solve() }
      for other in results.dropFirst() { #expect(other == results[0]) }
      let (found, expected) = (results[0], problem.solveByReference())
      #expect(relativeError(found.y, expected.y) < 2e-6)
      #expect(relativeError(found.dx, expected.dx) < 2e-6)
      #expect(relativeError(found.dWeight, expected.dWeight) < 2e-6)
      #expect(relativeError(found.dBias, expected.dBias) < 2e-6)
    }
  }

  @Test(
    arguments: KernelSet.supported,
    [
      ConvolutionExtents(n: 3, c: 16, h: 9, w: 8, k: 32, r: 3, s: 3, stride: 2, padding: 1),
      ConvolutionExtents(n: 3, c: 16, h: 9, w: 8, k: 32, r: 1, s: 1, stride: 2, padding: 0),
      ConvolutionExtents(n: 2, c: 5, h: 4, w: 4, k: 16, r: 5, s: 5, stride: 1, padding: 4),
      ConvolutionExtents(n: 2, c: 3, h: 5, w: 4, k: 20, r: 3, s: 3, stride: 2, padding: 1),
    ])
  func theGradientsDoNotDependOnTheBias(_ set: KernelSet, _ e: ConvolutionExtents) {
    let problem = Problem(e, relu: false)
    let with = withThreadCounts(set) { problem.solve() }
    let without = withThreadCounts(set) { problem.solve(hasBias: false) }
    for (with, without) in zip(with, without) {
      #expect(without.dx == with.dx)
      #expect(without.dWeight == with.dWeight)
    }
  }
}

/// A convolution problem with fixed numbers.
private struct Problem {
  let e: ConvolutionExtents
  let relu: Bool
  let x, weight, bias, dy: [Float]

  struct Solution: Equatable {
    var y, dx, dWeight, dBias: [Float]
  }

  init(_ e: ConvolutionExtents, relu: Bool) {
    (self.e, self.relu) = (e, relu)
    x = numbers(e.n * e.c * e.h * e.w)
    weight = numbers(e.k * e.c * e.r * e.s, seed: 2)
    bias = numbers(e.k, seed: 3)
    dy = numbers(e.n * e.k * e.outputH * e.outputW, seed: 4)
  }

  /// - Parameter hasBias: Whether there is a bias and its gradient.
  func solve(hasBias: Bool = true) -> Solution {
    let (inputs, outputs) = (e.h * e.w, e.outputH * e.outputW)
    let x = channelsLast(x, n: e.n, c: e.c, pixels: inputs)
    let dy = channelsLast(dy, n: e.n, c: e.k, pixels: outputs)
    // Values from before the call must not matter.
    var result = Solution(
      y: numbers(dy.count, seed: 5), dx: numbers(x.count, seed: 6),
      dWeight: numbers(weight.count, seed: 7), dBias: numbers(bias.count, seed: 8))
    bias.withUnsafeBufferPointer { bias in
      DirectConvolution.forward(
        x: x, weight: weight, bias: hasBias ? bias.baseAddress : nil,
        activation: relu ? .relu : .none, y: &result.y, e)
    }
    let y = result.y
    y.withUnsafeBufferPointer { y in
      result.dBias.withUnsafeMutableBufferPointer { dBias in
        DirectConvolution.gradients(
          x: x, weight: weight, dy: dy, y: relu ? y.baseAddress : nil, dx: &result.dx,
          dWeight: &result.dWeight, dBias: hasBias ? dBias.baseAddress : nil, e)
      }
    }
    result.y = channelsFirst(result.y, n: e.n, c: e.k, pixels: outputs)
    result.dx = channelsFirst(result.dx, n: e.n, c: e.c, pixels: inputs)
    return result
  }

  func solveByReference() -> Solution {
    var result = Solution(y: dy, dx: x, dWeight: weight, dBias: bias)
    convolutionReference(x: x, weight: weight, bias: bias, y: &result.y, e)
    let gradient = zip(dy, result.y).map { relu && $1 <= 0 ? 0 : $0 }
    if relu { result.y = result.y.map { max($0, 0) } }
    convolutionGradientsReference(
      x: x, weight: weight, dy: gradient,
      dx: &result.dx, dWeight: &result.dWeight, dBias: &result.dBias, e)
    return result
  }
}
