import Lab
import TestSupport
import Testing

struct GlobalAveragePoolingTests {
  @Test func onPaper() throws {
    let x = Tensor([1, 2, 3, 6, 0, 0, 0, 2], shape: [1, 2, 2, 2])
    #expect(try globalAveragePool(x) == Tensor([3, 0.5], shape: [1, 2]))
  }

  /// ```python
  /// x = pattern(2, 3, 2, 3)
  /// y = nn.AdaptiveAvgPool2d(1)(x).flatten(1)
  /// torch.autograd.grad(y, x, pattern(2, 3, step=3))
  /// ```
  @Test func agreesWithPyTorch() throws {
    let (y, gradients) = try gradients(of: [pattern([2, 3, 2, 3])]) { x throws(ShapeError) in
      try globalAveragePool(x[0])
    }
    try expectClose(
      y, [-0.0833333358, -0.125, 0.291666657, -0.208333328, 0.208333328, -0.291666657])
    let each: [Float] = [
      -0.208333328, -0.0833333358, 0.0416666679, 0.166666672, -0.166666672, -0.0416666679,
    ]
    try expectClose(gradients[0], each.flatMap { [Float](repeating: $0, count: 6) })
  }

  @Test(arguments: [[1, 1, 1, 1], [2, 3, 2, 2], [3, 17, 1, 4], [5, 2, 3, 1]])
  func gradientsAreTheDifferences(shape: [Int]) throws {
    try checkGradients(of: [pattern(shape)]) { x throws(ShapeError) in
      try globalAveragePool(x[0])
    }
  }

  @Test func errorsSayWhatToDo() {
    expectShapeError(
      "globalAveragePool: expected x of shape [images, channels, height, width], got [2, 8]; "
        + "pooling comes before flatten"
    ) { () throws(ShapeError) in
      try globalAveragePool(Tensor(repeating: 0, shape: [2, 8]))
    }
    expectShapeError(
      "globalAveragePool: expected x of shape [images, channels, height, width] with at least one "
        + "pixel, got [2, 8, 0, 3]"
    ) { () throws(ShapeError) in
      try globalAveragePool(Tensor(repeating: 0, shape: [2, 8, 0, 3]))
    }
  }
}
