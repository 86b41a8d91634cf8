import Kernels
import Synchronization
import Testing

@Suite(.serialized)
struct WinogradConvolutionTests {
  /// Images, input channels, height, width, output channels, padding.
  static let cases = [
    (1, 1, 3, 3, 1, 0), (1, 3, 1, 1, 20, 1), (2, 16, 2, 5, 16, 1), (3, 20, 5, 4, 3, 0),
    (17, 16, 6, 6, 20, 1), (1, 64, 7, 9, 16, 0), (2, 3, 8, 11, 64, 1), (3, 16, 10, 3, 3, 1),
    (1, 20, 28, 28, 64, 1), (17, 64, 9, 10, 64, 1), (2, 1, 4, 7, 16, 2),
    (2, 20, 5, 300, 16, 1), (1, 64, 6, 333, 64, 0), (3, 16, 9, 500, 32, 1),
  ].map { n, c, h, w, k, padding in
    ConvolutionExtents(n: n, c: c, h: h, w: w, k: k, r: 3, s: 3, stride: 1, padding: padding)
  }

  static let epilogues = [
    ConvolutionEpilogue(), ConvolutionEpilogue(activation: .relu),
    ConvolutionEpilogue(activation: .relu, pool2x2: true), ConvolutionEpilogue(pool2x2: true),
    ConvolutionEpilogue(
      activation: .relu, pool2x2: true,
      dropout: DropoutRule(probability: 0.25, seed: 12_345_678_901)),
  ]

  @Test(arguments: KernelSet.withEveryProvider, cases)
  func agreesWithTheReference(_ set: KernelSet, _ e: ConvolutionExtents) {
    for epilogue in Self.epilogues where !epilogue.pool2x2 || min(e.outputH, e.outputW) > 1 {
      let problem = Problem(e, epilogue)
      let results = withThreadCounts(set) { problem.solve() }
      for other in results.dropFirst() { #expect(other == results[0]) }

      let found = results[0]
      let expected = problem.solveByReference(codes: found.codes)
      #expect(relativeError(found.y, expected.y) < 3e-6)
      #expect(relativeError(found.dx, expected.dx) < 2e-5)
      #expect(relativeError(found.dWeight, expected.dWeight) < 2e-5)
      #expect(relativeError(found.dBias, expected.dBias) < 2e-5)
    }
  }

  @Test(arguments: KernelSet.withEveryProvider)
  func theFirstOfEqualPixelsIsTheLargest(_ set: KernelSet) {
    // All pixels are equal, so that the first one of each window counts as the largest.
    let e = ConvolutionExtents(
      n: 1, c: 16, h: 8, w: 8, k: 16, r: 3, s: 3, stride: 1, padding: 0)
    var y = [Float](repeating: 0, count: 9 * 16)
    var codes = [UInt8](repeating: 9, count: y.count)
    let x = NumberBuffer([Float](repeating: 0, count: 16 * 64))
    defer { withExtendedLifetime(x) {} }
    let weight = numbers(16 * 16 * 9)
    var bias = numbers(16)
    for (sign, code) in [(Float(1), UInt8(0)), (-1, 4)] {
      for k in 0..<16 { bias[k] = sign * abs(bias[k]) }
      KernelSet.$current.withValue(set) {
        WinogradConvolution.forward(
          x: .images(x.pointer), weight: weight, bias: bias, y: &y, codes: &codes, e,
          epilogue: ConvolutionEpilogue(activation: .relu, pool2x2: true))
      }
      #expect(codes == [UInt8](repeating: code, count: codes.count))
    }
  }

  @Test(arguments: KernelSet.withEveryProvider)
  func noImagesHaveNoGradient(_ set: KernelSet) {
    let e = ConvolutionExtents(n: 0, c: 8, h: 4, w: 4, k: 8, r: 3, s: 3, stride: 1, padding: 1)
    var (dWeight, dBias) = (numbers(8 * 8 * 9), numbers(8))
    let x = NumberBuffer([])
    defer { withExtendedLifetime(x) {} }
    KernelSet.$current.withValue(set) {
      WinogradConvolution.gradients(
        x: .images(x.pointer), weight: numbers(8 * 8 * 9), dy: [], dx: nil,
        dWeight: &dWeight, dBias: &dBias, e)
    }
    #expect((dWeight + dBias).allSatisfy { $0 == 0 })
  }

  @Test(arguments: KernelSet.withEveryProvider)
  func aNaNReachesTheResult(_ set: KernelSet) {
    let e = ConvolutionExtents(n: 1, c: 8, h: 4, w: 4, k: 8, r: 3, s: 3, stride: 1, padding: 1)
    let x = NumberBuffer(numbers(8 * 16))
    defer { withExtendedLifetime(x) {} }
    x.pointer[3] = .nan
    for epilogue in [
      ConvolutionEpilogue(activation: .relu), .init(activation: .relu, pool2x2: true),
    ] {
      var y = [Float](repeating: 0, count: 8 * 16)
      KernelSet.$current.withValue(set) {
        WinogradConvolution.forward(
          x: .images(x.pointer), weight: numbers(8 * 8 * 9), bias: nil, y: &y, e,
          epilogue: epilogue)
      }
      #expect(y[0].isNaN)
    }
  }
}

/// A convolution problem with fixed numbers.
private struct Problem {
  let e: ConvolutionExtents
  let epilogue: ConvolutionEpilogue
  let x, weight, bias, dy: [Float]

  struct Solution: Equatable {
    var y, dx, dWeight, dBias: [Float]
    var codes: [UInt8]
  }

