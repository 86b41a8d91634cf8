import Lab
import TestSupport
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
    ([2, 3, 2, 2], [2, 1, 2, 2]), ([2, 1, 3], [4, 1]), ([2, 3, 1, 2], [3, 1, 1]),
  ])
  func gradientsAreTheDifferences(a: [Int], b: [Int]) throws {
    try checkGradients(of: [pattern(a), pattern(b, step: 5)]) { inputs throws(ShapeError) in
      try inputs[0] + inputs[1]
    }
  }

  /// ```python
  /// a, b = pattern(2, 3, 2, 2), pattern(2, 1, 2, 2, step=5)
  /// y = torch.relu(a + b)
  /// torch.autograd.grad(y, (a, b), pattern(*y.shape, step=3))
  /// ```
  @Test(arguments: [false, true])
  func imagesOfOneChannelAreAddedToAllChannels(areChannelsLast: Bool) throws {
    let same = pattern([3, 3, 1, 1], step: 0, modulus: 1)
    let (y, gradients) = try gradients(of: [
      pattern([2, 3, 2, 2]), pattern([2, 1, 2, 2], step: 5),
    ]) { x throws(ShapeError) in
      // The sum with a convolution of zeros is the same image, as convolutions order it.
      let a = areChannelsLast ? try conv2d(x[0], weight: same) + x[0] : x[0]
      return try relu(a + x[1])
    }
    try expectClose(
      y,
      [
        0, 0.5, 0.75, 1, 0, 0, 2.25, 0, 0, 0.75, 1, 0, 1.5, 0, 2, 0, 0.25, 0.5, 0.75, 0, 1.75, 0,
        0, 0,
      ])
    try expectClose(
      gradients[0],
      [
        0, -0.5, 0.25, 1, 0, 0, 0.5, 0, 0, 0, 0.75, 0, -0.5, 0, 1, 0, -0.25, 0.5, 1.25, 0, 0, 0, 0,
        0,
      ])
    try expectClose(gradients[1], [0, -0.5, 1.5, 1, -0.75, 0.5, 2.25, 0])
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
        + "got [2, 64, 14, 14] and [2, 64, 28, 28]; a skip connection adds tensors of the same shape: "
        + "a 1×1 convolution changes channels, with a stride also height and width"
    ) { () throws(ShapeError) in
      try Tensor(repeating: 0, shape: [2, 64, 14, 14])
        + Tensor(repeating: 0, shape: [2, 64, 28, 28])
    }
  }
}
