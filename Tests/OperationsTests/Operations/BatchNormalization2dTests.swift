import Lab
import TestSupport
import Testing

struct BatchNormalization2dTests {
  @Test func onPaper() throws {
    let running = RunningStatistics(channels: 1)
    let x = Tape().input(Tensor([1, 3, 5, 7], shape: [1, 1, 2, 2]))
    let y = try batchNorm2d(
      x, weight: Tensor([10]), bias: Tensor([1]), running: running, momentum: 0.5, epsilon: 4)
    // The mean is 4; the variance is 5, and 20/3 as an estimate; √(5 + 4) is 3.
    try expectClose(y, [-9, -7.0 / 3, 13.0 / 3, 11])
    try expectClose(running.mean, [2])
    try expectClose(running.variance, [0.5 + 10.0 / 3])
    #expect(running.batches == 1)
    // Off a tape the running statistics count, and stay.
    let other = try batchNorm2d(
      Tensor([2, 4], shape: [1, 1, 1, 2]), weight: Tensor([10]), bias: Tensor([1]),
      running: running, epsilon: 0)
    try expectClose(other, [1, 1 + 20 / (0.5 + 10.0 / 3 as Float).squareRoot()])
    #expect(running.batches == 1)
  }

  /// ```python
  /// x, w, b = pattern(2, 3, 2, 2), pattern(3, step=5), pattern(3, step=3)
  /// mean, variance = torch.zeros(3), torch.ones(3)
  /// y = F.batch_norm(x, mean, variance, w, b, training=True)
  /// torch.autograd.grad(y, (x, w, b), pattern(*y.shape, step=3))
  /// F.batch_norm(x, mean, variance, w, b)
  /// ```
  @Test func agreesWithPyTorch() throws {
    let running = RunningStatistics(channels: 3)
    let inputs = [pattern([2, 3, 2, 2]), pattern([3], step: 5), pattern([3], step: 3)]
    let (y, gradients) = try gradients(of: inputs) { x throws(ShapeError) in
      try batchNorm2d(x[0], weight: x[1], bias: x[2], running: running)
    }
    try expectClose(
      y,
      [
        0.923279762, -1.72245216, -0.210605323, -2.85633707, -0.5, -0.5, -0.5, -0.5, -0.921294034,
        1.81172538, 0.25, -1.31172538, -1.72245216, -0.210605323, -2.85633707, -1.34449041, -0.5,
        -0.5, -0.5, -0.5, 1.81172538, 0.25, -1.31172538, 1.42129397,
      ])
    try expectClose(running.mean, [0.0187500007, -0.00312500005, -0.0250000004])
    try expectClose(running.variance, [0.978124976, 0.959709823, 0.973214269])
    try expectClose(
      gradients[0],
      [
        0.475170493, 0.890905738, -1.12847674, -0.712741554, 0, 0, 0, 0, -0.117853202,
        -0.379705489, 1.61052942, -0.693980753, 0.890905738, -1.12847674, -0.712741554, 1.42545474,
        0, 0, 0, 0, -0.379705489, 1.61052942, -0.693980753, -0.955833077,
      ])
    try expectClose(gradients[1], [3.87410736, 2.64804316, 3.35770965])
    try expectClose(gradients[2], [-0.75, 1.25, -2.25])
    try expectClose(
      batchNorm2d(inputs[0], weight: inputs[1], bias: inputs[2], running: running),
      [
        0.353565276, -1.85824895, -0.594355106, -2.80616927, -0.5, -0.5, -0.5, -0.5, -0.985401511,
        1.23198581, -0.0350926518, -1.30217123, -1.85824895, -0.594355106, -2.80616927,
        -1.54227543, -0.5, -0.5, -0.5, -0.5, 1.23198581, -0.0350926518, -1.30217123, 0.915216208,
      ])
  }

