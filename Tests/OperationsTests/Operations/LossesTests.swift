import Lab
import TestSupport
import Testing

struct LossesTests {
  static let results = [
    PyTorchResult(
      "lambda x: F.log_softmax(x, dim=-1)", [[2, 4]], shape: [2, 4],
      [-3.047095, -1.297095, -2.297095, -0.5470951, -1.450133, -2.450133, -0.7001327, -1.700133],
      [[-1.226252, -0.3633377, 0.3002753, 1.289314, -1.11727, -0.2931411, 0.2517403, 1.15867]]
    ) { x throws(ShapeError) in logSoftmax(x[0]) },
    PyTorchResult(
      "lambda x: F.nll_loss(F.log_softmax(x, dim=-1), torch.tensor([3, 0, 2]))", [[3, 4]],
      shape: [],
      [1.171409],
      [
        [
          -0.01979029, -0.1138853, -0.04189605, 0.1755716, 0.318942, -0.03595088, -0.2068831,
          -0.07610802, -0.04317609, -0.2484612, 0.3252629, -0.03362557,
        ]
      ]
    ) { x throws(ShapeError) in try nllLoss(logSoftmax(x[0]), IntTensor([3, 0, 2])) },
    PyTorchResult(
      "lambda x: F.cross_entropy(x, torch.tensor([3, 0, 2]), label_smoothing=0.1)", [[3, 4]],
      shape: [],
      [1.223493],
      [
        [
          -0.009373624, -0.1034686, -0.03147938, 0.1443216, 0.287692, -0.02553422, -0.1964664,
          -0.06569135, -0.03275942, -0.2380445, 0.2940129, -0.02320891,
        ]
      ]
    ) { x throws(ShapeError) in try crossEntropy(x[0], IntTensor([3, 0, 2]), labelSmoothing: 0.1) },
    PyTorchResult(
      "lambda a, b: F.mse_loss(a, b * b)", [[2, 3], [2, 3]], shape: [],
      [1.731771],
      [
        [1.171875, -0.1041667, 0.3125, 0.1302083, -0.078125, 0.546875],
        [2.929688, 0.1041667, 0.3125, -0.3255209, 0.0390625, 0.8203125],
      ]
    ) { x throws(ShapeError) in try mseLoss(x[0], x[1] * x[1]) },
    PyTorchResult(
      "lambda a, b: F.binary_cross_entropy_with_logits(4 * a, b.sigmoid())", [[2, 3], [2, 3]],
      shape: [],
      [0.9610978],
      [
        [0.1800061, -0.2152814, 0.2152815, -0.1800061, -0.1407351, 0.2278295],
        [-0.1803175, 0.0979182, -0.0979182, 0.1803175, 0.05127793, -0.1361844],
      ]
    ) { x throws(ShapeError) in try binaryCrossEntropyWithLogits(4 * x[0], sigmoid(x[1])) },
  ]

  @Test(arguments: results)
  func agreesWithPyTorch(_ result: PyTorchResult) throws {
    try result.check()
  }

  @Test func onPaper() throws {
    #expect(try mseLoss(Tensor([1, 2]), Tensor([1, 4])).item == 2)
    #expect(try nllLoss(Tensor([-1, -2], shape: [1, 2]), IntTensor([1])).item == 2)
    try expectClose(logSoftmax(Tensor([0, 0])), [-0.6931472, -0.6931472])
    try expectClose(binaryCrossEntropyWithLogits(Tensor([0]), Tensor([1])), [0.6931472])
    // Smoothing by 1 gives the uniform distribution as the target.
    let logits = Tensor([0, 0, 0, 0], shape: [1, 4])
    try expectClose(crossEntropy(logits, IntTensor([2]), labelSmoothing: 1), [1.3862944])
  }

  @Test func logSoftmaxAndNLLLossAreCrossEntropy() throws {
    let (x, labels) = (pattern([5, 7]), IntTensor([0, 6, 2, 3, 3]))
    try expectClose(
      nllLoss(logSoftmax(x), labels), [try crossEntropy(x, labels).item])
    #expect(try crossEntropy(x, labels, labelSmoothing: 0) == crossEntropy(x, labels))
  }

  @Test(arguments: [[1, 2], [3, 5], [4, 17]])
  func gradientsAreThoseOfDifferences(shape: [Int]) throws {
    let (x, other) = (pattern(shape), pattern(shape, step: 5))
    let labels = IntTensor((0..<shape[0]).map { $0 * 3 % shape[1] })
    try checkGradients(of: [x]) { x throws(ShapeError) in logSoftmax(x[0]) }
    try checkGradients(of: [x]) { x throws(ShapeError) in try nllLoss(x[0], labels) }
    try checkGradients(of: [x]) { x throws(ShapeError) in
      try crossEntropy(x[0], labels, labelSmoothing: 0.3)
    }
    try checkGradients(of: [x, other]) { x throws(ShapeError) in try mseLoss(x[0], x[1]) }
    try checkGradients(of: [x, other]) { x throws(ShapeError) in
      try binaryCrossEntropyWithLogits(x[0], x[1])
    }
  }

  @Test func argumentsThatDoNotFitAreRefused() {
    let x = pattern([2, 3])
    expectShapeError("mseLoss: expected a target of the shape of x, [2, 3], got [3]") {
      () throws(ShapeError) in try mseLoss(x, pattern([3]))
    }
    expectShapeError(
      "mseLoss: expected a target of the shape of x, [2, 3], got [6]; reshape one of the two"
    ) { () throws(ShapeError) in try mseLoss(x, pattern([6])) }
    expectShapeError("mseLoss: expected at least one element, got x [0]") {
      () throws(ShapeError) in try mseLoss(pattern([0]), pattern([0]))
    }
    expectShapeError(
      "binaryCrossEntropyWithLogits: expected a target of the shape of x, [2, 3], got [2]"
    ) { () throws(ShapeError) in try binaryCrossEntropyWithLogits(x, pattern([2])) }
    expectShapeError(
      "nllLoss: expected labels in 0..<3, the classes of the logits, got 3; the last layer's size "
        + "is the number of classes"
    ) { () throws(ShapeError) in try nllLoss(x, IntTensor([0, 3])) }
    expectShapeError("crossEntropy: expected label smoothing in 0...1, got 1.5") {
      () throws(ShapeError) in try crossEntropy(x, IntTensor([0, 1]), labelSmoothing: 1.5)
    }
  }
}