  init(_ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue) {
    (self.e, self.epilogue) = (e, epilogue)
    x = numbers(e.n * e.c * e.h * e.w)
    weight = numbers(e.k * e.c * 9, seed: 2)
    bias = numbers(e.k, seed: 3)
    dy = numbers(
      e.n * e.k * (epilogue.pool2x2 ? (e.outputH / 2) * (e.outputW / 2) : e.outputH * e.outputW),
      seed: 4)
  }

  private var resultPixels: Int { dy.count / (e.n * e.k) }

  func solve() -> Solution {
    let x = channelsLast(x, n: e.n, c: e.c, pixels: e.h * e.w)
    let dy = channelsLast(dy, n: e.n, c: e.k, pixels: resultPixels)
    // Values from before the call must not matter.
    var result = Solution(
      y: numbers(dy.count, seed: 5), dx: numbers(x.count, seed: 6),
      dWeight: numbers(weight.count, seed: 7), dBias: numbers(bias.count, seed: 8),
      codes: [UInt8](repeating: 9, count: dy.count))
    let (images, gradients) = (NumberBuffer(x), NumberBuffer(result.dx))
    defer { withExtendedLifetime(images) {} }
    WinogradConvolution.forward(
      x: .images(images.pointer), weight: weight, bias: bias, y: &result.y,
      codes: &result.codes, e, epilogue: epilogue)
    WinogradConvolution.gradients(
      x: .images(images.pointer), weight: weight, dy: dy, y: result.y, codes: result.codes,
      dx: .images(gradients.pointer), dWeight: &result.dWeight, dBias: &result.dBias, e,
      epilogue: epilogue)
    result.dx = gradients.values
    result.y = channelsFirst(result.y, n: e.n, c: e.k, pixels: resultPixels)
    result.codes = channelsFirst(result.codes, n: e.n, c: e.k, pixels: resultPixels)
    result.dx = channelsFirst(result.dx, n: e.n, c: e.c, pixels: e.h * e.w)
    return result
  }

  /// The same by the definitions, except for the choice among nearly equal pixels, which is taken from
  /// the codes.
  func solveByReference(codes: [UInt8]) -> Solution {
    let pixels = references.pixels(of: e) {
      var pixels = [Float](repeating: 0, count: e.n * e.k * e.outputH * e.outputW)
      convolutionReference(x: x, weight: weight, bias: bias, y: &pixels, e)
      return pixels
    }
    var y = pixels
    var gradient = dy
    if epilogue.pool2x2 {
      (y, gradient) = pooled(pixels, codes)
    } else if (epilogue.activation == .relu) {
      y = pixels.map { max($0, 0) }
      gradient = zip(dy, pixels).map { $1 > 0 ? $0 : 0 }
    }
    let gradients = references.gradients(of: e, for: gradient) {
      var result = Gradients(x: x, weight: weight, bias: bias)
      convolutionGradientsReference(
        x: x, weight: weight, dy: gradient,
        dx: &result.x, dWeight: &result.weight, dBias: &result.bias, e)
      return result
    }
    return Solution(
      y: y, dx: gradients.x, dWeight: gradients.weight, dBias: gradients.bias, codes: codes)
  }

  /// The pixels after pooling, ReLU and dropout, and the gradient of the pixels.
  private func pooled(_ pixels: [Float], _ codes: [UInt8]) -> ([Float], [Float]) {
    let (h, w) = (e.outputH / 2, e.outputW / 2)
    var gradient = [Float](repeating: 0, count: pixels.count)
    let y = dy.indices.map { index in
      let (plane, row, column) = (index / (h * w), index / w % h, index % w)
      let corner = (plane * e.outputH + 2 * row) * e.outputW + 2 * column
      let places = [corner, corner + 1, corner + e.outputW, corner + e.outputW + 1]
      let isKept = epilogue.dropout?.keeps(index) ?? true
      let scale = epilogue.dropout?.scale ?? 1
      let largest = places.map { pixels[$0] }.max() ?? 0
      if codes[index] < 4 {
        #expect(abs(pixels[places[Int(codes[index])]] - largest) < 1e-4)
        gradient[places[Int(codes[index])]] = dy[index] * scale
      } else {
        #expect(
          codes[index] == 4 && (!isKept || ((epilogue.activation == .relu) && largest < 1e-4)))
      }
      return isKept ? ((epilogue.activation == .relu) ? max(largest, 0) : largest) * scale : 0
    }
    return (y, gradient)
  }
}

private struct Gradients: Sendable {
  var x, weight, bias: [Float]
}

/// What the plain convolution gives for the numbers of a problem. It takes longer than all sets of kernels
/// together, and mostly gets the same input for each of them.
private let references = References()

private final class References: Sendable {
  private struct Key: Hashable {
    let extents: ConvolutionExtents
    let gradient: [Float]
  }

  private let pixels = Mutex<[ConvolutionExtents: [Float]]>([:])
  private let gradients = Mutex<[Key: Gradients]>([:])

  func pixels(of e: ConvolutionExtents, _ compute: () -> [Float]) -> [Float] {
    if let known = pixels.withLock({ $0[e] }) { return known }
    let result = compute()
    pixels.withLock { $0[e] = result }
    return result
  }

  func gradients(
    of e: ConvolutionExtents, for gradient: [Float], _ compute: () -> Gradients
  ) -> Gradients {
    let key = Key(extents: e, gradient: gradient)
    if let known = gradients.withLock({ $0[key] }) { return known }
    let result = compute()
    gradients.withLock { $0[key] = result }
    return result
  }
}