  @Test(arguments: [[2, 3, 2, 2], [3, 1, 2, 1], [5, 4, 1, 1], [1, 17, 3, 2]])
  func gradientsAreTheDifferences(shape: [Int]) throws {
    let inputs = [
      pattern(shape), pattern([shape[1]], step: 5, modulus: 9),
      pattern([shape[1]], step: 3, modulus: 9),
    ]
    try checkGradients(of: inputs, tolerance: 5e-3) { x throws(ShapeError) in
      try batchNorm2d(
        x[0].tape == nil ? Tape().input(x[0]) : x[0], weight: x[1], bias: x[2],
        running: RunningStatistics(channels: shape[1]), epsilon: 0.1
      ).detached(unlessOn: x[0].tape)
    }
  }

  @Test func withoutATapeOnlyWeightAndBiasLearn() throws {
    let running = RunningStatistics(channels: 2)
    try running.load(mean: Tensor([1, -1]), variance: Tensor([4, 0.25]), batches: 3)
    try checkGradients(of: [pattern([2]), pattern([2], step: 5)]) { inputs throws(ShapeError) in
      try batchNorm2d(
        pattern([2, 2, 3, 1]), weight: inputs[0], bias: inputs[1], running: running)
    }
  }

  @Test(arguments: [[4, 16, 3, 3], [2, 5, 2, 3]])
  func aRectifierBehindItChangesNothingButTheTime(shape: [Int]) throws {
    let inputs = [pattern(shape), pattern([shape[1]], step: 5), pattern([shape[1]], step: 3)]
    let results = try [true, false].map { isFused in
      try gradients(of: inputs) { x throws(ShapeError) in
        let y = try batchNorm2d(
          x[0], weight: x[1], bias: x[2], running: RunningStatistics(channels: shape[1]))
        if !isFused { _ = y.elements }
        return relu(y)
      }
    }
    #expect(results[0].y == results[1].y)
    for (fused, plain) in zip(results[0].gradients, results[1].gradients) {
      try expectClose(fused, try #require(plain).elements)
    }
  }

  @Test func errorsSayWhatToDo() {
    func normalise(_ shape: [Int], weight: Int, running: Int = 4) throws(ShapeError) -> Tensor {
      try batchNorm2d(
        Tape().input(Tensor(repeating: 0, shape: shape)),
        weight: Tensor(repeating: 1, shape: [weight]), bias: Tensor(repeating: 0, shape: [4]),
        running: RunningStatistics(channels: running))
    }
    expectShapeError(
      "batchNorm2d: expected x of shape [images, channels, height, width], got [2, 4]; "
        + "images are normalized before flatten"
    ) { () throws(ShapeError) in try normalise([2, 4], weight: 4) }
    expectShapeError(
      "batchNorm2d: expected a weight of shape [4], as x is [2, 4, 3, 3], got [8]; "
        + "the layer's size is the number of output channels of the layer before it"
    ) { () throws(ShapeError) in try normalise([2, 4, 3, 3], weight: 8) }
    expectShapeError(
      "batchNorm2d: expected a bias of shape [5], as x is [2, 5, 3, 3], got [4]; "
        + "the layer's size is the number of output channels of the layer before it"
    ) { () throws(ShapeError) in try normalise([2, 5, 3, 3], weight: 5) }
    expectShapeError(
      "batchNorm2d: expected a running mean of shape [4], as x is [2, 4, 3, 3], got [3]; "
        + "the layer's size is the number of output channels of the layer before it"
    ) { () throws(ShapeError) in try normalise([2, 4, 3, 3], weight: 4, running: 3) }
    expectShapeError(
      "batchNorm2d: expected more than one pixel a channel to train on, got x [1, 4, 1, 1]; "
        + "one value has no variance: take a larger batch, or larger images"
    ) { () throws(ShapeError) in try normalise([1, 4, 1, 1], weight: 4) }
  }
}

extension Tensor {
  /// The plain value, unless it is on the tape that is asked about.
  fileprivate func detached(unlessOn tape: Tape?) -> Tensor { tape == nil ? detached : self }
}
