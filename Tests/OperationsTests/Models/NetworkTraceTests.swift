import Lab
import TestSupport
import Testing

struct NetworkTraceTests {
  @Test func operationsBelongToTheLayersThatCallThem() throws {
    let trace = try NetworkTrace(seeded(1) { CNN(.emnist) }, inputShape: [5, 1, 28, 28])
    #expect(
      trace.operations.map { "\($0.layer):\($0.name)" } == [
        "conv1.conv:conv2d", "conv1:relu", "conv2.conv:conv2d", "conv2:relu",
        "maxPool:maxPool2d", "dropout:dropout", ":reshape", "fc1:linear", ":relu", "fc2:linear",
      ])
    #expect(
      trace.operations[2].inputs
        == [.operation(1), .parameter("conv2.conv.weight"), .parameter("conv2.conv.bias")])
    #expect(trace.operations[0].inputs.first == .input && trace.output == .operation(9))
    #expect(trace.operations[4].shape == [5, 64, 14, 14])
  }

  /// Images of 28×28 pixels: multiply-adds by hand.
  @Test func layersHaveShapesAndMultiplyAdds() throws {
    let trace = try NetworkTrace(seeded(1) { CNN(.emnist) }, inputShape: [5, 1, 28, 28])
    let rows = trace.layers.map {
      "\($0.path) \($0.type) \($0.inputShape ?? []) \($0.outputShape ?? []) \($0.parameterCount) "
        + "\($0.multiplyAdds ?? -1)"
    }
    #expect(
      rows == [
        " CNN [5, 1, 28, 28] [5, 83] 1654035 30969216",
        "conv1 ConvBlock [5, 1, 28, 28] [5, 64, 28, 28] 640 451584",
        "conv1.conv Conv2d [5, 1, 28, 28] [5, 64, 28, 28] 640 451584",
        "conv2 ConvBlock [5, 64, 28, 28] [5, 64, 28, 28] 36928 28901376",
        "conv2.conv Conv2d [5, 64, 28, 28] [5, 64, 28, 28] 36928 28901376",
        "maxPool MaxPool2d [5, 64, 28, 28] [5, 64, 14, 14] 0 0",
        "dropout Dropout [5, 64, 14, 14] [5, 64, 14, 14] 0 0",
        "fc1 Linear [5, 12544] [5, 128] 1605760 1605632",
        "fc2 Linear [5, 128] [5, 83] 10707 10624",
      ])
  }

  @Test(arguments: [ResNet.Halving.stride, .pool], [ResNet.Norm.batch, .none])
  func blocksOfAResNetAreFound(halving: ResNet.Halving, norm: ResNet.Norm) throws {
    var options = ResNet.Options.defaults
    (options.blocks, options.halving, options.norm) = (2, halving, norm)
    let trace = try NetworkTrace(
      seeded(1) { ResNet(.emnist, options) }, inputShape: [3, 1, 28, 28])
    #expect(trace.layers.allSatisfy { $0.inputShape != nil && $0.outputShape != nil })
    let block = try #require(trace.layers.first { $0.path == "blocks.2" })
    #expect(block.inputShape == [3, 16, 28, 28] && block.outputShape == [3, 32, 14, 14])
    let own = trace.operations.filter { $0.layer == "blocks.2" }.map(\.name)
    #expect(own == ["relu", "add", "relu"])
    let conv = try #require(trace.layers.first { $0.path == "blocks.2.conv1.conv" })
    #expect(conv.multiplyAdds == 14 * 14 * 32 * 16 * 9)
    let names = trace.operations.filter { $0.layer.hasPrefix("blocks.2.shortcut") }.map(\.name)
    #expect(names == (norm == .batch ? ["conv2d", "batchNorm2d"] : ["conv2d"]))
    #expect(trace.operations.last { $0.layer.isEmpty }?.name == "globalAveragePool")
  }

  private static let lines = DataConfig(
    inputDims: [1, 28, 224], outputDims: [8], mapping: (0..<83).map(String.init))

  @Test func networksForLines() throws {
    let simple = try NetworkTrace(
      seeded(1) { LineCNNSimple(Self.lines) }, inputShape: [3, 1, 28, 224])
    let cnn = try #require(simple.layers.first { $0.path == "cnn" })
    #expect(cnn.inputShape == [24, 1, 28, 28] && cnn.outputShape == [24, 83])
    #expect(cnn.multiplyAdds == 8 * 30_969_216)
    #expect(simple.layers.allSatisfy { $0.inputShape != nil })
    #expect(simple.operations.filter { $0.layer.isEmpty && $0.name == "slice" }.count == 8)

    let trace = try NetworkTrace(
      seeded(1) { LineCNNLSTM(Self.lines) }, inputShape: [3, 1, 28, 224])
    #expect(trace.layers.allSatisfy { $0.inputShape != nil })
    let lstm = try #require(trace.layers.first { $0.type == "LSTM" })
    // 27 steps of windows of 16 pixels.
    #expect(lstm.path == "lstm" && lstm.inputShape == [27, 3, 83])
    #expect(lstm.outputShape == [27, 3, 1024])
    #expect(lstm.multiplyAdds == 27 * 2 * (2048 * 83 + 2048 * 512))
    #expect(trace.layers.contains { $0.path == "line_cnn.convs.8.conv" })
    #expect(trace.layers.first?.outputShape == [3, 83, 27])
    let sum = trace.layers.filter { ["line_cnn", "lstm", "fc"].contains($0.path) }
      .reduce(0) { $0 + ($1.multiplyAdds ?? 0) }
    #expect(trace.layers.first?.multiplyAdds == sum)
  }

  /// Activations before layers, layers in nested arrays and tuples, one that is used twice, one without
  /// parameters, one that is not called, and an operation of one's own.
  private struct Own: Layer {
    struct PreActivation: Layer {
      let norm = BatchNorm2d(4)
      let conv = Conv2d(4, 4, kernelSize: 3, padding: 1)
      func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
        try conv(relu(norm(relu(x))))
      }
    }

    struct Halved: Layer {
      func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
        // Ends the program if x has fewer dimensions.
        try avgPool2d(x, size: x.shape[3] > 1 ? 2 : 1) * 0.5
      }
    }

    struct Scale: Layer {
      let factor = Parameter(Tensor([2]))
      func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
        try x * factor.on(x.tape)
      }
    }

    let first = Conv2d(1, 4, kernelSize: 3, padding: 1)
    let stages = [[PreActivation()], [PreActivation(), PreActivation()]]
    let pair = (Scale(), tanh: Tanh())
    let halved = Halved()
    let unused = Linear(3, 3)
    let activation = ReLU()
    let head: [any Layer] = [Flatten(), Linear(64, 8), ReLU(), Linear(8, 2)]

    func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
      var x = try activation(first(x))
      for stage in stages {
        for block in stage { x = try block(x) }
      }
      x = try halved(pair.tanh(pair.0(activation(x))))
      x = doubled(x)
      for layer in head { x = try layer(x) }
      return x
    }

    private func doubled(_ x: Tensor) -> Tensor {
      Tensor(x.elements.map { 2 * $0 }, shape: x.shape).recorded(from: [x]) { dy in
        x.receive(Tensor(dy.elements.map { 2 * $0 }, shape: dy.shape))
      }
    }
  }

  @Test func layersOfOnesOwnAreFound() throws {
    let model = seeded(1) { Own() }
    let trace = try NetworkTrace(model, inputShape: [3, 1, 8, 8])
    let block = { (path: String) in
      ["\(path):relu", "\(path).norm:batchNorm2d", "\(path):relu", "\(path).conv:conv2d"]
    }
    var expected = ["first:conv2d", "activation:relu"]
    for path in ["stages.0.0", "stages.1.0", "stages.1.1"] { expected += block(path) }
    expected += [
      "activation:relu", "pair.0:multiply", "pair.tanh:tanh", "halved:avgPool2d",
      "halved:multiply", ":doubled", "head.0:reshape", "head.1:linear", "head.2:relu",
      "head.3:linear",
    ]
    #expect(trace.operations.map { "\($0.layer):\($0.name)" } == expected)
    let unused = try #require(trace.layers.first { $0.path == "unused" })
    #expect(unused.inputShape == nil && unused.multiplyAdds == nil && unused.parameterCount == 12)
    let halved = try #require(trace.layers.first { $0.path == "halved" })
    #expect(halved.inputShape == [3, 4, 8, 8] && halved.outputShape == [3, 4, 4, 4])
  }

  @Test func nothingChanges() throws {
    try seeded(7) {
      let model = Own()
      let generator = Generator.shared.state
      let parameters = model.parameters.map(\.value.elements)
      _ = try NetworkTrace(model, inputShape: [4, 1, 8, 8])
      #expect(Generator.shared.state == generator)
      #expect(model.parameters.map(\.value.elements) == parameters)
      #expect(model.namedStatistics.allSatisfy { $0.statistics.batches == 0 })
      #expect(model.parameters.allSatisfy { $0.gradient == nil })
    }
  }

  @Test func aBatchThatDoesNotFitIsRefused() throws {
    #expect(throws: ShapeError.self) {
      try NetworkTrace(seeded(1) { MLP(.emnist) }, inputShape: [4, 1, 8, 8])
    }
  }
}
