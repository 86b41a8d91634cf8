import Kernels
import Testing

/// A convolution fused with the one in front of it gives the same as both in turn.
@Suite(.serialized)
struct ConvolutionInputTests {
  /// The convolution in front, and the output channels, padding and epilogue of the second one.
  static let cases: [(ConvolutionExtents, k: Int, padding: Int, ConvolutionEpilogue)] = [
    (front(n: 1, c: 1, h: 28, w: 28, k: 64, size: 3, padding: 1), 64, 1, pooling),
    (front(n: 19, c: 1, h: 12, w: 9, k: 16, size: 3, padding: 1), 20, 1, .init(activation: .relu)),
    (front(n: 3, c: 3, h: 14, w: 7, k: 20, size: 3, padding: 0), 16, 0, pooling),
    (front(n: 9, c: 1, h: 17, w: 15, k: 8, size: 5, stride: 2, padding: 2), 32, 1, .init()),
    (front(n: 2, c: 8, h: 5, w: 11, k: 24, size: 2, padding: 0), 8, 2, .init(activation: .relu)),
  ]
  static let pooling = ConvolutionEpilogue(
    activation: .relu, pool2x2: true, dropout: DropoutRule(probability: 0.25, seed: 7))

  static func front(
    n: Int, c: Int, h: Int, w: Int, k: Int, size: Int, stride: Int = 1, padding: Int
  ) -> ConvolutionExtents {
    ConvolutionExtents(
      n: n, c: c, h: h, w: w, k: k, r: size, s: size, stride: stride, padding: padding)
  }

  @Test(arguments: KernelSet.withEveryProvider, cases.indices)
  func agreesWithBothInTurn(_ set: KernelSet, _ index: Int) {
    let (front, k, padding, epilogue) = Self.cases[index]
    for relu in [true, false] {
      let problem = Problem(front, relu: relu, k: k, padding: padding, epilogue)
      let expected = KernelSet.$current.withValue(set) { problem.solveInTurn() }
      let results = withThreadCounts(set, problem.solveTogether)
      for other in results.dropFirst() { #expect(other == results[0]) }
      // A library multiplies other tiles together and adds them up in another order.
      if set.productsName == "own" {
        #expect(results[0] == expected)
      } else {
        expectEqual(results[0], expected)
      }
    }
  }

  private func expectEqual(_ found: Problem.Solution, _ expected: Problem.Solution) {
    #expect(relativeError(found.y, expected.y) < 3e-6)
    #expect(relativeError(found.dWeight1, expected.dWeight1) < 2e-5)
    #expect(relativeError(found.dBias1, expected.dBias1) < 2e-5)
    #expect(relativeError(found.dWeight2, expected.dWeight2) < 2e-5)
    #expect(relativeError(found.dBias2, expected.dBias2) < 2e-5)
  }

  @Test(arguments: KernelSet.withEveryProvider)
  func noImagesHaveNoGradient(_ set: KernelSet) {
    let front = Self.front(n: 0, c: 1, h: 8, w: 8, k: 16, size: 3, padding: 1)
    let problem = Problem(front, relu: true, k: 8, padding: 1, .init(activation: .relu))
    let found = KernelSet.$current.withValue(set, operation: problem.solveTogether)
    let all = found.dWeight1 + found.dBias1 + found.dWeight2 + found.dBias2
    #expect(all.allSatisfy { $0 == 0 })
  }

  @Test func onlyACheapConvolutionMayBeInFront() {
    #expect(DirectConvolution.canBeInFront(Self.cases[0].0))
    // Too many channels, and a 1×1 kernel.
    let wide = Self.front(n: 1, c: 16, h: 8, w: 8, k: 8, size: 3, padding: 1)
    let pointwise = Self.front(n: 1, c: 1, h: 8, w: 8, k: 8, size: 1, padding: 0)
    #expect(!DirectConvolution.canBeInFront(wide))
    #expect(!DirectConvolution.canBeInFront(pointwise))
  }
}

/// A problem of two convolutions with fixed numbers.
private struct Problem {
  let front, e: ConvolutionExtents
  let relu: Bool
  let epilogue: ConvolutionEpilogue
  let x, weight1, bias1, weight2, bias2, dy: NumberBuffer

