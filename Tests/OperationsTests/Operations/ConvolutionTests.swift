import Kernels
import Lab
import TestSupport
import Testing

struct ConvolutionTests {
  @Test func onPaper() throws {
    let x = Tensor(repeating: 1, shape: [1, 1, 3, 3])
    let weight = Tensor(repeating: 1, shape: [1, 1, 3, 3])
    let y = try conv2d(x, weight: weight, bias: Tensor([0.5]), padding: 1)
    #expect(y.shape == [1, 1, 3, 3])
    #expect(y.elements == [4.5, 6.5, 4.5, 6.5, 9.5, 6.5, 4.5, 6.5, 4.5])
  }

  /// ```python
  /// x, w, b = pattern(2, 2, 4, 3), pattern(3, 2, kernel, kernel, step=5), pattern(3, step=3)
  /// y = F.conv2d(x, w, b, stride=stride, padding=padding)
  /// torch.autograd.grad(y, (x, w, b), pattern(*y.shape, step=3))
  /// ```
  @Test(arguments: PyTorchConvolution.all)
  fileprivate func agreesWithPyTorch(_ expected: PyTorchConvolution) throws {
    let weight = pattern([3, 2, expected.kernel, expected.kernel], step: 5)
    let inputs = [pattern([2, 2, 4, 3]), weight, pattern([3], step: 3)]
    let (y, gradients) = try gradients(of: inputs) { inputs throws(ShapeError) in
      try conv2d(
        inputs[0], weight: inputs[1], bias: inputs[2], stride: expected.stride,
        padding: expected.padding)
    }
    try expectClose(y, expected.y)
    try expectClose(gradients[0], expected.dx)
    try expectClose(gradients[1], expected.dWeight)
    try expectClose(gradients[2], expected.dBias)
  }

  @Test(arguments: [
    ConvolutionExtents(n: 1, c: 1, h: 1, w: 1, k: 1, r: 1, s: 1, stride: 1, padding: 0),
    ConvolutionExtents(n: 2, c: 2, h: 5, w: 4, k: 2, r: 3, s: 3, stride: 1, padding: 1),
    ConvolutionExtents(n: 1, c: 2, h: 5, w: 6, k: 3, r: 2, s: 3, stride: 2, padding: 2),
    ConvolutionExtents(n: 3, c: 1, h: 4, w: 7, k: 2, r: 1, s: 1, stride: 3, padding: 0),
  ])
  func gradientsAreTheDifferences(_ e: ConvolutionExtents) throws {
    let inputs = [
      pattern([e.n, e.c, e.h, e.w]), pattern([e.k, e.c, e.r, e.s], step: 5), pattern([e.k]),
    ]
    try checkGradients(of: inputs) { inputs throws(ShapeError) in
      try conv2d(
        inputs[0], weight: inputs[1], bias: inputs[2], stride: e.stride, padding: e.padding)
    }
  }

  @Test func noBiasIsABiasOfZero() throws {
    let (x, weight) = (pattern([2, 3, 5, 5]), pattern([4, 3, 3, 3], step: 5))
    let zero = Tensor(repeating: 0, shape: [4])
    #expect(try conv2d(x, weight: weight) == conv2d(x, weight: weight, bias: zero))
  }

  @Test func errorsSayWhatToDo() {
    let x = Tensor(repeating: 0, shape: [2, 3, 8, 8])
    let weight = Tensor(repeating: 0, shape: [4, 1, 3, 3])
    expectShapeError(
      "conv2d: expected x of shape [images, channels, height, width], got [8, 8]; "
        + "a convolution comes before flatten"
    ) { () throws(ShapeError) in
      try conv2d(Tensor(repeating: 0, shape: [8, 8]), weight: weight)
    }
    expectShapeError(
      "conv2d: expected x of shape [images, channels, height, width], got [1, 8, 8]; "
        + "a single image is a batch of one: [1, channels, height, width]"
    ) { () throws(ShapeError) in
      try conv2d(Tensor(repeating: 0, shape: [1, 8, 8]), weight: weight)
    }
    expectShapeError(
      "conv2d: expected 1 channels in x (the weight is [4, 1, 3, 3]), got 3: x is [2, 3, 8, 8]; "
        + "the layer's input channels are the output channels of the layer before it"
    ) { () throws(ShapeError) in
      try conv2d(x, weight: weight)
    }
    expectShapeError(
      "conv2d: expected a weight of shape [output channels, input channels, height, width], got [4]; "
        + "the layer's input channels are the output channels of the layer before it"
    ) { () throws(ShapeError) in
      try conv2d(x, weight: Tensor(repeating: 0, shape: [4]))
    }
    let fitting = Tensor(repeating: 0, shape: [4, 3, 3, 3])
    expectShapeError(
      "conv2d: expected a bias of shape [4], one number for each output channel, got [3]"
    ) { () throws(ShapeError) in
      try conv2d(x, weight: fitting, bias: Tensor([1, 2, 3]))
    }
    expectShapeError(
      "conv2d: expected a stride of at least 1 and a padding of at least 0, got stride 0, padding 1"
    ) { () throws(ShapeError) in
      try conv2d(x, weight: fitting, stride: 0, padding: 1)
    }
    expectShapeError(
      "conv2d: expected images of at least 3×3 pixels, padding included, got 2×8 with padding 0; "
        + "pad more, or pool and stride less before"
    ) { () throws(ShapeError) in
      try conv2d(Tensor(repeating: 0, shape: [1, 3, 2, 8]), weight: fitting)
    }
  }
}

