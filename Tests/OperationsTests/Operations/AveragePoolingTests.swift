import Lab
import TestSupport
import Testing

struct AveragePoolingTests {
  static let results = [
    PyTorchResult(
      "lambda x: F.avg_pool2d(x, (3, 2), stride=(2, 2), padding=(1, 1))", [[1, 2, 4, 5]],
      shape: [1, 2, 2, 3],
      [
        -0.3333333, 0.1666667, 0.2083333, -0.125, 0.08333334, -0.08333334, 0.3333333, -0.3333333,
        0.1666667, -0.04166667, 0.25, 0.08333334,
      ],
      [
        [
          -0.2083333, -0.08333334, -0.08333334, 0.04166667, 0.04166667, -0.04166666, -0.25, -0.25,
          0, 0, 0.1666667, -0.1666667, -0.1666667, -0.04166667, -0.04166667, 0.1666667, -0.1666667,
          -0.1666667, -0.04166667, -0.04166667, 0.08333334, 0.2083333, 0.2083333, -0.125, -0.125,
          0.08333334, 0.3333333, 0.3333333, -0.3333333, -0.3333333, 0, 0.125, 0.125, -0.2083333,
          -0.2083333, 0, 0.125, 0.125, -0.2083333, -0.2083333,
        ]
      ]
    ) { x throws(ShapeError) in try avgPool2d(x[0], size: (3, 2), stride: (2, 2), padding: (1, 1))
    },
    PyTorchResult(
      "lambda x: F.avg_pool2d(x, 2)", [[1, 2, 3, 4]], shape: [1, 2, 1, 2],
      [-0.3125, 0.4375, 0.0625, 0.125],
      [
        [
          -0.3125, -0.3125, -0.125, -0.125, -0.3125, -0.3125, -0.125, -0.125, 0, 0, 0, 0, 0.0625,
          0.0625, 0.25, 0.25, 0.0625, 0.0625, 0.25, 0.25, 0, 0, 0, 0,
        ]
      ]
    ) { x throws(ShapeError) in try avgPool2d(x[0], size: 2) },
    PyTorchResult(
      "lambda x: F.adaptive_avg_pool2d(x, (3, 2))", [[1, 2, 4, 5]], shape: [1, 2, 3, 2],
      [
        -0.1666667, 0.125, -0.125, 0.1666667, -0.08333334, 0.2083333, 0, -0.1666667, 0.04166667,
        -0.125, 0.08333334, -0.08333334,
      ],
      [
        [
          -0.2083333, -0.2083333, -0.2916667, -0.08333334, -0.08333334, -0.1666667, -0.1666667,
          -0.08333331, 0.08333334, 0.08333334, -0.125, -0.125, 3.72529e-09, 0.125, 0.125,
          -0.1666667, -0.1666667, -0.2083333, -0.04166667, -0.04166667, 0.08333334, 0.08333334,
          0.2916667, 0.2083333, 0.2083333, -0.04166666, -0.04166666, 0.1666667, 0.2083333,
          0.2083333, 0, 0, -0.2083333, -0.2083333, -0.2083333, 0.125, 0.125, -0.08333333,
          -0.2083333, -0.2083333,
        ]
      ]
    ) { x throws(ShapeError) in try adaptiveAvgPool2d(x[0], outputSize: (3, 2)) },
  ]

  @Test(arguments: results)
  func agreesWithPyTorch(_ result: PyTorchResult) throws {
    try result.check()
  }

  @Test func onPaper() throws {
    let x = Tensor([1, 2, 3, 6], shape: [1, 1, 2, 2])
    #expect(try avgPool2d(x, size: 2) == Tensor([3], shape: [1, 1, 1, 1]))
    #expect(try adaptiveAvgPool2d(x, outputSize: 1) == Tensor([3], shape: [1, 1, 1, 1]))
    #expect(try adaptiveAvgPool2d(x, outputSize: 2) == x)
    #expect(try avgPool2d(x, size: 2, padding: 1) == x / 4)
  }

  @Test(arguments: [[1, 1, 2, 2], [2, 3, 5, 4], [1, 17, 4, 6]])
  func gradientsAreThoseOfDifferences(shape: [Int]) throws {
    try checkGradients(of: [pattern(shape)]) { x throws(ShapeError) in
      try avgPool2d(x[0], size: (2, 2), stride: (1, 2), padding: (1, 0))
    }
    try checkGradients(of: [pattern(shape)]) { x throws(ShapeError) in
      try adaptiveAvgPool2d(x[0], outputSize: (3, 2))
    }
  }

  @Test func argumentsThatDoNotFitAreRefused() {
    let x = pattern([1, 1, 2, 2])
    let operations: [(String, PyTorchResult.Operation)] = [
      ("avgPool2d", { x throws(ShapeError) in try avgPool2d(x[0], size: 2) }),
      ("adaptiveAvgPool2d", { x throws(ShapeError) in try adaptiveAvgPool2d(x[0], outputSize: 2) }),
    ]
    for (name, function) in operations {
      expectShapeError(
        "\(name): expected x of shape [images, channels, height, width], got [3]; pooling comes "
          + "before flatten"
      ) { () throws(ShapeError) in try function([pattern([3])]) }
    }
    expectShapeError(
      "avgPool2d: expected a size and a stride of at least 1, got size (2, 2), stride (0, 0)"
    ) { () throws(ShapeError) in try avgPool2d(x, size: 2, stride: 0) }
    expectShapeError("avgPool2d: expected a padding from 0 to half of the size (2, 2), got (2, 2)")
    { () throws(ShapeError) in try avgPool2d(x, size: 2, padding: 2) }
    expectShapeError(
      "avgPool2d: expected images of at least 3×3 pixels, padding included, got 2×2 with padding "
        + "(0, 0); pool and stride less before"
    ) { () throws(ShapeError) in try avgPool2d(x, size: 3) }
    expectShapeError("adaptiveAvgPool2d: expected an output size of at least 1, got (0, 0)") {
      () throws(ShapeError) in try adaptiveAvgPool2d(x, outputSize: 0)
    }
    expectShapeError("adaptiveAvgPool2d: expected images with at least one pixel, got [1, 1, 0, 2]")
    { () throws(ShapeError) in try adaptiveAvgPool2d(pattern([1, 1, 0, 2]), outputSize: 1) }
  }
}
