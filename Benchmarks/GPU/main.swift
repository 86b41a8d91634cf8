// Times training and inference on a GPU, or on the processor, through the library's public API: on
// EMNIST as in `lab train`, and on random lines of the size of EMNISTLines. Prints one line of JSON.
// Each kind of step is measured in milliseconds; one that fails is named with its error.

import ArgumentParser
import Foundation
import Kernels
import Lab

struct Options: ParsableArguments {
  @Option(help: "gpu or cpu.")
  var device = "gpu"

  @Option(help: "32, tf32 or bf16; by default what the GPU computes fast.")
  var precision: String?

  @Option(name: .customLong("data_source"), help: "auto, download or synthetic.")
  var dataSource = "auto"

  @Option(help: "Only steps whose name begins with this text.")
  var only = ""

  @Option(help: "Seconds to measure each kind of step for that has no number of batches.")
  var seconds = 3.0

  @Option(help: "Train on so many batches an epoch and validate on a quarter as many; 0 is all.")
  var batches = 0

  @Option(
    help: "Also train the CNN for five epochs from each of these seeds, such as 1,2,3, and test it."
  )
  var accuracy = ""

  @Flag(help: "Train for the accuracy on the processor, too.")
  var processor = false

  @Flag(help: "Small batches and few steps: to see whether all runs, not how fast.")
  var quick = false

  @Flag(
    name: .customLong("first_step"),
    help: "Make one training step, and print the time when it has ended in seconds since 1970.")
  var firstStep = false
}

/// What is printed.
struct Report: Encodable {
  let device: String
  let properties: String
  let data: String
  let isQuick: Bool
  /// The milliseconds of each kind of step.
  var results: [String: Double] = [:]
  /// Why a kind of step could not be measured.
  var failures: [String: String] = [:]
  /// The test accuracy by device and seed.
  var accuracy: [String: [String: Double]] = [:]
}

/// Notes when the second epoch begins and when it has been validated.
final class SecondEpoch: TrainingObserver {
  private var start: ContinuousClock.Instant?
  private(set) var milliseconds = Double.nan

  nonisolated init() {}

  func epochSaved(_ epoch: TrainingEpoch) {
    if epoch.index == 0 { start = .now }
  }

  func epochEnded(_ epoch: TrainingEpoch) {
    guard epoch.index == 1, let start else { return }
    milliseconds = start.duration(to: .now) / .milliseconds(1)
  }
}

/// EMNIST's number of training and validation images: those of a smaller data set, such as that of
/// drawn characters, are repeated.
nonisolated struct EMNISTSized: DataModule {
  let config: DataConfig
  let train, val, test: Dataset
  let batchSize: Int
  let workers = 1
  let isSynthetic: Bool

  init(_ data: EMNIST) {
    func repeated(_ part: Dataset, _ count: Int) -> Dataset {
      part.count >= count ? part : part.subset((0..<count).map { $0 % part.count })
    }
    (config, batchSize, isSynthetic) = (data.config, data.batchSize, data.isSynthetic)
    (train, val, test) = (repeated(data.train, 260_212), repeated(data.val, 65_054), data.test)
  }
}

prepareProgram()
let options = Options.parseOrExit(courseSpelling(Array(CommandLine.arguments.dropFirst())))
let device = exitOnError { try chosenDevice() }
let characters = exitOnError { try emnist() }
let data = EMNISTSized(characters)
manualSeed(42)

func chosenDevice() throws -> Device {
  switch options.device {
  case "cpu": return .cpu
  case "gpu":
    let precision = try options.precision.map { text in
      guard let precision = GPUPrecision(rawValue: text) else {
        throw ValidationError("--precision: expected 32, tf32 or bf16, got \(text)")
      }
      return precision
    }
    return try .gpu(precision: precision)
  default: throw ValidationError("--device: expected gpu or cpu, got \(options.device)")
  }
}

func emnist() throws -> EMNIST {
  guard let source = DataSource(rawValue: options.dataSource) else {
    throw ValidationError(
      "--data_source: expected auto, download or synthetic, got \(options.dataSource)")
  }
  return try EMNIST(
    DataOptions(source: source, batchSize: options.quick ? 8 : 128, workers: 1))
}

/// Runs `body` with a new folder, which is removed afterwards.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "gpu-bench-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

// MARK: Training with a trainer

/// The milliseconds of a step, and of the epoch with its validation: the second epoch of a training
/// with all that belongs to one, so that nothing has to be compiled and memory is there.
///
/// - Parameter batches: How many batches to train on.
func fit(_ model: some Model, batches: Int) throws -> (step: Double, epoch: Double) {
  try withTemporaryFolder { folder in
    let trainer = Trainer(maxEpochs: 2)
    trainer.isQuiet = true
    trainer.run = try TrainingRun(folder)
    if batches < data.trainBatches().count {
      trainer.limitTrainBatches = .count(batches)
      trainer.limitValBatches = .count((batches + 3) / 4)
    }
    let observer = SecondEpoch()
    trainer.observers = [observer]
    model.to(device)
    let history = try trainer.fit(model, data, optimizer: Adam(model.parameters))
    try device.check()
    return (history[1].seconds * 1e3 / Double(batches), observer.milliseconds)
  }
}

