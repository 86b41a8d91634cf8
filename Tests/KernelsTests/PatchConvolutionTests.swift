import Kernels
import Testing

@Suite(.serialized)
struct PatchConvolutionTests {
  static let cases = [
    ConvolutionExtents(n: 1, c: 1, h: 1, w: 1, k: 1, r: 1, s: 1, stride: 1, padding: 0),
    ConvolutionExtents(n: 1, c: 1, h: 3, w: 3, k: 1, r: 3, s: 3, stride: 1, padding: 1),
    ConvolutionExtents(n: 5, c: 3, h: 7, w: 9, k: 4, r: 3, s: 3, stride: 1, padding: 1),
    ConvolutionExtents(n: 2, c: 3, h: 8, w: 5, k: 5, r: 3, s: 3, stride: 2, padding: 1),
    ConvolutionExtents(n: 17, c: 2, h: 6, w: 6, k: 3, r: 1, s: 1, stride: 2, padding: 0),
    ConvolutionExtents(n: 3, c: 2, h: 5, w: 4, k: 2, r: 2, s: 4, stride: 3, padding: 3),
    ConvolutionExtents(n: 2, c: 1, h: 2, w: 9, k: 2, r: 2, s: 5, stride: 4, padding: 0),
    ConvolutionExtents(n: 20, c: 16, h: 9, w: 9, k: 16, r: 3, s: 3, stride: 1, padding: 1),
  ]

  @Test(arguments: cases)
  func agreesWithTheReference(_ e: ConvolutionExtents) {
    let (fast, plain) = (Results(e), Results(e, reference: true))
    #expect(relativeError(fast.y, plain.y) < 2e-6)
    #expect(relativeError(fast.dx, plain.dx) < 2e-6)
    #expect(relativeError(fast.dWeight, plain.dWeight) < 2e-6)
    #expect(relativeError(fast.dBias, plain.dBias) < 2e-6)
  }

  @Test(arguments: cases)
  func theNumberOfThreadsDoesNotMatter(_ e: ConvolutionExtents) {
    let before = Threads.count
    defer { Threads.count = before }
    let results = [1, 2, 3, 8].map { threads in
      Threads.count = threads
      return Results(e)
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
  }
}

/// What a convolution and its gradients compute from fixed numbers.
private struct Results: Equatable {
  var y, dx, dWeight, dBias: [Float]

  init(_ e: ConvolutionExtents, reference: Bool = false) {
    let (x, weight) = (numbers(e.n * e.c * e.h * e.w), numbers(e.k * e.c * e.r * e.s, seed: 2))
    let bias = numbers(e.k, seed: 3)
    let outputs = e.n * e.k * e.outputH * e.outputW
    let dy = numbers(outputs, seed: 4)
    // What was there before must not matter.
    y = numbers(outputs, seed: 5)
    dx = numbers(x.count, seed: 6)
    dWeight = numbers(weight.count, seed: 7)
    dBias = numbers(bias.count, seed: 8)
    if reference {
      convolutionReference(x: x, weight: weight, bias: bias, y: &y, e)
      convolutionGradientsReference(
        x: x, weight: weight, dy: dy, dx: &dx, dWeight: &dWeight, dBias: &dBias, e)
    } else {
      convolution(x: x, weight: weight, bias: bias, y: &y, e)
      convolutionGradients(
        x: x, weight: weight, dy: dy, dx: &dx, dWeight: &dWeight, dBias: &dBias, e)
    }
  }
}
