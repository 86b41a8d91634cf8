import Lab
import TestSupport
import Testing

/// Operations and networks on a second backend, which fuses nothing and keeps everything in row-major
/// order.
struct BackendTests {
  private let device = ReferenceBackend.device

  @Test func tensorsMoveBetweenDevices() throws {
    let x = pattern([2, 3])
    let moved = x.to(device)
    #expect(x.device == .cpu && moved.device == device)
    #expect("\(moved.device)" == "reference")
    #expect(moved.elements == x.elements)
    #expect(moved[1].device == device)
    let tape = Tape()
    let variable = tape.variable(x)
    try tape.backward(sum(relu(variable.to(device))))
    let gradient = try #require(tape.gradient(of: variable))
    #expect(gradient.device == .cpu)
    #expect(gradient.elements == x.elements.map { $0 > 0 ? 1 : 0 })
  }

  @Test func mixedDevicesAreRefused() {
    let (x, y) = (pattern([2, 3]), pattern([2, 3]).to(device))
    expectShapeError(
      "+: expected tensors on one device, got cpu and reference; move the model and the batch to "
        + "the same device"
    ) { () throws(ShapeError) in _ = try x + y }
    expectShapeError(
      "linear: expected tensors on one device, got cpu and reference; move the model and the batch "
        + "to the same device"
    ) { () throws(ShapeError) in _ = try linear(x, weight: y) }
  }

  typealias Operation = @Sendable ([Tensor]) throws(ShapeError) -> Tensor

