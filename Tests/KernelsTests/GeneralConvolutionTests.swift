import Kernels
import Testing

@Suite(.serialized)
struct GeneralConvolutionTests {
  static let cases = [
    ConvolutionExtents(n: 1, c: 1, h: 1, w: 1, k: 1, r: 1, s: 1, stride: 1, padding: 0),
    ConvolutionExtents(n: 3, c: 2, h: 7, w: 9, k: 4, r: 3, s: 3, stride: 2, padding: 1),
    ConvolutionExtents(
      n: 2, c: 3, h: 9, w: 12, k: 8, r: 3, s: 5, stride: (1, 2), padding: (1, 2)),
    ConvolutionExtents(
      n: 9, c: 4, h: 8, w: 5, k: 6, r: 1, s: 2, stride: (3, 1), padding: (0, 1),
      dilation: (1, 3), groups: 2),
    ConvolutionExtents(
      n: 2, c: 5, h: 10, w: 11, k: 5, r: 3, s: 3, stride: (1, 1), padding: (2, 2),
      dilation: (2, 2), groups: 5),
    ConvolutionExtents(
      n: 1, c: 16, h: 40, w: 37, k: 32, r: 5, s: 5, stride: (1, 1), padding: (4, 0),
      dilation: (2, 1), groups: 4),
    ConvolutionExtents(
      n: 17, c: 32, h: 6, w: 6, k: 64, r: 3, s: 3, stride: (1, 1), padding: (1, 1), groups: 32),
    ConvolutionExtents(
      n: 2, c: 3, h: 4, w: 4, k: 20, r: 4, s: 4, stride: (4, 4), padding: (0, 0)),
    ConvolutionExtents(
      n: 9, c: 20, h: 9, w: 7, k: 20, r: 3, s: 3, stride: (1, 2), padding: (1, 1), groups: 20),
    // Images that are multiplied without a copy.
    ConvolutionExtents(n: 9, c: 36, h: 7, w: 13, k: 24, r: 1, s: 1, stride: 1, padding: 0),
    ConvolutionExtents(
      n: 2, c: 34, h: 50, w: 60, k: 26, r: 1, s: 1, stride: (1, 1), padding: (0, 0), groups: 2),
  ]

  @Test(arguments: KernelSet.withEveryProvider, cases.indices)
  func agreesWithTheReference(_ set: KernelSet, _ index: Int) {
    let e = Self.cases[index]
    let (inputs, outputs) = (e.h * e.w, e.outputPixels)
    let (x, weight) = (numbers(e.n * e.image), numbers(e.k * e.patch, seed: 2))
    let (bias, dy) = (numbers(e.k, seed: 3), numbers(e.n * e.output, seed: 4))
    let lastX = channelsLast(x, n: e.n, c: e.c, pixels: inputs)
    let lastDy = channelsLast(dy, n: e.n, c: e.k, pixels: outputs)
    for activation in [Activation.none, .relu] {
      let results = withThreadCounts(set) {
        // Values from before the call must not matter.
        var (y, dx, dWeight, dBias) = (lastDy, lastX, weight, bias)
        GeneralConvolution.forward(
          x: lastX, weight: weight, bias: bias, activation: activation, y: &y, e)
        let result = y
        result.withUnsafeBufferPointer {
          GeneralConvolution.gradients(
            x: lastX, weight: weight, dy: lastDy,
            y: activation == .relu ? $0.baseAddress : nil, dx: &dx, dWeight: &dWeight,
            dBias: &dBias, e)
        }
        return [y, dx, dWeight, dBias]
      }
      for other in results.dropFirst() { #expect(other == results[0]) }
      var (y, dx, dWeight, dBias) = (dy, x, weight, bias)
      convolutionReference(x: x, weight: weight, bias: bias, y: &y, e)
      let gradient = zip(dy, y).map { activation == .relu && $1 <= 0 ? 0 : $0 }
      if activation == .relu { y = y.map { max($0, 0) } }
      convolutionGradientsReference(
        x: x, weight: weight, dy: gradient, dx: &dx, dWeight: &dWeight, dBias: &dBias, e)
      let found = results[0]
      #expect(relativeError(channelsFirst(found[0], n: e.n, c: e.k, pixels: outputs), y) < 2e-6)
      #expect(relativeError(channelsFirst(found[1], n: e.n, c: e.c, pixels: inputs), dx) < 2e-6)
      #expect(relativeError(found[2], dWeight) < 2e-6)
      #expect(relativeError(found[3], dBias) < 2e-6)
    }
  }

  @Test(arguments: KernelSet.withEveryProvider)
  func gradientsThatAreNotWantedAreSkipped(_ set: KernelSet) {
    for e in [Self.cases[3], Self.cases[4]] { expectTheSameOneByOne(set, e) }
  }

  private func expectTheSameOneByOne(_ set: KernelSet, _ e: ConvolutionExtents) {
    let (x, weight, dy) = (
      numbers(e.n * e.image), numbers(e.k * e.patch, seed: 2), numbers(e.n * e.output, seed: 4)
    )
    KernelSet.$current.withValue(set) {
      var (dx, dWeight, dBias) = (x, weight, numbers(e.k))
      GeneralConvolution.gradients(
        x: x, weight: weight, dy: dy, dx: &dx, dWeight: &dWeight, dBias: &dBias, e)
      var (dx1, dWeight1, dBias1) = (x, weight, numbers(e.k))
      GeneralConvolution.gradients(
        x: x, weight: weight, dy: dy, dx: &dx1, dWeight: nil, dBias: nil, e)
      GeneralConvolution.gradients(
        x: x, weight: weight, dy: dy, dx: nil, dWeight: &dWeight1, dBias: nil, e)
      GeneralConvolution.gradients(
        x: x, weight: weight, dy: dy, dx: nil, dWeight: nil, dBias: &dBias1, e)
      #expect(dx1 == dx && dWeight1 == dWeight && dBias1 == dBias)
    }
  }

  @Test(
    .enabled(
      if: KernelSet.hasLibrary, "no BLAS library is installed; apt-get install libopenblas0"))
  func aLibraryTakesLargeDirectConvolutions() {
    let pointwise = Self.cases[Self.cases.count - 2]
    let cheap = ConvolutionExtents(
      n: 9, c: 3, h: 28, w: 28, k: 64, r: 3, s: 3, stride: 1, padding: 1)
    let set = KernelSet.supported[0]
    KernelSet.$current.withValue(set) {
      #expect(DirectConvolution.isSupported(pointwise) && DirectConvolution.isSupported(cheap))
    }
    KernelSet.$current.withValue(set.withFastProducts()) {
      #expect(!DirectConvolution.isSupported(pointwise) && DirectConvolution.isSupported(cheap))
    }
  }

  @Test func onlyUniformConvolutionsAreForWinograd() {
    let plain = ConvolutionExtents(
      n: 1, c: 16, h: 16, w: 16, k: 16, r: 3, s: 3, stride: 1, padding: 1)
    let grouped = ConvolutionExtents(
      n: 1, c: 16, h: 16, w: 16, k: 16, r: 3, s: 3, stride: (1, 1), padding: (1, 1), groups: 2)
    #expect(WinogradConvolution.isSupported(plain) && !WinogradConvolution.isSupported(grouped))
  }
}
