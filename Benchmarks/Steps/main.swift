// Times whole steps through the library's public API, on batches of EMNIST as in `lab train`, or on
// random lines of the size of EMNISTLines. Prints one line of JSON: the median milliseconds of each kind
// of step.

import ArgumentParser
import Foundation
import Kernels
import Lab

struct Options: ParsableArguments {
  @Option(help: "Threads to use.")
  var threads = 2

  @Option(help: "Seconds to measure each kind of step for.")
  var seconds = 4.0

  @Option(name: .customLong("data_source"), help: "auto, download, or synthetic.")
  var dataSource = "auto"

  @Option(help: "Only steps whose name contains this text.")
  var only = ""

  @Flag(help: "Time the steps of networks that read lines.")
  var lines = false

  @Flag(help: "Time a whole epoch of `Trainer.fit` in place of single steps.")
  var epoch = false

  @Option(
    help: "Train on so many batches of the epoch and validate on a quarter as many; 0 is all.")
  var batches = 0

  @Option(name: .customLong("num_workers"), help: "Threads that gather batches for the epoch.")
  var workers = 1
}

let options = Options.parseOrExit()
Threads.count = options.threads
guard let source = DataSource(rawValue: options.dataSource) else {
  print("--data_source: expected auto, download or synthetic, got \(options.dataSource)")
  exit(1)
}
manualSeed(42)

func emnist() throws -> EMNIST {
  try EMNIST(DataOptions(source: source, batchSize: 128, workers: options.workers))
}

/// The milliseconds that `body` takes: the median of the calls that fit into the time.
func median(_ name: String, _ body: () throws -> Void) -> Double? {
  guard options.only.isEmpty || name.contains(options.only) else { return nil }
  var times: [Double] = []
  exitOnError {
    // The first calls fill caches and pools. Steps of lines take seconds.
    for _ in 0..<(options.lines ? 1 : 3) { try body() }
    let end = ContinuousClock.now + .seconds(options.seconds)
    while ContinuousClock.now < end || times.count < (options.lines ? 3 : 5) {
      let start = ContinuousClock.now
      try body()
      times.append(start.duration(to: .now) / .milliseconds(1))
    }
  }
  return times.sorted()[times.count / 2]
}

/// A training step on the next of some batches that were loaded in advance.
func trainingStep(
  _ model: some Model, _ batches: [Batch],
  loss: @escaping (Tensor, IntTensor) throws(ShapeError) -> Tensor = { try crossEntropy($0, $1) }
) -> () throws -> Void {
  let optimizer = Adam(model.parameters)
  var next = 0
  return {
    let batch = batches[next % batches.count]
    next += 1
    optimizer.clearGradients()
    let tape = Tape()
    let loss = try loss(model(tape.input(batch.x)), batch.y)
    try tape.backward(loss)
    optimizer.step()
  }
}

func inferenceStep(_ model: some Model, _ x: Tensor) -> () throws -> Void {
  { _ = try model(x).elements }
}

/// The forward and backward pass of a layer, by default on a batch of images of 64 channels and 28×28
/// pixels.
func layerStep(_ layer: some Layer, shape: [Int] = [128, 64, 28, 28]) -> () throws -> Void {
  let x = Tensor(Generator(seed: 1).uniform(count: shape.reduce(1, *), -1, 1), shape: shape)
  var gradient: Tensor?
  return {
    let tape = Tape()
    let input = tape.variable(x)
    // Not computed otherwise, for the gradients do not need it.
    let y = try layer(input).materialize()
    let ones = gradient ?? Tensor(repeating: 1, shape: y.shape)
    gradient = ones
    try tape.backward(y, gradient: ones)
  }
}

/// The mean CTC loss of logits of shape lines × classes × steps.
func ctc(_ logits: Tensor, _ labels: IntTensor) throws(ShapeError) -> Tensor {
  let (count, steps) = (logits.shape[0], logits.shape[2])
  let lengths = (0..<count).map(lineLength)
  return try ctcLoss(
    logSoftmax(permute(logits, order: [2, 0, 1])), labels,
    inputLengths: [Int](repeating: steps, count: count), targetLengths: lengths,
    zeroInfinity: true)
}