  struct Solution: Equatable {
    var y, dWeight1, dBias1, dWeight2, dBias2: [Float]
  }

  init(
    _ front: ConvolutionExtents, relu: Bool, k: Int, padding: Int, _ epilogue: ConvolutionEpilogue
  ) {
    (self.front, self.relu, self.epilogue) = (front, relu, epilogue)
    e = ConvolutionExtents(
      n: front.n, c: front.k, h: front.outputH, w: front.outputW, k: k, r: 3, s: 3, stride: 1,
      padding: padding)
    x = NumberBuffer(numbers(front.n * front.image))
    weight1 = NumberBuffer(numbers(front.k * front.patch, seed: 2))
    bias1 = NumberBuffer(numbers(front.k, seed: 3))
    weight2 = NumberBuffer(numbers(e.k * e.patch, seed: 4))
    bias2 = NumberBuffer(numbers(e.k, seed: 5))
    let pixels = epilogue.pool2x2 ? (e.outputH / 2) * (e.outputW / 2) : e.outputPixels
    dy = NumberBuffer(numbers(e.n * e.k * pixels, seed: 6))
  }

  func solveTogether() -> Solution {
    let input = ConvolutionInput.front(
      x: x.pointer, weight: weight1.pointer, bias: bias1.pointer, activation: relu ? .relu : .none,
      front)
    let (dWeight1, dBias1) = (NumberBuffer(weight1.values), NumberBuffer(bias1.values))
    let (y, dWeight2, dBias2) = solve(
      input, .front(dWeight: dWeight1.pointer, dBias: dBias1.pointer))
    return Solution(
      y: y, dWeight1: dWeight1.values, dBias1: dBias1.values, dWeight2: dWeight2, dBias2: dBias2)
  }

  func solveInTurn() -> Solution {
    let image = NumberBuffer(numbers(e.n * e.image, seed: 7))
    defer { withExtendedLifetime(image) {} }
    DirectConvolution.forward(
      x: x.pointer, weight: weight1.pointer, bias: bias1.pointer, activation: relu ? .relu : .none,
      y: image.pointer,
      front)
    let dImage = NumberBuffer(image.values)
    let (y, dWeight2, dBias2) = solve(.images(image.pointer), .images(dImage.pointer))
    var (dWeight1, dBias1) = (weight1.values, bias1.values)
    DirectConvolution.gradients(
      x: x.pointer, weight: weight1.pointer, dy: dImage.pointer,
      y: relu ? UnsafePointer(image.pointer) : nil, dx: nil, dWeight: &dWeight1, dBias: &dBias1,
      front)
    return Solution(
      y: y, dWeight1: dWeight1, dBias1: dBias1, dWeight2: dWeight2, dBias2: dBias2)
  }

  private func solve(
    _ input: ConvolutionInput, _ gradient: ConvolutionInputGradient
  ) -> (y: [Float], dWeight: [Float], dBias: [Float]) {
    // Values from before the call must not matter.
    var (y, dWeight, dBias) = (dy.values, weight2.values, bias2.values)
    var codes = [UInt8](repeating: 9, count: y.count)
    WinogradConvolution.forward(
      x: input, weight: weight2.pointer, bias: bias2.pointer, y: &y, codes: &codes, e,
      epilogue: epilogue)
    WinogradConvolution.gradients(
      x: input, weight: weight2.pointer, dy: dy.pointer, y: y, codes: codes, dx: gradient,
      dWeight: &dWeight, dBias: &dBias, e, epilogue: epilogue)
    return (y, dWeight, dBias)
  }
}
