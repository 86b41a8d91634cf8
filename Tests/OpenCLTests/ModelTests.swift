import Foundation
import Lab
import LabTensors
import OpenCLKernels
import Testing

/// Networks trained on the device and on the processor, from the same weights with the same dropout.
@Suite(.needsOpenCL) struct ModelTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    let layers: @Sendable () -> any Layer
    let dims: [Int]
    /// Labels of an image; 0 for a single class.
    let labels: Int
    let count: Int

    var testDescription: String { name }
    var isRead: Bool { labels > 0 }
  }

  static let cases = [
    Case(name: "CNN", layers: cnn, dims: [1, 8, 8], labels: 0, count: 5),
    Case(name: "residual", layers: { Residual() }, dims: [1, 8, 8], labels: 0, count: 5),
    Case(name: "reader", layers: { Reader() }, dims: [1, 6, 40], labels: 3, count: 3),
  ]

  /// The library's networks, which take minutes on PoCL: with `LAB_OPENCL_NETWORKS`.
  static let networks = [
    network("MLP", [:], [1, 28, 28], count: 9),
    network("CNN", ["conv_dim": 16, "fc_dim": 32], [1, 28, 28], count: 5),
    network("ResNet", ["channels": 8], [1, 28, 28], count: 5),
    network(
      "LineCNN", ["conv_dim": 8, "fc_dim": 32, "window_width": 28, "window_stride": 18],
      [1, 28, 112], labels: 3, count: 3),
    network(
      "LineCNNLSTM",
      [
        "conv_dim": 4, "fc_dim": 16, "window_width": 16, "window_stride": 8, "lstm_dim": 20,
        "lstm_layers": 2,
      ], [1, 28, 84], labels: 3, count: 3),
  ]

  private static func network(
    _ name: String, _ options: [String: OptionValue], _ dims: [Int], labels: Int = 0, count: Int
  ) -> Case {
    let config = DataConfig(
      inputDims: dims, outputDims: [max(1, labels), 1], mapping: (0..<11).map(String.init))
    return Case(
      name: name,
      layers: {
        guard let configuration = try? ModelConfiguration(name, options) else {
          preconditionFailure("no network \(name) with \(options)")
        }
        return configuration.model(for: config)
      }, dims: dims, labels: labels, count: count)
  }

  @Sendable private static func cnn() -> any Layer {
    var options = CNN.Options()
    (options.convDim, options.fcDim) = (16, 16)
    let config = DataConfig(
      inputDims: [1, 8, 8], outputDims: [1], mapping: (0..<11).map(String.init))
    return CNN(config, options)
  }

  /// As ResNet, with a single block: each convolution's shape is a program of its own, and PoCL takes
  /// about a second for each.
  private struct Residual: Layer {
    let stem = ConvNorm(1, 16)
    let block = ResidualBlock(16, 16, halves: true)
    let fc = Linear(16, 11)

    func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
      try fc(globalAveragePool(block(relu(stem(x)))))
    }
  }

  /// As LineCNNLSTM, with one convolution.
  private struct Reader: Layer {
    let conv = ConvBlock(1, 12, kernelSize: (6, 4), stride: (6, 4), padding: (0, 0))
    let dropout = Dropout(0.2)
    let lstm = LSTM(inputSize: 12, hiddenSize: 12, bidirectional: true)
    let fc = Linear(24, 11)

    func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
      let windows = try conv(x)
      let (count, steps) = (windows.shape[0], windows.shape[3])
      let sequence = try permute(
        reshape(windows, to: [count, 12, steps]), order: [2, 0, 1])
      let y = try fc(reshape(dropout(lstm(sequence)), to: [steps * count, 24]))
      return try permute(reshape(y, to: [steps, count, 11]), order: [1, 2, 0])
    }
  }

  /// The losses of some steps with Adam, and the outputs of the trained network.
  private func train(_ test: Case, on device: Device, steps: Int) throws -> (
    losses: [Float], output: Tensor
  ) {
    // The shared generator belongs to this test alone.
    try Generator.$shared.withValue(Generator(seed: 42)) {
      try losses(of: test.layers(), test, on: device, steps: steps)
    }
  }

  private func losses(
    of model: some Layer, _ test: Case, on device: Device, steps: Int
  ) throws -> (losses: [Float], output: Tensor) {
    model.to(device)
    let x = numbers([test.count] + test.dims, seed: 3).to(device)
    let labels = (0..<test.count * max(1, test.labels)).map { 1 + $0 * 7 % 10 }
    let optimizer = Adam(model.parameters)
    var losses: [Tensor] = []
    for _ in 0..<steps {
      optimizer.clearGradients()
      let tape = Tape()
      let output = try model(tape.input(x))
      let loss: Tensor
      if test.isRead {
        let steps = output.shape[2]
        loss = try ctcLoss(
          logSoftmax(permute(output, order: [2, 0, 1])),
          IntTensor(labels, shape: [test.count, test.labels]),
          inputLengths: Array(repeating: steps, count: test.count),
          targetLengths: (0..<test.count).map { 1 + $0 % test.labels }, zeroInfinity: true)
      } else {
        loss = try crossEntropy(output, IntTensor(labels))
      }
      losses.append(loss.detached)
      try tape.backward(loss)
      optimizer.step()
    }
    let output = try model(x)
    try device.check()
    return (losses.map(\.item), output.to(.cpu))
  }

  @Test(arguments: cases) func tenStepsAreThoseOfTheProcessor(_ test: Case) throws {
    try expectSameSteps(test)
  }

  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["LAB_OPENCL_NETWORKS"] != nil,
      "takes minutes on a processor; LAB_OPENCL_NETWORKS=1 runs it"),
    arguments: networks)
  func tenStepsOfTheLibrarysNetworksAreThoseOfTheProcessor(_ test: Case) throws {
    try expectSameSteps(test)
  }

  private func expectSameSteps(_ test: Case) throws {
    let device = try #require(OpenCL.device)
    let expected = try train(test, on: .cpu, steps: 10)
    let got = try train(test, on: device, steps: 10)
    for (step, pair) in zip(got.losses, expected.losses).enumerated() {
      #expect(
        abs(pair.0 - pair.1) <= 3e-4 * abs(pair.1), "step \(step): \(pair.0), expected \(pair.1)")
    }
    #expect(expected.losses[9] < expected.losses[0])
    expectClose(got.output, expected.output, 0.01, "the output after ten steps")
  }

  @Test func twoTrainingsGiveTheSameBytes() throws {
    let device = try #require(OpenCL.device)
    for test in Self.cases.prefix(2) {
      let first = try train(test, on: device, steps: 3)
      let second = try train(test, on: device, steps: 3)
      #expect(first.losses == second.losses && first.output == second.output)
    }
  }

  /// What a step takes is given back: after a thousand steps as much is in use as after one.
  @Test func memoryIsGivenBack() throws {
    // Other tests use the shared device meanwhile.
    let (device, backend) = try ownDevice()
    let queue = backend.queue
    let before = queue.usedBytes
    do {
      let model = Self.cnn()
      model.to(device)
      let optimizer = Adam(model.parameters)
      let x = numbers([2, 1, 8, 8])
      var afterFirst = 0
      for step in 0..<1000 {
        optimizer.clearGradients()
        let tape = Tape()
        let loss = try crossEntropy(model(tape.input(x.to(device))), IntTensor([0, 2]))
        try tape.backward(loss)
        optimizer.step()
        if step == 1 { afterFirst = queue.usedBytes }
        // Otherwise nobody waits, and the test ends before the device has begun.
        if step % 10 == 9 { #expect(loss.item.isFinite) }
      }
      // All but what the last step's tape, which is gone, held at that point.
      #expect(queue.usedBytes <= afterFirst)
      try device.check()
    }
    #expect(queue.usedBytes <= before + 4096)
  }
}
