import Lab
import TestSupport
import Testing

struct LinearProductTests {
  @Test func onPaper() throws {
    let x = Tensor([1, 2], shape: [1, 2])
    let y = try linear(x, weight: Tensor([3, 4], shape: [1, 2]), bias: Tensor([5]))
    #expect(y == Tensor([16], shape: [1, 1]))
  }

  /// ```python
  /// x, w, b = pattern(3, 4), pattern(2, 4, step=5), pattern(2, step=3)
  /// y = F.linear(x, w, b)
  /// torch.autograd.grad(y, (x, w, b), pattern(*y.shape, step=3))
  /// ```
  @Test func agreesWithPyTorch() throws {
    let inputs = [pattern([3, 4]), pattern([2, 4], step: 5), pattern([2], step: 3)]
    let (y, gradients) = try gradients(of: inputs) { inputs throws(ShapeError) in
      try linear(inputs[0], weight: inputs[1], bias: inputs[2])
    }
    try expectClose(y, [-0.625, -3.3125, -0.3125, 0.875, 0, -1.125])
    try expectClose(
      gradients[0],
      [
        1.0625, 0.25, -1.9375, 0.6875, 0.6875, -0.5, 1.0625, -0.8125, 1, 0.125, -1.4375, 0.4375,
      ])
    try expectClose(
      gradients[1], [2.625, -1.5625, 1.125, -0.3125, 1.125, -1.1875, 1.3125, -0.3125])
    try expectClose(gradients[2], [-2, 0.25])
  }

  @Test(arguments: [(1, 1, 1), (3, 5, 2), (2, 130, 3), (5, 2, 67)])
  func gradientsAreTheDifferences(rows: Int, inputs: Int, outputs: Int) throws {
    let tensors = [
      pattern([rows, inputs]), pattern([outputs, inputs], step: 5), pattern([outputs]),
    ]
    try checkGradients(of: tensors) { tensors throws(ShapeError) in
      try linear(tensors[0], weight: tensors[1], bias: tensors[2])
    }
  }

  @Test func errorsSayWhatToDo() {
    let weight = Tensor(repeating: 0, shape: [128, 784])
    expectShapeError(
      "linear: expected x of shape [rows, 784] (the weight is [128, 784]), got [2, 1, 28, 28]; "
        + "flatten x before a linear layer"
    ) { () throws(ShapeError) in
      try linear(Tensor(repeating: 0, shape: [2, 1, 28, 28]), weight: weight)
    }
    expectShapeError(
      "linear: expected x of shape [rows, 784] (the weight is [128, 784]), got [2, 64, 14, 14]; "
        + "flatten x before a linear layer; it then has 12544 features, so the layer is "
        + "Linear(12544, …)"
    ) { () throws(ShapeError) in
      try linear(Tensor(repeating: 0, shape: [2, 64, 14, 14]), weight: weight)
    }
    expectShapeError(
      "linear: expected x of shape [rows, 784] (the weight is [128, 784]), got [2, 12544]; "
        + "the layer's first size is the number of input features"
    ) { () throws(ShapeError) in
      try linear(Tensor(repeating: 0, shape: [2, 12544]), weight: weight)
    }
    expectShapeError(
      "linear: expected a weight of shape [output features, input features], got [3]"
    ) { () throws(ShapeError) in
      try linear(Tensor(repeating: 0, shape: [2, 3]), weight: Tensor([1, 2, 3]))
    }
    expectShapeError(
      "linear: expected a bias of shape [128], one number for each output feature, got [1]"
    ) { () throws(ShapeError) in
      try linear(Tensor(repeating: 0, shape: [2, 784]), weight: weight, bias: Tensor([1]))
    }
  }
}
