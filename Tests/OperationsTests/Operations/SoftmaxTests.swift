import Lab
import TestSupport
import Testing

struct SoftmaxTests {
  @Test func onPaper() {
    #expect(softmax(Tensor([0, 0, 0, 0])) == Tensor(repeating: 0.25, shape: [4]))
    #expect(softmax(Tensor([1000, 0])) == Tensor([1, 0]))
  }

  /// ```python
  /// x = pattern(3, 4)
  /// torch.autograd.grad(F.softmax(x, -1), x, pattern(3, 4, step=3))
  /// ```
  @Test func agreesWithPyTorch() throws {
    let (y, gradients) = try gradients(of: [pattern([3, 4])]) { inputs throws(ShapeError) in
      softmax(inputs[0])
    }
    try expectClose(
      y,
      [
        0.047497, 0.273325, 0.100551, 0.578628, 0.234539, 0.086282, 0.496519, 0.182659, 0.103623,
        0.596307, 0.219369, 0.080701,
      ])
    try expectClose(
      gradients[0],
      [
        -0.078737, -0.248106, -0.01586, 0.342703, -0.286249, -0.040594, 0.13879, 0.188052,
        -0.076259, 0.008388, 0.167613, -0.099741,
      ])
  }

  @Test(arguments: [[3], [2, 5], [2, 3, 4]])
  func gradientsAreTheDifferences(shape: [Int]) throws {
    try checkGradients(of: [pattern(shape)]) { inputs throws(ShapeError) in softmax(inputs[0]) }
  }

  @Test func anEmptyTensorStaysEmpty() {
    #expect(softmax(Tensor([], shape: [0, 3])).shape == [0, 3])
  }
}
