import Kernels
import Testing

struct LinearProductsTests {
  @Test(arguments: [(1, 1, 1), (3, 200, 5), (7, 9, 150), (2, 5000, 3)])
  func agreesWithTheReference(n: Int, inputs: Int, outputs: Int) {
    let x = numbers(n * inputs), weight = numbers(outputs * inputs, seed: 2)
    let bias = numbers(outputs, seed: 3), dy = numbers(n * outputs, seed: 4)
    var y = numbers(n * outputs, seed: 5), expected = y
    linear(x: x, weight: weight, bias: bias, y: &y, n: n, inputs: inputs, outputs: outputs)
    for row in 0..<n { expected.replaceSubrange(row * outputs..<(row + 1) * outputs, with: bias) }
    let transposedWeight = Matrix(weight, stride: inputs).transposed
    matrixProductReference(
      Matrix(x, stride: inputs), transposedWeight, into: &expected, stride: outputs,
      m: n, n: outputs, k: inputs, adding: true)
    #expect(relativeError(y, expected) < 2e-6)

    var dx = numbers(n * inputs, seed: 6), expectedDx = dx
    linearInputGradient(
      dy: dy, weight: weight, dx: &dx, n: n, inputs: inputs, outputs: outputs)
    matrixProductReference(
      Matrix(dy, stride: outputs), Matrix(weight, stride: inputs), into: &expectedDx,
      stride: inputs, m: n, n: inputs, k: outputs)
    #expect(relativeError(dx, expectedDx) < 2e-6)

    var dWeight = numbers(outputs * inputs, seed: 7), expectedDWeight = dWeight
    linearWeightGradient(
      dy: dy, x: x, dWeight: &dWeight, n: n, inputs: inputs, outputs: outputs)
    matrixProductReference(
      Matrix(dy, stride: outputs).transposed, Matrix(x, stride: inputs), into: &expectedDWeight,
      stride: inputs, m: outputs, n: inputs, k: n)
    #expect(relativeError(dWeight, expectedDWeight) < 2e-6)
  }
}
