import Lab
import TestSupport
import Testing

struct MatmulTests {
  static let results = [
    PyTorchResult(
      "torch.matmul", [[2, 3], [3, 2]], shape: [2, 2],
      [1.1875, 0.375, -1.875, 1.5],
      [[1.3125, 0, 0.0625, 0.1875, 1.125, -0.6875], [1.875, 1.875, -0.5625, 0, 0.4375, -0.5]]
    ) { x throws(ShapeError) in try matmul(x[0], x[1]) },
    PyTorchResult(
      "torch.matmul", [[2, 1, 2, 3], [2, 3, 2]], shape: [2, 2, 2, 2],
      [
        1.1875, 0.375, -1.875, 1.5, -1.625, 1, 1.1875, 1.125, -1.5, 1.25, -1.125, 1, 1.25, 1.25,
        1.3125, 1.375,
      ],
      [
        [
          0.3125, 0.8125, 0.625, 0.6875, 1.5625, -2.375, 0.4375, 1.0625, -0.375, -0.5625, -3.6875,
          2.125,
        ],
        [
          1.6875, 0.9375, -0.75, 0.3125, 0.25, 1.0625, 2.125, 1.375, -0.625, 0.4375, -0.625, 0.1875,
        ],
      ]
    ) { x throws(ShapeError) in try matmul(x[0], x[1]) },
    PyTorchResult(
      "torch.matmul", [[3], [2, 3, 2]], shape: [2, 2],
      [1.1875, 0.375, -1.625, 1],
      [
        [1.5625, 0.5, -1.25],
        [1.5625, 0.625, -0.625, -0.25, 0.625, 0.25, -0.3125, -1.25, 0.125, 0.5, -0.125, -0.5],
      ]
    ) { x throws(ShapeError) in try matmul(x[0], x[1]) },
    PyTorchResult(
      "torch.matmul", [[2, 2, 3], [3]], shape: [2, 2],
      [2.0625, -1.0625, -0.75, -0.4375],
      [
        [1.5625, -0.625, 0.625, 0.625, -0.25, 0.25, -0.3125, 0.125, -0.125, -1.25, 0.5, -0.5],
        [1.9375, -1, -0.5],
      ]
    ) { x throws(ShapeError) in try matmul(x[0], x[1]) },
    PyTorchResult(
      "torch.matmul", [[4], [4]], shape: [],
      [3.625],
      [[1.5625, -0.625, 0.625, -1.5625], [1.5625, -0.625, 0.625, -1.5625]]
    ) { x throws(ShapeError) in try matmul(x[0], x[1]) },
  ]

  @Test(arguments: results)
  func agreesWithPyTorch(_ result: PyTorchResult) throws {
    try result.check()
  }

  @Test func onPaper() throws {
    let a = Tensor([1, 2, 3, 4], shape: [2, 2])
    #expect(try matmul(a, Tensor([1, 10])) == Tensor([21, 43]))
    #expect(try matmul(Tensor([1, 10]), a) == Tensor([31, 42]))
    #expect(try matmul(Tensor([1, 2]), Tensor([3, 4])).item == 11)
    #expect(try matmul(a, a) == Tensor([7, 10, 15, 22], shape: [2, 2]))
    #expect(try matmul(Tensor([], shape: [2, 0]), Tensor([], shape: [0, 3])).shape == [2, 3])
  }

  @Test(arguments: [
    [[1, 1], [1, 1]], [[2, 3], [3, 4]], [[3], [3, 2]], [[2, 3], [3]], [[5], [5]],
    [[2, 2, 3], [2, 3, 2]], [[2, 1, 2, 3], [3, 3, 2]], [[2, 3], [4, 3, 2]], [[17, 9], [9, 20]],
  ])
  func gradientsAreThoseOfDifferences(shapes: [[Int]]) throws {
    try checkGradients(of: shapes.map { pattern($0) }, tolerance: 5e-3) {
      x throws(ShapeError) in try matmul(x[0], x[1])
    }
  }

  @Test func shapesThatDoNotFitAreRefused() {
    expectShapeError(
      "matmul: expected as many rows in b as a has columns, 3, got 2: a is [2, 3], b [2, 3]"
    ) { () throws(ShapeError) in try matmul(pattern([2, 3]), pattern([2, 3])) }
    expectShapeError(
      "matmul: expected two tensors with dimensions, got [] and [2]; multiply by a single number "
        + "with *"
    ) { () throws(ShapeError) in try matmul(pattern([]), pattern([2])) }
    expectShapeError(
      "matmul: expected shapes that are equal, or 1, in every dimension, counted from the last, "
        + "got [2] and [3]"
    ) { () throws(ShapeError) in try matmul(pattern([2, 1, 1]), pattern([3, 1, 1])) }
  }
}