/// The number of batches to train on: as many as asked for, else as many as are wanted or a slow device
/// can make in twenty seconds.
func affordable(_ wanted: Int, _ model: () -> some Model) throws -> Int {
  if options.batches > 0 { return options.batches }
  if options.quick { return 2 }
  let step = try fit(model(), batches: 4).step
  return max(4, min(wanted, Int(10_000 / step)))
}

// MARK: Steps in a plain loop

/// A training step on a batch that lies on the device; returns the loss, which need not be computed
/// yet.
func trainingStep(
  _ model: some Model, _ batch: Batch,
  loss: @escaping (Tensor, IntTensor) throws(ShapeError) -> Tensor = { try crossEntropy($0, $1) }
) -> () throws -> Tensor {
  model.to(device)
  let x = batch.x.to(device)
  let optimizer = Adam(model.parameters)
  return {
    optimizer.clearGradients()
    let tape = Tape()
    let loss = try loss(model(tape.input(x)), batch.y)
    try tape.backward(loss)
    optimizer.step()
    return loss.detached
  }
}

/// The milliseconds of a step: the median of blocks of steps. Only at the end of a block the program
/// waits for the device.
func median(_ step: () throws -> Tensor) throws -> Double {
  func block(of count: Int) throws -> Double {
    let start = ContinuousClock.now
    for _ in 1..<count { _ = try step() }
    let loss = try step().elements[0]
    let time = start.duration(to: .now) / .milliseconds(1)
    try device.check()
    guard loss.isFinite else { throw TrainingError("expected a finite result, got \(loss)") }
    return time / Double(count)
  }
  // Compiles kernels, fills pools, raises the clock of a GPU.
  _ = try block(of: 1)
  let first = try block(of: options.quick ? 1 : 3)
  let count = options.quick ? 1 : min(50, max(1, Int(300 / first)))
  let end = ContinuousClock.now + .seconds(options.quick ? 0 : options.seconds)
  var times: [Double] = []
  while ContinuousClock.now < end || times.count < (options.quick ? 1 : 3) {
    times.append(try block(of: count))
  }
  return times.sorted()[times.count / 2]
}

/// The mean CTC loss of logits of shape lines × classes × steps.
func ctc(_ logits: Tensor, _ labels: IntTensor) throws(ShapeError) -> Tensor {
  let (count, steps) = (logits.shape[0], logits.shape[2])
  return try ctcLoss(
    logSoftmax(permute(logits, order: [2, 0, 1])), labels,
    inputLengths: [Int](repeating: steps, count: count),
    targetLengths: (0..<count).map(lineLength), zeroInfinity: true)
}

/// The number of characters of a line, of which there are at most 32.
func lineLength(_ line: Int) -> Int { 16 + line % 17 }

/// Lines of 28×896 pixels with 32 labels each.
func lines() -> (DataConfig, Batch) {
  let count = options.quick ? 2 : 128
  let config = DataConfig(
    inputDims: [1, 28, 896], outputDims: [32], mapping: (0..<83).map(String.init))
  let x = Tensor(
    Generator(seed: 1).uniform(count: count * 28 * 896, 0, 1), shape: [count, 1, 28, 896])
  let labels = (0..<count * 32).map { $0 % 32 < lineLength($0 / 32) ? 4 + $0 * 7 % 79 : 3 }
  return (config, Batch(x: x, y: IntTensor(labels, shape: [count, 32])))
}

func lineCNN() -> LineCNN.Options {
  var options = LineCNN.Options()
  (options.windowWidth, options.windowStride) = (28, 18)
  return options
}

func lineCNNStep() throws -> () throws -> Tensor {
  let (config, batch) = lines()
  return trainingStep(LineCNN(config, lineCNN()), batch, loss: ctc)
}

func lineCNNLSTMStep() throws -> () throws -> Tensor {
  let (config, batch) = lines()
  var options = LineCNNLSTM.Options()
  options.lineCNN = lineCNN()
  return trainingStep(LineCNNLSTM(config, options), batch, loss: ctc)
}

func images(_ count: Int) -> Batch {
  data.train.batch(at: (0..<count).map { $0 % data.train.count })
}

/// The logits of images that lie on the device, read by the program.
func inference() throws -> Double {
  let model = CNN(data.config).to(device)
  let x = images(options.quick ? 8 : 4096).x.to(device)
  return try median {
    let logits = try model(x)
    return Tensor(Array(logits.elements.prefix(1)), shape: [1])
  }
}

// MARK: The start

