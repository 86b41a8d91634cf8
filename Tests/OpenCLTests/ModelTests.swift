import Foundation
import Lab
import LabTensors
import OpenCLKernels
import Testing

/// Networks trained on the device and on the processor, from the same weights with the same dropout.
@Suite(.needsOpenCL) struct ModelTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    let options: [String: OptionValue]
    let dims: [Int]
    /// Labels of an image; 0 for a single class.
    let labels: Int
    let count: Int

    var testDescription: String { name }
    var isRead: Bool { labels > 0 }
  }

  static let cases = [
    Case(name: "MLP", options: [:], dims: [1, 28, 28], labels: 0, count: 9),
    Case(
      name: "CNN", options: ["conv_dim": 16, "fc_dim": 32], dims: [1, 28, 28], labels: 0, count: 5),
    Case(name: "ResNet", options: ["channels": 8], dims: [1, 28, 28], labels: 0, count: 5),
    Case(
      name: "LineCNN",
      options: ["conv_dim": 8, "fc_dim": 32, "window_width": 28, "window_stride": 18],
      dims: [1, 28, 112], labels: 3, count: 3),
    Case(
      name: "LineCNNLSTM",
      options: [
        "conv_dim": 4, "fc_dim": 16, "window_width": 16, "window_stride": 8, "lstm_dim": 20,
        "lstm_layers": 2,
      ],
      dims: [1, 28, 84], labels: 3, count: 3),
  ]

  /// The losses of some steps with Adam, and the outputs of the trained network.
  private func train(_ test: Case, on device: Device, steps: Int) throws -> (
    losses: [Float], output: Tensor
  ) {
    let config = DataConfig(
      inputDims: test.dims, outputDims: [max(1, test.labels), 1],
      mapping: (0..<11).map(String.init))
    let configuration = try ModelConfiguration(test.name, test.options)
    // The shared generator belongs to this test alone.
    return try Generator.$shared.withValue(Generator(seed: 42)) {
      try losses(of: configuration.model(for: config), test, on: device, steps: steps)
    }
  }

  private func losses(
    of model: some Model, _ test: Case, on device: Device, steps: Int
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
    for test in Self.cases.dropFirst().prefix(2) {
      let first = try train(test, on: device, steps: 3)
      let second = try train(test, on: device, steps: 3)
      #expect(first.losses == second.losses && first.output == second.output)
    }
  }

  /// What a step takes is given back: after a thousand steps as much is in use as after one.
  @Test func memoryIsGivenBack() throws {
    let device = try #require(OpenCL.device)
    let queue = try #require((device.backend as? OpenCLBackend)?.queue)
    let before = queue.usedBytes
    do {
      let config = DataConfig(inputDims: [1, 8, 8], outputDims: [1], mapping: ["a", "b", "c"])
      let model = CNN(config, options(convDim: 2, fcDim: 4)).to(device)
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
      }
      // All but what the last step's tape, which is gone, held at that point.
      #expect(queue.usedBytes <= afterFirst)
      try device.check()
    }
    #expect(queue.usedBytes <= before + 4096)
  }

  private func options(convDim: Int, fcDim: Int) -> CNN.Options {
    var options = CNN.Options()
    (options.convDim, options.fcDim) = (convDim, fcDim)
    return options
  }
}
