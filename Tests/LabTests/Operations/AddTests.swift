import Lab
import Testing

struct AddTests {
  @Test func onPaper() throws {
    let sum = try Tensor([1, 2], shape: [2, 1]) + Tensor([10, 20])
    #expect(sum == Tensor([11, 21, 12, 22], shape: [2, 2]))
  }

  /// ```python
  /// a, b = pattern(2, 1, 3), pattern(4, 1, step=5)
  /// y = a + b
  /// torch.autograd.grad(y, (a, b), pattern(*y.shape, step=3))
  /// ```
  @Test func agreesWithPyTorch() throws {
    let (y, gradients) = try gradients(of: [pattern([2, 1, 3]), pattern([4, 1], step: 5)]) {
      inputs throws(ShapeError) in try inputs[0] + inputs[1]
    }
    #expect(y.shape == [2, 4, 3])
    try expectClose(
      y,
      [
        -2.5, -0.75, -1.75, -1.25, 0.5, -0.5, 0, 1.75, 0.75, -1.5, 0.25, -0.75, 0, -1, -2, 1.25,
        0.25, -0.75, 2.5, 1.5, 0.5, 1, 0, -1,
      ])
    try expectClose(gradients[0], [0.25, 0.5, -2, 0.5, -2, 1])
    try expectClose(gradients[1], [-0.75, -1, 1.5, -1.5])
  }

  @Test(arguments: [
    ([3], [3]), ([2, 3], [3]), ([2, 3], [2, 1]), ([1], [2, 2]), ([], [2, 3]),
    ([2, 3, 2, 2], [2, 1, 2, 2]), ([2, 1, 3], [4, 1]),
  ])
  func gradientsAreTheDifferences(a: [Int], b: [Int]) throws {
    try checkGradients(of: [pattern(a), pattern(b, step: 5)]) { inputs throws(ShapeError) in
      try inputs[0] + inputs[1]
    }
  }

  @Test func aTensorAddedToItselfGetsBothGradients() throws {
    let (_, gradients) = try gradients(of: [Tensor([3])], weights: Tensor([1])) {
      inputs throws(ShapeError) in try inputs[0] + inputs[0]
    }
    #expect(gradients[0]?.elements == [2])
  }

  @Test func errorsSayWhatToDo() {
    expectShapeError(
      "+: expected shapes that are equal, or 1, in every dimension, counted from the last, "
        + "got [2, 64, 14, 14] and [2, 64, 28, 28]; a skip connection adds tensors of one shape: "
        + "a 1×1 convolution changes channels"
    ) { () throws(ShapeError) in
      try Tensor(repeating: 0, shape: [2, 64, 14, 14])
        + Tensor(repeating: 0, shape: [2, 64, 28, 28])
    }
  }
}
