import Lab
import TestSupport
import Testing

struct GeneralConvolutionTests {
  static let results = [
    PyTorchResult(
      "lambda x, w, b: F.conv2d(x, w, b, stride=(1, 2), padding=(1, 0), dilation=(2, 1), groups=2)",
      [[1, 2, 3, 4], [4, 1, 2, 3], [4]], shape: [1, 4, 3, 1],
      [
        -1.875, -0.0625, -2.4375, -0.375, -0.875, -0.25, -1.4375, 0.6875, -1.375, 0.1875, 2.1875,
        0.25,
      ],
      [
        [
          -0.375, -0.25, 1.25, 0, -1.375, -0.4375, -0.1875, 0, -1.375, 0.125, 1.625, 0, 0.625,
          -1.375, 2.125, 0, -0.25, 1.25, -1.375, 0, 0.125, -1.875, 1.625, 0,
        ],
        [
          0.6875, -0.4375, 0.5, 0.1875, 0.5625, -1.125, 1.1875, -0.3125, 0.25, 1.25, -1.5, 1.25,
          1.1875, -1.375, 1.5625, 0.5625, 0.1875, -1.5625, 1.3125, -1.625, 0.9375, 0.5625, -0.1875,
          -0.9375,
        ], [-1.5, -0.25, 1, -0.5],
      ]
    ) { x throws(ShapeError) in
      try conv2d(
        x[0], weight: x[1], bias: x[2], stride: (1, 2), padding: (1, 0), dilation: (2, 1), groups: 2
      )
    },
    PyTorchResult(
      "lambda x, w: F.conv2d(x, w, padding=2, dilation=2)", [[1, 2, 3, 3], [1, 2, 3, 3]],
      shape: [1, 1, 3, 3],
      [-0.0625, 0.8125, -0.375, 2.1875, 0.3125, 1, 3.125, 0.6875, 2.8125],
      [
        [
          1.1875, 0.5, 0.375, -0.0625, -0.25, -0.8125, -0.5625, 0.3125, 0.6875, 0.0625, -0.0625,
          -2.125, -0.625, 0.5, 1.375, 0.375, -0.25, -0.4375,
        ],
        [
          0.9375, 0.375, -0.25, -1.375, 3.625, -0.625, 0.25, -1.5, 1.25, -0.5625, 1, -0.625, -0.125,
          -2, 3.3125, 0.0625, 0.3125, -1.25,
        ],
      ]
    ) { x throws(ShapeError) in try conv2d(x[0], weight: x[1], padding: 2, dilation: 2) },
  ]

  @Test(arguments: results)
  func agreesWithPyTorch(_ result: PyTorchResult) throws {
    try result.check()
  }

  @Test func onPaper() throws {
    // Two groups of one channel each; the kernel adds every second pixel.
    let x = Tensor([1, 2, 3, 4, 5, 6], shape: [1, 2, 1, 3])
    let weight = Tensor([1, 1, 10, 10], shape: [2, 1, 1, 2])
    #expect(
      try conv2d(x, weight: weight, stride: (1, 1), dilation: (1, 2), groups: 2)
        == Tensor([4, 100], shape: [1, 2, 1, 1]))
  }

  struct Case: Sendable {
    var shape = [2, 4, 5, 6]
    var weight = [4, 4, 3, 3]
    var stride = (1, 1)
    var padding = (0, 0)
    var dilation = (1, 1)
    var groups = 1
  }

  static let cases = [
    Case(weight: [3, 4, 1, 3], stride: (1, 2)), Case(weight: [4, 4, 2, 2], padding: (0, 1)),
    Case(weight: [4, 4, 3, 2], padding: (1, 1), dilation: (1, 2)),
    Case(weight: [6, 2, 3, 3], groups: 2), Case(weight: [4, 1, 3, 3], padding: (1, 1), groups: 4),
    Case(shape: [1, 16, 6, 5], weight: [32, 8, 3, 3], dilation: (2, 1), groups: 2),
  ]

  @Test(arguments: cases.indices)
  func gradientsAreThoseOfDifferences(index: Int) throws {
    let c = Self.cases[index]
    let inputs = [pattern(c.shape), pattern(c.weight, step: 5), pattern([c.weight[0]])]
    // Of 1440 weights some are enough.
    guard inputs[1].count < 500 else {
      let found = try gradients(of: inputs) { x throws(ShapeError) in
        try conv2d(
          x[0], weight: x[1], bias: x[2], stride: c.stride, padding: c.padding,
          dilation: c.dilation, groups: c.groups)
      }
      let device = ReferenceBackend.device
      let expected = try gradients(of: inputs.map { $0.to(device) }) { x throws(ShapeError) in
        try conv2d(
          x[0], weight: x[1], bias: x[2], stride: c.stride, padding: c.padding,
          dilation: c.dilation, groups: c.groups)
      }
      for (gradient, other) in zip(found.gradients, expected.gradients) {
        try expectClose(gradient, try #require(other).elements)
      }
      return
    }
    try checkGradients(of: inputs, tolerance: 5e-3) { x throws(ShapeError) in
      try conv2d(
        x[0], weight: x[1], bias: x[2], stride: c.stride, padding: c.padding,
        dilation: c.dilation, groups: c.groups)
    }
  }

  @Test func argumentsThatDoNotFitAreRefused() {
    let (x, weight) = (pattern([1, 4, 5, 5]), pattern([6, 2, 3, 3]))
    expectShapeError("conv2d: expected groups that divide the 6 output channels, got 4") {
      () throws(ShapeError) in try conv2d(x, weight: weight, groups: 4)
    }
    expectShapeError(
      "conv2d: expected 6 channels in x (the weight is [6, 2, 3, 3] and there are 3 groups), got "
        + "4: x is [1, 4, 5, 5]; the layer's input channels are the output channels of the layer "
        + "before it"
    ) { () throws(ShapeError) in try conv2d(x, weight: weight, groups: 3) }
    expectShapeError("conv2d: expected a dilation of at least 1, got (1, 0)") {
      () throws(ShapeError) in
      try conv2d(x, weight: weight, stride: (1, 1), dilation: (1, 0), groups: 2)
    }
    expectShapeError(
      "conv2d: expected images of at least 7×3 pixels, padding included, got 5×5 with padding "
        + "(0, 1); pad more, or pool and stride less before"
    ) { () throws(ShapeError) in
      try conv2d(
        x, weight: weight, stride: (1, 1), padding: (0, 1), dilation: (3, 1), groups: 2)
    }
    expectShapeError("conv2d: expected a kernel of at least 1×1 pixels, got weight [6, 4, 0, 3]") {
      () throws(ShapeError) in try conv2d(x, weight: pattern([6, 4, 0, 3]))
    }
  }
}