/// From the start of a program to the end of its first training step, in milliseconds: in a process of
/// its own with empty caches for compiled kernels, then again.
func startsToFirstStep() throws -> [Double] {
  try withTemporaryFolder { caches in
    let path = caches.path(percentEncoded: false)
    return try (0..<2).map { _ in
      let process = Process()
      process.executableURL = Bundle.main.executableURL
      process.arguments = CommandLine.arguments.dropFirst() + ["--first_step"]
      process.environment = ProcessInfo.processInfo.environment.merging([
        "XDG_CACHE_HOME": path, "CUDA_CACHE_PATH": path + "/cuda", "POCL_CACHE_DIR": path + "/pocl",
      ]) { $1 }
      let output = Pipe()
      process.standardOutput = output
      let start = Date().timeIntervalSince1970
      try process.run()
      let text = try output.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      let line = String(decoding: text, as: UTF8.self).split(separator: "\n").last
      guard process.terminationStatus == 0, let end = line.flatMap({ Double($0) }) else {
        throw TrainingError("the program ended with status \(process.terminationStatus)")
      }
      return (end - start) * 1e3
    }
  }
}

func makeFirstStep() throws {
  let trainer = Trainer(maxEpochs: 1)
  trainer.isQuiet = true
  (trainer.limitTrainBatches, trainer.limitValBatches) = (.count(1), .count(0))
  trainer.stepEnded = { step in
    guard step.loss.item.isFinite else { throw TrainingError("the loss is \(step.loss.item)") }
    print(Date().timeIntervalSince1970)
  }
  let model = CNN(data.config).to(device)
  try trainer.fit(model, data, optimizer: Adam(model.parameters))
  try device.check()
}

// MARK: Accuracy

/// The test accuracy of the CNN after five epochs, with the options that `lab train` has by default.
func accuracy(seed: UInt64, on device: Device) throws -> Double {
  manualSeed(seed)
  let data = try emnist()
  let model = CNN(data.config).to(device)
  let trainer = Trainer(maxEpochs: options.quick ? 1 : 5)
  trainer.isQuiet = true
  if options.batches > 0 || options.quick {
    let count = max(1, options.batches)
    trainer.limitTrainBatches = .count(count)
    (trainer.limitValBatches, trainer.limitTestBatches) = (.count(count), .count(count))
  }
  try trainer.fit(model, data, optimizer: Adam(model.parameters))
  let result = try trainer.test(model, data).accuracy
  try device.check()
  return result
}

// MARK: The program

if options.firstStep {
  exitOnError { try makeFirstStep() }
  exit(0)
}

var report = Report(
  device: device.model ?? Processor.name,
  properties: device.properties ?? "\(Threads.count) threads",
  data: "\(data.isSynthetic ? "SYNTHETIC" : "real") EMNIST, "
    + "\(characters.train.count) of \(data.train.count) training images are different",
  isQuick: options.quick)

/// Measures kinds of steps, if one of them is asked for.
func measure(_ names: [String], _ body: () throws -> [Double]) {
  guard names.contains(where: { $0.hasPrefix(options.only) }) else { return }
  do {
    for (name, time) in zip(names, try body()) {
      StandardError.writeLine("\(name): \(String(format: "%.3f", time)) ms")
      report.results[name] = time
    }
  } catch {
    StandardError.writeLine("\(names[0]): \(error)")
    report.failures[names[0]] = "\(error)"
  }
}

measure(["start to first step, first run", "start to first step"], startsToFirstStep)
measure(["CNN training step", "EMNIST epoch, validation included"]) {
  let count = data.trainBatches().count
  let batches = try affordable(count) { CNN(data.config) }
  let times = try fit(CNN(data.config), batches: batches)
  // A part of an epoch is none.
  return [times.step] + (batches == count ? [times.epoch] : [])
}
measure(["CNN training step, plain loop"]) {
  try [median(trainingStep(CNN(data.config), images(data.batchSize)))]
}
measure(["CNN inference, 4096 images"]) { try [inference()] }
measure(["ResNet training step"]) {
  try [fit(ResNet(data.config), batches: affordable(1000) { ResNet(data.config) }).step]
}
measure(["LineCNN training step"]) { try [median(lineCNNStep())] }
measure(["LineCNNLSTM training step"]) { try [median(lineCNNLSTMStep())] }

if !options.accuracy.isEmpty {
  exitOnError {
    for text in options.accuracy.split(separator: ",") {
      guard let seed = UInt64(text) else {
        throw ValidationError("--accuracy: expected seeds such as 1,2,3, got \(options.accuracy)")
      }
      for device in options.processor ? [device, .cpu] : [device] {
        let name = device == .cpu ? "cpu" : "gpu"
        let result = try accuracy(seed: seed, on: device)
        StandardError.writeLine("accuracy on the \(name), seed \(seed): \(result)")
        report.accuracy[name, default: [:]]["\(seed)"] = result
      }
    }
  }
}

let encoder = JSONEncoder()
encoder.outputFormatting = .sortedKeys
print(String(decoding: exitOnError { try encoder.encode(report) }, as: UTF8.self))