  static let operations: [(name: String, shapes: [[Int]], function: Operation)] = [
    ("+", [[2, 3], [2, 3]], { x throws(ShapeError) in try x[0] + x[1] }),
    ("broadcast +", [[2, 3, 4, 1], [3, 1, 2]], { x throws(ShapeError) in try x[0] + x[1] }),
    ("relu(+)", [[2, 3], [2, 3]], { x throws(ShapeError) in relu(try x[0] + x[1]) }),
    ("relu", [[2, 3, 4, 4]], { x throws(ShapeError) in relu(x[0]) }),
    ("softmax", [[3, 5]], { x throws(ShapeError) in softmax(x[0]) }),
    ("sum", [[3, 5]], { x throws(ShapeError) in sum(x[0]) }),
    (
      "dropout", [[3, 4, 5, 5]],
      { x throws(ShapeError) in dropout(x[0], probability: 0.5, generator: Generator(seed: 1)) }
    ),
    (
      "linear", [[3, 4], [5, 4], [5]],
      { x throws(ShapeError) in try linear(x[0], weight: x[1], bias: x[2]) }
    ),
    (
      "conv2d", [[2, 3, 7, 6], [4, 3, 3, 3], [4]],
      { x throws(ShapeError) in
        try conv2d(x[0], weight: x[1], bias: x[2], stride: 2, padding: 1)
      }
    ),
    (
      "conv2d, relu, maxPool2d, dropout", [[2, 8, 8, 8], [8, 8, 3, 3], [8]],
      { x throws(ShapeError) in
        let y = relu(try conv2d(x[0], weight: x[1], bias: x[2], padding: 1))
        return dropout(
          try maxPool2d(y, size: 2), probability: 0.5, generator: Generator(seed: 1))
      }
    ),
    (
      "maxPool2d", [[2, 3, 7, 6]],
      { x throws(ShapeError) in try maxPool2d(x[0], size: 3, stride: 2) }
    ),
    ("globalAveragePool", [[2, 3, 4, 5]], { x throws(ShapeError) in try globalAveragePool(x[0]) }),
    (
      "batchNorm2d", [[3, 4, 5, 5], [4], [4]],
      { x throws(ShapeError) in
        let running = RunningStatistics(channels: 4)
        try? running.load(
          mean: running.mean.to(x[0].device), variance: running.variance.to(x[0].device),
          batches: 0)
        running.move(to: x[0].device)
        return relu(try batchNorm2d(x[0], weight: x[1], bias: x[2], running: running))
      }
    ),
    (
      "crossEntropy", [[3, 5]],
      { x throws(ShapeError) in try crossEntropy(x[0], IntTensor([4, 0, 2])) }
    ),
    ("-", [[2, 3, 4], [3, 1]], { x throws(ShapeError) in try x[0] - x[1] }),
    ("*", [[2, 3, 4], [3, 1]], { x throws(ShapeError) in try x[0] * x[1] }),
    ("/", [[3, 1], [2, 3, 4]], { x throws(ShapeError) in try x[0] / (x[1] * x[1] + 1) }),
    ("scalars", [[2, 3]], { x throws(ShapeError) in -(2 - x[0] * 3) / 4 + 1 }),
    ("minimum", [[2, 3], [3]], { x throws(ShapeError) in try minimum(x[0], x[1]) }),
    ("maximum", [[2, 3], [3]], { x throws(ShapeError) in try maximum(x[0], x[1]) }),
    ("exp", [[2, 3]], { x throws(ShapeError) in exp(x[0]) }),
    ("log, sqrt", [[2, 3]], { x throws(ShapeError) in log(sqrt(abs(x[0]) + 1)) }),
    ("tanh, sigmoid", [[2, 3]], { x throws(ShapeError) in tanh(sigmoid(x[0])) }),
    ("gelu, silu", [[2, 3]], { x throws(ShapeError) in silu(gelu(x[0])) }),
    ("where", [[2, 3], [3]], { x throws(ShapeError) in try x[0].where(x[1] .> 0, x[1]) }),
    (
      "comparisons", [[4, 3], [3]],
      { x throws(ShapeError) in
        let all = try (x[0] .< x[1]) + (x[0] .<= x[1]) * 2 + (x[0] .== x[1]) * 4
        return try x[0] * all + x[1] + (x[0] .!= x[1]) + (x[0] .>= x[1]) + (x[0] .> 0.5)
      }
    ),
    ("sum over axes", [[2, 3, 4]], { x throws(ShapeError) in try sum(x[0], axes: [0, 2]) }),
    (
      "mean, keepDims", [[2, 3, 4]],
      { x throws(ShapeError) in try x[0] - mean(x[0], axes: [-1], keepDims: true) }
    ),
    ("max over axes", [[2, 3, 4]], { x throws(ShapeError) in try max(x[0], axes: [1]) }),
    ("permute", [[2, 3, 4]], { x throws(ShapeError) in try permute(x[0], order: [2, 0, 1]) }),
    (
      "slice, concatenate", [[2, 5, 3], [2, 2, 3]],
      { x throws(ShapeError) in
        try concatenate([slice(x[0], axis: 1, 0..<5, step: 2), x[1]], axis: 1)
      }
    ),
    (
      "split, stack", [[4, 3]],
      { x throws(ShapeError) in try stack(split(x[0], size: 2), axis: -1) }
    ),
    ("matmul", [[2, 1, 3, 4], [5, 4, 2]], { x throws(ShapeError) in try matmul(x[0], x[1]) }),
    (
      "embedding", [[4, 3]],
      { x throws(ShapeError) in try embedding(IntTensor([3, 0, 3, 1]), weight: x[0]) }
    ),
    (
      "layerNorm", [[3, 2, 4], [2, 4], [2, 4]],
      { x throws(ShapeError) in
        try layerNorm(x[0], normalizedShape: [2, 4], weight: x[1], bias: x[2])
      }
    ),
    (
      "avgPool2d", [[2, 3, 7, 6]],
      { x throws(ShapeError) in
        try avgPool2d(x[0], size: (3, 2), stride: (2, 2), padding: (1, 0))
      }
    ),
    (
      "adaptiveAvgPool2d", [[2, 3, 7, 5]],
      { x throws(ShapeError) in try adaptiveAvgPool2d(x[0], outputSize: (3, 4)) }
    ),
    (
      "grouped conv2d, relu", [[2, 4, 7, 9], [6, 2, 3, 2], [6]],
      { x throws(ShapeError) in
        relu(
          try conv2d(
            x[0], weight: x[1], bias: x[2], stride: (2, 1), padding: (1, 2), dilation: (1, 2),
            groups: 2))
      }
    ),
    ("logSoftmax", [[3, 5]], { x throws(ShapeError) in logSoftmax(x[0]) }),
    (
      "nllLoss", [[3, 5]],
      { x throws(ShapeError) in try nllLoss(x[0], IntTensor([4, 0, 2])) }
    ),
    (
      "label smoothing", [[3, 5]],
      { x throws(ShapeError) in
        try crossEntropy(x[0], IntTensor([4, 0, 2]), labelSmoothing: 0.2)
      }
    ),
    ("mseLoss", [[3, 5], [3, 5]], { x throws(ShapeError) in try mseLoss(x[0], x[1]) }),
    (
      "binaryCrossEntropyWithLogits", [[3, 5], [3, 5]],
      { x throws(ShapeError) in try binaryCrossEntropyWithLogits(x[0], x[1]) }
    ),
    (
      "multiMarginLoss", [[3, 5]],
      { x throws(ShapeError) in try multiMarginLoss(x[0], IntTensor([4, 0, 2])) }
    ),
    (
      "ctcLoss", [[4, 3, 3]],
      { x throws(ShapeError) in
        try ctcLoss(
          logSoftmax(x[0]), IntTensor([1, 2, 2, 2, 0, 0], shape: [3, 2]), inputLengths: [4, 3, 2],
          targetLengths: [2, 2, 0])
      }
    ),
    (
      "lstm", [[4, 3, 5], [12, 5], [12, 3], [12], [12]],
      { x throws(ShapeError) in
        try lstm(
          lstm(x[0], weightIH: x[1], weightHH: x[2], biasIH: x[3], biasHH: x[4]),
          weightIH: x[2], weightHH: x[2], biasIH: x[3], biasHH: x[4], reverse: true)
      }
    ),
  ]