/// The number of characters of a line, of which there are at most 32.
func lineLength(_ line: Int) -> Int { 16 + line % 17 }

/// The steps of networks that read lines: 128 lines of 28×896 pixels with 32 labels each.
func lineSteps() throws -> [(String, () throws -> Void)] {
  let config = DataConfig(
    inputDims: [1, 28, 896], outputDims: [32], mapping: (0..<83).map(String.init))
  let x = Tensor(Generator(seed: 1).uniform(count: 128 * 28 * 896, 0, 1), shape: [128, 1, 28, 896])
  let labels = (0..<128 * 32).map { $0 % 32 < lineLength($0 / 32) ? 4 + $0 * 7 % 79 : 3 }
  let batch = Batch(x: x, y: IntTensor(labels, shape: [128, 32]))
  var lineCNN = LineCNN.Options()
  (lineCNN.windowWidth, lineCNN.windowStride) = (28, 18)
  var lineCNNLSTM = LineCNNLSTM.Options()
  lineCNNLSTM.lineCNN = lineCNN
  var simple = LineCNNSimple.Options()
  (simple.windowWidth, simple.windowStride) = (28, 28)
  let logits = Tensor(
    Generator(seed: 2).uniform(count: 128 * 83 * 55, -1, 1), shape: [128, 83, 55])
  return [
    ("LineCNN training", trainingStep(LineCNN(config, lineCNN), [batch], loss: ctc)),
    ("LineCNNLSTM training", trainingStep(LineCNNLSTM(config, lineCNNLSTM), [batch], loss: ctc)),
    ("LineCNNSimple training", trainingStep(LineCNNSimple(config, simple), [batch])),
    (
      "log softmax and CTC",
      {
        let tape = Tape()
        try tape.backward(ctc(tape.variable(logits), batch.y))
      }
    ),
    (
      "LSTM, 512 units, both directions",
      layerStep(
        LSTM(inputSize: 83, hiddenSize: 512, bidirectional: true), shape: [55, 128, 83])
    ),
  ]
}

var results: [String: Double] = [:]
if options.lines {
  for (name, step) in exitOnError({ try lineSteps() }) { results[name] = median(name, step) }
} else if options.epoch {
  let data = exitOnError(emnist)
  let trainer = Trainer(maxEpochs: 1)
  if options.batches > 0 {
    trainer.limitTrainBatches = .count(options.batches)
    trainer.limitValBatches = .count((options.batches + 3) / 4)
  }
  let model = CNN(data.config)
  let start = ContinuousClock.now
  exitOnError { try trainer.fit(model, data, optimizer: Adam(model.parameters)) }
  results["CNN, one epoch"] = start.duration(to: .now) / .milliseconds(1)
} else {
  let data = exitOnError(emnist)
  let batches = Array(data.trainBatches().prefix(20))
  let single = data.test.batch(at: [0]).x
  let cnn = CNN(data.config)
  let mlp = MLP(data.config)
  let steps: [(String, () throws -> Void)] = [
    ("CNN training", trainingStep(cnn, batches)),
    ("CNN inference, batch 128", inferenceStep(cnn, batches[0].x)),
    ("CNN inference, batch 1", inferenceStep(cnn, single)),
    ("MLP training", trainingStep(mlp, batches)),
    ("MLP inference, batch 128", inferenceStep(mlp, batches[0].x)),
    ("ResNet training", trainingStep(ResNet(data.config), batches)),
    ("conv 3×3, stride 2", layerStep(Conv2d(64, 64, kernelSize: 3, stride: 2, padding: 1))),
    ("conv 1×1", layerStep(Conv2d(64, 64, kernelSize: 1))),
    ("BatchNorm", layerStep(BatchNorm2d(64))),
  ]
  for (name, step) in steps { results[name] = median(name, step) }
}
let encoder = JSONEncoder()
encoder.outputFormatting = .sortedKeys
print(String(decoding: exitOnError { try encoder.encode(results) }, as: UTF8.self))
