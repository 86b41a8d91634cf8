import Kernels
import Testing

@Suite(.serialized)
struct LinearProductsTests {
  @Test(
    arguments: KernelSet.supported,
    [
      (1, 1, 1), (3, 200, 5), (7, 9, 150), (2, 5000, 3), (9, 5000, 17), (128, 300, 83),
      (64, 700, 300),
    ])
  func agreesWithTheDefinition(_ set: KernelSet, sizes: (n: Int, inputs: Int, outputs: Int)) {
    let (n, inputs, outputs) = sizes
    let (x, weight) = (numbers(n * inputs), numbers(outputs * inputs, seed: 2))
    let (bias, dy) = (numbers(outputs, seed: 3), numbers(n * outputs, seed: 4))
    // What was there before must not matter.
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
}