  @Test(arguments: operations.indices)
  func operationsAgree(index: Int) throws {
    let (name, shapes, function) = Self.operations[index]
    // No two elements are equal, so that there is one largest pixel in a window.
    let generator = Generator(seed: 5)
    let inputs = shapes.map {
      Tensor(generator.normal(count: $0.reduce(1, *), std: 1), shape: $0)
    }
    let expected = try gradients(of: inputs, function)
    let found = try gradients(of: inputs.map { $0.to(device) }, function)
    #expect(found.y.device == device, "\(name)")
    try expectClose(found.y, expected.y.elements, tolerance: 1e-5)
    for (gradient, other) in zip(found.gradients, expected.gradients) {
      #expect(gradient?.device == device, "\(name)")
      try expectClose(gradient, try #require(other).elements, tolerance: 1e-4)
    }
  }

  /// The course's networks, three steps of an optimizer each.
  @Test(arguments: ["CNN", "MLP", "ResNet"], ["Adam", "AdamW", "SGD"])
  func networksTrainOnEither(model: String, optimizer: String) throws {
    let config = DataConfig(inputDims: [1, 12, 12], outputDims: [1], mapping: ["a", "b", "c"])
    let x = pattern([6, 1, 12, 12])
    let labels = IntTensor([0, 1, 2, 2, 1, 0])
    let losses = try [Device.cpu, device].map { device in
      try Generator.$shared.withValue(Generator(seed: 7)) {
        let model: any Model = Self.model(model, config)
        model.to(device)
        let optimizer = Self.optimizer(optimizer, model.parameters)
        var losses = try (0..<3).map { _ in
          optimizer.clearGradients()
          let tape = Tape()
          let loss = try crossEntropy(model(tape.input(x.to(device))), labels)
          try tape.backward(loss)
          optimizer.step()
          return loss.item
        }
        let logits = try model(x.to(device))
        losses.append(try crossEntropy(logits, labels).item)
        losses.append(countCorrect(logits, labels).item)
        #expect(argmax(logits).count == 6)
        return losses
      }
    }
    for (loss, other) in zip(losses[0], losses[1]) {
      #expect(abs(loss - other) < 2e-4 * max(1, abs(loss)), "\(losses)")
    }
  }

  private static func model(_ name: String, _ config: DataConfig) -> any Model {
    switch name {
    case "CNN":
      var options = CNN.Options.defaults
      (options.convDim, options.fcDim) = (8, 8)
      return CNN(config, options)
    case "MLP":
      var options = MLP.Options.defaults
      (options.fc1, options.fc2) = (8, 8)
      return MLP(config, options)
    default:
      var options = ResNet.Options.defaults
      options.channels = 4
      return ResNet(config, options)
    }
  }

  private static func optimizer(
    _ name: String, _ parameters: [Parameter]
  ) -> any Lab.Optimizer {
    switch name {
    case "Adam": Adam(parameters)
    case "AdamW": AdamW(parameters, weightDecay: 0.1)
    default: SGD(parameters, learningRate: 0.01, momentum: 0.9, weightDecay: 0.1, nesterov: true)
    }
  }
}
