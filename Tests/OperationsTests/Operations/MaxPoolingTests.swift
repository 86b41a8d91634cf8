import Lab
import TestSupport
import Testing

struct MaxPoolingTests {
  @Test func onPaper() throws {
    let x = Tensor([1, 2, 0, 0, 3, 4, 0, 9], shape: [1, 1, 2, 4])
    #expect(try maxPool2d(x, size: 2) == Tensor([4, 9], shape: [1, 1, 1, 2]))
  }

  /// ```python
  /// x = pattern(1, 2, 4, 5)
  /// y = F.max_pool2d(x, 2)  # and F.max_pool2d(x, 3, stride=1)
  /// torch.autograd.grad(y, x, pattern(*y.shape, step=3))
  /// ```
  @Test func agreesWithPyTorch() throws {
    let x = pattern([1, 2, 4, 5])
    let pooled = try gradients(of: [x]) { inputs throws(ShapeError) in
      try maxPool2d(inputs[0], size: 2)
    }
    try expectClose(pooled.y, [1, 1.25, 0.25, 1, 1.25, 1, 1.25, 0.25])
    try expectClose(
      pooled.gradients[0],
      [
        0, 0, 0, -0.5, 0, 0, -1.25, 0, 0, 0, 0, 0, 0, 0, 0, 0.25, 0, 1, 0, 0, 0, 0, 0, 0, 0, -1, 0,
        0, -0.25, 0, 0, 0, 0, 0, 0, 0, 0.5, 1.25, 0, 0,
      ])
    let overlapping = try gradients(of: [x]) { inputs throws(ShapeError) in
      try maxPool2d(inputs[0], size: 3, stride: 1)
    }
    try expectClose(overlapping.y, [1, 1.25, 1.25, 1, 1, 1.25, 1.25, 1, 1, 1.25, 1.25, 1])
    try expectClose(
      overlapping.gradients[0],
      [
        0, 0, 0, -0.25, 0, 0, -1.25, 0, 0, 0, 0, 0, 0, 0, -0.25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5,
        0, 0, -0.75, 0, 0, 0, 0, 0, 0, 0, 0.75, 0, 0, 0,
      ])
  }

  @Test func theFirstOfEqualsGetsTheGradient() throws {
    let x = Tensor(repeating: 1, shape: [1, 1, 2, 2])
    let (_, gradients) = try gradients(of: [x], weights: Tensor([2], shape: [1, 1, 1, 1])) {
      inputs throws(ShapeError) in try maxPool2d(inputs[0], size: 2)
    }
    #expect(gradients[0]?.elements == [2, 0, 0, 0])
  }

  @Test(arguments: [
    ([1, 1, 2, 2], 2, 2), ([2, 3, 7, 5], 2, 2), ([1, 2, 6, 6], 3, 1), ([2, 1, 5, 8], 2, 3),
  ])
  func gradientsAreTheDifferences(shape: [Int], size: Int, stride: Int) throws {
    // Elements that differ by more than the step of the differences.
    let count = shape.reduce(1, *)
    let x = Tensor((0..<count).map { Float($0 * 37 % 101) / 8 }, shape: shape)
    try checkGradients(of: [x]) { inputs throws(ShapeError) in
      try maxPool2d(inputs[0], size: size, stride: stride)
    }
  }

  @Test func errorsSayWhatToDo() {
    expectShapeError(
      "maxPool2d: expected x of shape [images, channels, height, width], got [4, 4]; "
        + "pooling comes before flatten"
    ) { () throws(ShapeError) in
      try maxPool2d(Tensor(repeating: 0, shape: [4, 4]), size: 2)
    }
    expectShapeError(
      "maxPool2d: expected images of at least 3×3 pixels, got 2×4; pool and stride less before"
    ) { () throws(ShapeError) in
      try maxPool2d(Tensor(repeating: 0, shape: [1, 1, 2, 4]), size: 3)
    }
    expectShapeError(
      "maxPool2d: expected a size and a stride of at least 1, got size 0, stride 1"
    ) { () throws(ShapeError) in
      try maxPool2d(Tensor(repeating: 0, shape: [1, 1, 2, 4]), size: 0, stride: 1)
    }
  }
}