/// What PyTorch computes.
private struct PyTorchConvolution: Sendable {
  let stride, padding: Int
  var kernel = 3
  let y, dx, dWeight, dBias: [Float]

  static let all = [
    PyTorchConvolution(
      stride: 1, padding: 1,
      y: [
        -3.5, 0.625, -0.8125, 0.25, -2.0625, -1.25, -0.1875, -5.75, -1.375, 0.875,
        -6.4375, -0.625, -0.5625, 1.3125, 0.1875, -4.375, 1.9375, 1.1875, -2.875, 0.125,
        1.625, -0.25, 0.1875, 0.4375, 1.6875, -1.4375, 0.5, -0.75, 1.125, 1.5625, 2, 0.5,
        1.1875, 0, -0.0625, -0.5625, -0.3125, -0.5625, -1, 0.875, -0.625, -3.625, 0.4375,
        1.1875, -5.125, -0.5625, 0.5625, -1.3125, 0.125, -5.6875, 1.625, -0.625, -5,
        0.5625, -0.5, -1.3125, 1, -0.0625, 1.375, -2.75, -0.125, 0.875, 0.125, 0.625, 3,
        -0.75, 0.625, 0.3125, 0.25, 0.4375, 1.5, -2.125,
      ],
      dx: [
        0.6875, 1, 0.75, 1.9375, 1.125, 0.0625, -3.875, 2.875, -0.5, -1.75, 2.8125,
        -0.8125, 0.25, -1.75, 3.9375, 1.1875, -2.625, -2.8125, -3.4375, 1.25, -2.875,
        0.3125, 2.4375, -1.3125, 1.875, -0.4375, 2, -3.875, 2.875, -0.5, -1.4375, 0.5,
        -1.75, -3.125, -0.0625, 2.6875, 2, -1.3125, -1.125, -3.4375, 1.25, -2.875, 0.875,
        1.6875, -2.9375, 0.1875, 0.75, 2.0625,
      ],
      dWeight: [
        0.375, 3.4375, -0.0625, -1.4375, 5.1875, -0.625, -3.3125, 0.25, 0.0625, 3.8125,
        -1.5, -2.0625, 2.125, 2, -1.5625, 1.6875, -0.625, -1.0625, -2.5625, 0.875, 3.8125,
        -1.125, -0.9375, 2.125, 2.5, -4.3125, 1.6875, -1.25, 5.8125, -2.375, -0.625,
        2.625, 0.875, -2.1875, 1.9375, -1.5625, 2.0625, -3.75, -1.25, 2.625, -2.25,
        -0.625, 3.5, 0.75, -2.1875, -2.1875, 0.75, 3.5, -0.625, -2.25, 2.625, -1.25,
        -3.75, 2.0625,
      ],
      dBias: [
        -0.25, -1.5, 0,
      ]),
    PyTorchConvolution(
      stride: 2, padding: 1,
      y: [
        -3.5, -0.8125, -0.1875, -1.375, -0.5625, 0.1875, -2.875, 1.625, 1.6875, 0.5, 2,
        1.1875, -0.3125, -1, 0.4375, -5.125, 0.125, 1.625, -0.5, 1, -0.125, 0.125, 0.625,
        0.25,
      ],
      dx: [
        0.5625, 0.3125, -0.1875, 2, -3.8125, -0.1875, -0.9375, -0.625, 0.375, -0.125,
        3.25, -1.375, -0.1875, -0.625, -0.375, 1.625, -4.125, -0.125, -0.5625, 0, 0.625,
        0.25, 0.4375, -1.125, -0.1875, 0.875, -0.9375, -0.1875, 2.125, -1, 0.375, -1.4375,
        0.3125, -1.375, 2.125, 0.8125, -0.375, 1.0625, -0.5625, -0.125, -2.125, -1.1875,
        0.625, -1.75, -0.25, -1.125, 3.875, 0.25,
      ],
      dWeight: [
        -0.75, -1.1875, 1.0625, -0.6875, 0.625, -0.5, -0.625, -2.625, -0.375, -0.75,
        3.0625, -0.1875, -0.4375, 0.6875, 0, -0.375, -1.875, 0.125, -0.4375, -1.25, 1.375,
        -0.0625, -0.1875, 0.125, -0.25, -3.25, 0, -0.9375, 3.375, -0.375, -0.8125, 1.3125,
        -0.375, -1, -1.0625, -0.5, -0.8125, 2.8125, -1.0625, 0.5625, 4.5, -1.3125, 0.8125,
        3, -1, 0.9375, -1.8125, -0.5625, 1.5625, -2.1875, -0.0625, 1.8125, -3, 0.25,
      ],
      dBias: [
        -0.75, 1.25, -2.25,
      ]),
    PyTorchConvolution(
      stride: 1, padding: 0,
      y: [
        -2.0625, -5.75, 1.9375, 0.125, 1.125, 0.5, -0.625, 1.1875, -5, -1.3125, 3, 0.3125,
      ],
      dx: [
        1.625, -0.875, -1.3125, -0.4375, -0.5625, -1.375, 0.5625, -0.9375, 1, 1.125,
        0.0625, 1.0625, 1.125, -1.375, 1.625, -0.875, -1, -0.4375, -0.5625, -1.375,
        0.5625, -1.5625, 0.125, 1.125, -0.25, 0.375, 1, -1, -0.375, 2.3125, -2.5625,
        2.1875, -2.6875, 2.1875, -1.25, 2.1875, -0.125, 0.5, -0.25, -0.875, -0.25, -1,
        -0.375, 2.3125, -2.5625, 2.1875, -1.25, 2.1875,
      ],
      dWeight: [
        -0.25, 1.125, 1.125, -3.6875, 1.125, 1.125, -3.6875, 1.125, 1.125, 1.125, 1.125,
        -3.6875, 1.125, 1.125, -3.6875, 1.125, 1.125, -0.25, 1.3125, -0.5625, -1.0625,
        1.875, -0.6875, -1.1875, 1.75, -0.8125, -1.3125, -0.5625, -1.0625, 1.875, -0.6875,
        -1.1875, 1.75, -0.8125, -1.3125, 1.625, 1.5, -0.875, 0.875, -0.8125, -0.4375,
        1.3125, -0.375, 0, 1.75, -0.875, 0.875, -0.8125, -0.4375, 1.3125, -0.375, 0, 1.75,
        -3.375,
      ],
      dBias: [
        0, 0.5, -1.75,
      ]),
    PyTorchConvolution(
      stride: 1, padding: 0, kernel: 1,
      y: [
        0.3125, -1.875, -0.625, -2.8125, -1.5625, -0.3125, -2.5, -1.25, 0, -2.1875,
        -0.9375, 0.3125, -2.1875, 0.25, -1.4375, 1, 0, -1.6875, 0.75, -0.25, -1.9375,
        0.5, -0.5, -2.1875, -1.25, 1, -0.875, 1.375, 0.875, -1, 1.25, 0.75, -1.125,
        1.125, 0.625, -1.25, -0.625, -2.8125, -1.5625, -0.3125, -2.5, -1.25, 0, -2.1875,
        -0.9375, 0.3125, -1.875, -0.625, -1.4375, 1, 0, -1.6875, 0.75, -0.25, -1.9375,
        0.5, -0.5, -2.1875, 0.25, -1.4375, -0.875, 1.375, 0.875, -1, 1.25, 0.75, -1.125,
        1.125, 0.625, -1.25, 1, -0.875,
      ],
      dx: [
        1.1875, 1.9375, -0.0625, -2.75, 1.4375, 2.1875, 0.1875, -2.5, 1.6875, -0.3125,
        -3, 1.1875, 0, -0.5625, 0.25, 0.375, -0.1875, -0.75, 0.0625, 0.1875, -0.375,
        0.4375, 0.5625, 0, -2.75, 1.4375, 2.1875, 0.1875, -2.5, 1.6875, -0.3125, -3,
        1.1875, 1.9375, -0.0625, -2.75, 0.375, -0.1875, -0.75, 0.0625, 0.1875, -0.375,
        0.4375, 0.5625, 0, -0.5625, 0.25, 0.375,
      ],
      dWeight: [
        5.1875, 2, -0.9375, 2.625, -2.25, -2.25,
      ],
      dBias: [
        -0.25, -1.5, 0,
      ]),
    PyTorchConvolution(
      stride: 2, padding: 0, kernel: 1,
      y: [
        0.3125, -0.625, -2.5, 0, -2.1875, -1.4375, 0.75, -1.9375, -1.25, -0.875, 1.25,
        -1.125, -0.625, -1.5625, 0, -0.9375, -1.4375, 0, -1.9375, -0.5, -0.875, 0.875,
        -1.125, 0.625,
      ],
      dx: [
        -0.4375, 0, 0.3125, 0, 0, 0, 1.0625, 0, -0.9375, 0, 0, 0, 0.625, 0, 0.0625, 0,
        0, 0, -0.5, 0, 0.3125, 0, 0, 0, 0.3125, 0, 1.0625, 0, 0, 0, -0.9375, 0, -0.1875,
        0, 0, 0, 0.0625, 0, -0.5, 0, 0, 0, 0.3125, 0, 0.4375, 0, 0, 0,
      ],
      dWeight: [
        0.625, 0.6875, -0.1875, 1.3125, 4.5, -2.1875,
      ],
      dBias: [
        -0.75, 1.25, -2.25,
      ]),
  ]
}
