import Lab
import TestSupport
import Testing

struct ReductionsTests {
  static let results = [
    PyTorchResult(
      "lambda x: x.sum(dim=(0, 2))", [[2, 3, 2]], shape: [3],
      [0.25, 0.5, -2],
      [[-1.25, -1.25, -0.5, -0.5, 0.25, 0.25, -1.25, -1.25, -0.5, -0.5, 0.25, 0.25]]
    ) { x throws(ShapeError) in try sum(x[0], axes: [0, 2]) },
    PyTorchResult(
      "lambda x: x.sum(dim=-1, keepdim=True)", [[2, 3, 2]], shape: [2, 3, 1],
      [-0.75, 0.75, -0.5, 1, -0.25, -1.5],
      [[-1.25, -1.25, -0.5, -0.5, 0.25, 0.25, 1, 1, -1, -1, -0.25, -0.25]]
    ) { x throws(ShapeError) in try sum(x[0], axes: [-1], keepDims: true) },
    PyTorchResult(
      "lambda x: x.mean(dim=1, keepdim=True)", [[2, 3, 2]], shape: [2, 1, 2],
      [-0.5, 0.3333333, -0.08333334, -0.1666667],
      [
        [
          -0.4166667, -0.1666667, -0.4166667, -0.1666667, -0.4166667, -0.1666667, 0.08333334,
          0.3333333, 0.08333334, 0.3333333, 0.08333334, 0.3333333,
        ]
      ]
    ) { x throws(ShapeError) in try mean(x[0], axes: [1], keepDims: true) },
    PyTorchResult(
      "lambda x: x.mean()", [[2, 3]], shape: [],
      [-0.08333334],
      [[-0.2083333, -0.2083333, -0.2083333, -0.2083333, -0.2083333, -0.2083333]]
    ) { x throws(ShapeError) in mean(x[0]) },
    PyTorchResult(
      "lambda x: x.max(dim=1).values", [[2, 3, 2]], shape: [2, 2],
      [0.25, 1.25, 1, 0.75],
      [[0, 0, 0, -0.5, -1.25, 0, 0.25, 0, 0, 1, 0, 0]]
    ) { x throws(ShapeError) in try max(x[0], axes: [1]) },
  ]

  @Test(arguments: results)
  func agreesWithPyTorch(_ result: PyTorchResult) throws {
    try result.check()
  }

  @Test func onPaper() throws {
    let x = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
    #expect(sum(x).item == 21 && mean(x).item == 3.5)
    #expect(try sum(x, axes: [0]) == Tensor([5, 7, 9]))
    #expect(try sum(x, axes: [-1], keepDims: true) == Tensor([6, 15], shape: [2, 1]))
    #expect(try sum(x, axes: [1, 0]) == Tensor([21], shape: []))
    #expect(try sum(x, axes: []) == x)
    #expect(try mean(x, axes: [1]) == Tensor([2, 5]))
    #expect(try max(x, axes: [1], keepDims: true) == Tensor([3, 6], shape: [2, 1]))
    #expect(try sum(Tensor([], shape: [2, 0]), axes: [1]) == Tensor([0, 0]))
    #expect(try max(Tensor([1, .nan, 3]), axes: [0]).item.isNaN)
  }

  @Test func theFirstOfEqualElementsGetsTheGradient() throws {
    let found = try gradients(of: [Tensor([1, 5, 5])], weights: Tensor([1], shape: [])) {
      x throws(ShapeError) in try max(x[0], axes: [0])
    }
    #expect(found.gradients[0] == Tensor([0, 1, 0]))
  }

  @Test(arguments: [[1], [7], [2, 3], [2, 3, 4], [3, 1, 2, 5]])
  func gradientsAreThoseOfDifferences(shape: [Int]) throws {
    // All elements differ by more than the step, so that the largest stays the largest.
    let x = Tensor((0..<shape.reduce(1, *)).map { Float($0 * 17 % 61) / 10 }, shape: shape)
    for axes in [[0], [shape.count - 1], Array(shape.indices), []] {
      for keepDims in [true, false] {
        try checkGradients(of: [x]) { x throws(ShapeError) in
          try sum(x[0], axes: axes, keepDims: keepDims)
        }
        try checkGradients(of: [x]) { x throws(ShapeError) in
          try mean(x[0], axes: axes, keepDims: keepDims)
        }
        try checkGradients(of: [x]) { x throws(ShapeError) in
          try max(x[0], axes: axes, keepDims: keepDims)
        }
      }
    }
  }

  @Test func axesThatDoNotExistAreRefused() {
    let x = pattern([2, 3])
    expectShapeError("sum: expected an axis in -2..<2, got 2 for shape [2, 3]") {
      () throws(ShapeError) in try sum(x, axes: [2])
    }
    expectShapeError("mean: expected each dimension once, got axes [1, -1]") {
      () throws(ShapeError) in try mean(x, axes: [1, -1])
    }
    expectShapeError("max: expected a tensor with dimensions, got shape []") {
      () throws(ShapeError) in try max(sum(x), axes: [0])
    }
    expectShapeError("max: expected at least one element along the dimensions [1], got [2, 0]") {
      () throws(ShapeError) in try max(Tensor([], shape: [2, 0]), axes: [1])
    }
  }
}
