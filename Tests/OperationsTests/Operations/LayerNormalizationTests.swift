import Lab
import TestSupport
import Testing

struct LayerNormalizationTests {
  static let results = [
    PyTorchResult(
      "lambda x, w, b: F.layer_norm(x, (2, 3), w, b)", [[2, 2, 3], [2, 3], [2, 3]],
      shape: [2, 2, 3],
      [
        0.4913026, 0.8482605, -0.2512425, 3.24006, 0.349503, -0.152982, -2.95245, 0.5756645,
        0.02965105, 2.574128, 0.2121678, 0.27147,
      ],
      [
        [
          1.241327, -0.6952907, -0.6760778, 1.193295, -0.7278011, -0.335452, -0.3835304, 0.5290723,
          -0.3742714, 0.2229425, -0.1507502, 0.1565371,
        ], [2.422283, -0.1590995, 0.6700978, 1.592048, -0.5115087, 1.901456],
        [-0.75, 0.75, -0.5, 1, -0.25, -1.5],
      ]
    ) { x throws(ShapeError) in
      try layerNorm(x[0], normalizedShape: [2, 3], weight: x[1], bias: x[2])
    },
    PyTorchResult(
      "lambda x: F.layer_norm(x, (3,), eps=0.1)", [[2, 3]], shape: [2, 3],
      [-1.063589, 1.169948, -0.1063589, 1.14208, 0, -1.14208],
      [[-0.6323783, -0.357337, 0.9897153, 0.616558, -1.046907, 0.4303491]]
    ) { x throws(ShapeError) in try layerNorm(x[0], normalizedShape: [3], epsilon: 0.1) },
  ]

  @Test(arguments: results)
  func agreesWithPyTorch(_ result: PyTorchResult) throws {
    try result.check()
  }

  @Test func onPaper() throws {
    // Mean 2, variance 1.
    let y = try layerNorm(
      Tensor([1, 3], shape: [1, 2]), normalizedShape: [2], weight: Tensor([2, 3]),
      bias: Tensor([0, 1]), epsilon: 0)
    #expect(y == Tensor([-2, 4], shape: [1, 2]))
  }

  @Test(arguments: [([2, 3], [3]), ([2, 3, 4], [3, 4]), ([3, 4], [3, 4]), ([1, 17], [17])])
  func gradientsAreThoseOfDifferences(shape: [Int], normalizedShape: [Int]) throws {
    let inputs = [
      pattern(shape), pattern(normalizedShape, step: 5) + 0.1, pattern(normalizedShape, step: 2),
    ]
    try checkGradients(of: inputs, tolerance: 5e-3) { x throws(ShapeError) in
      try layerNorm(x[0], normalizedShape: normalizedShape, weight: x[1], bias: x[2])
    }
  }

  @Test func shapesThatDoNotFitAreRefused() {
    let x = pattern([2, 3])
    expectShapeError(
      "layerNorm: expected x of shape [..., 4], got [2, 3]; the layer's size is that of the last "
        + "dimensions of x"
    ) { () throws(ShapeError) in try layerNorm(x, normalizedShape: [4]) }
    expectShapeError("layerNorm: expected a weight of shape [3], got [2]") {
      () throws(ShapeError) in
      try layerNorm(x, normalizedShape: [3], weight: pattern([2]))
    }
    expectShapeError("layerNorm: expected a bias of shape [3], got [2, 3]") {
      () throws(ShapeError) in try layerNorm(x, normalizedShape: [3], bias: x)
    }
    expectShapeError("layerNorm: expected a normalized shape with at least one element, got []") {
      () throws(ShapeError) in try layerNorm(x, normalizedShape: [])
    }
  }
}
