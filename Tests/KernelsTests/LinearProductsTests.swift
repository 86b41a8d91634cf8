import Kernels
import Testing

@Suite(.serialized)
struct LinearProductsTests {
  @Test(
    arguments: KernelSet.withEveryProvider,
    [
      (1, 1, 1), (3, 200, 5), (7, 9, 150), (2, 5000, 3), (9, 5000, 17), (128, 300, 83),
      (64, 700, 300),
    ])
  func agreesWithTheDefinition(_ set: KernelSet, sizes: (n: Int, inputs: Int, outputs: Int)) {
    let (n, inputs, outputs) = sizes
    let (x, weight) = (numbers(n * inputs), numbers(outputs * inputs, seed: 2))
    let (bias, dy) = (numbers(outputs, seed: 3), numbers(n * outputs, seed: 4))
    // Values from before the call must not matter.
    var y = numbers(n * outputs, seed: 5)
    var dx = numbers(n * inputs, seed: 6)
    var dWeight = numbers(outputs * inputs, seed: 7)
    let results = withThreadCounts(set) {
      linear(x: x, weight: weight, bias: bias, y: &y, n: n, inputs: inputs, outputs: outputs)
      linearInputGradient(
        dy: dy, weight: weight, dx: &dx, n: n, inputs: inputs, outputs: outputs)
      linearWeightGradient(
        dy: dy, x: x, dWeight: &dWeight, n: n, inputs: inputs, outputs: outputs)
      return [y, dx, dWeight]
    }
    for other in results.dropFirst() { #expect(other == results[0]) }

    var expectedY = (0..<n).flatMap { _ in bias }
    var expectedDx = [Float](repeating: 0, count: n * inputs)
    var expectedDWeight = [Float](repeating: 0, count: outputs * inputs)
    for row in 0..<n {
      for output in 0..<outputs {
        for input in 0..<inputs {
          let gradient = dy[row * outputs + output]
          expectedY[row * outputs + output] +=
            x[row * inputs + input] * weight[output * inputs + input]
          expectedDx[row * inputs + input] += gradient * weight[output * inputs + input]
          expectedDWeight[output * inputs + input] += gradient * x[row * inputs + input]
        }
      }
    }
    #expect(relativeError(y, expectedY) < 2e-6)
    #expect(relativeError(dx, expectedDx) < 2e-6)
    #expect(relativeError(dWeight, expectedDWeight) < 2e-6)
  }

  @Test(
    arguments: KernelSet.withEveryProvider,
    [(1, 1, 1, 1), (3, 5, 7, 2), (20, 17, 9, 33), (100, 3, 4, 5), (2, 300, 400, 100), (9, 2, 3, 0)])
  func productsOfPairsAgreeWithTheReference(
    _ set: KernelSet, sizes: (count: Int, m: Int, n: Int, k: Int)
  ) {
    let (count, m, n, k) = sizes
    let (a, b) = (
      NumberBuffer(numbers(count * m * k)), NumberBuffer(numbers((count + 1) / 2 * k * n, seed: 2))
    )
    defer { withExtendedLifetime((a, b)) {} }
    // Pairs of products share a matrix of B.
    let aOffsets = (0..<count).map { $0 * m * k }
    let bOffsets = (0..<count).map { $0 / 2 * k * n }
    for (aIsTransposed, bIsTransposed) in [
      (false, false), (true, false), (false, true), (true, true),
    ] {
      func left(_ offset: Int) -> Matrix {
        Matrix(
          a.pointer + offset, stride: aIsTransposed ? m : k, isTransposed: aIsTransposed)
      }
      func right(_ offset: Int) -> Matrix {
        Matrix(
          b.pointer + offset, stride: bIsTransposed ? k : n, isTransposed: bIsTransposed)
      }
      let results = withThreadCounts(set) {
        var c = numbers(count * m * n, seed: 3)
        matrixProducts(
          left(0), offsets: aOffsets, right(0), offsets: bOffsets, into: &c, m: m, n: n, k: k)
        return c
      }
      for other in results.dropFirst() { #expect(other == results[0]) }
      var expected: [Float] = []
      for index in 0..<count {
        var c = [Float](repeating: 0, count: m * n)
        matrixProductReference(
          left(aOffsets[index]), right(bOffsets[index]), into: &c, stride: n, m: m, n: n, k: k)
        expected += c
      }
      #expect(relativeError(results[0], expected) < 1e-6)
    }
  }
}
