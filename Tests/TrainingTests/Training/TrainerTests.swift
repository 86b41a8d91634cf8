import Foundation
import Kernels
import Lab
import TestSupport
import Testing

/// Sets the number of threads, so these tests wait for one another.
@Suite(.serialized)
struct TrainerTests {
  @Test func aModelMemorisesAFewBatches() throws {
    try withTinyData { data in
      let model = seeded(42) { CNN(data.config, small) }
      let trainer = Trainer(maxEpochs: 50)
      trainer.overfitBatches = .count(2)
      try trainer.fit(model, data, optimizer: Adam(model.parameters, learningRate: 1e-2))
      let results = try trainer.test(model, data)
      #expect(results.accuracy == 1)
      #expect(results.loss < 0.1)
    }
  }

  @Test func theSameSeedGivesTheSameWeightsWhateverTheThreads() throws {
    let before = Threads.count
    defer { Threads.count = before }
    var weights: [[[Float]]] = []
    for (threads, workers) in [(1, 0), (2, 0), (2, 3), (5, 1)] {
      try withTinyData(workers: workers) { data in
        Threads.count = threads
        let model = try seeded(1) {
          let model = CNN(data.config, small)
          try Trainer(maxEpochs: 2).fit(model, data, optimizer: Adam(model.parameters))
          return model
        }
        weights.append(model.parameters.map(\.value.elements))
      }
    }
    for other in weights.dropFirst() { #expect(other == weights[0]) }
  }

  @Test func theBestAndTheLastCheckpointAreSaved() throws {
    try withTinyData { data in
      let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
      defer { try? FileManager.default.removeItem(at: folder) }
      let model = seeded(42) { CNN(data.config, small) }
      let trainer = Trainer(maxEpochs: 4)
      trainer.checkpointFolder = folder
      try trainer.fit(model, data, optimizer: Adam(model.parameters))
      let names = try FileManager.default.contentsOfDirectory(
        atPath: folder.path(percentEncoded: false))
      let best = try #require(trainer.bestCheckpoint)
      #expect(names.sorted() == [best.lastPathComponent, "last.safetensors"])
      #expect(
        best.lastPathComponent.wholeMatch(of: /epoch=\d{3}-val_loss=\d\.\d{3}\.safetensors/) != nil)
      let restored = CNN(data.config, small)
      try Checkpoint.load(best, into: restored)
      let metadata = try Safetensors(contentsOf: best).metadata
      #expect(metadata["model_class"] == "CNN" && metadata["data_class"] == "Tiny")
      #expect(
        metadata["data_config"]
          == #"{"input_dims":[1,8,8],"mapping":["left","right"],"output_dims":[1]}"#)
      let last = try Safetensors(contentsOf: folder.appending(path: "last.safetensors"))
      #expect(last.tensors["fc2.bias"] == model.fc2.bias.value)
      #expect(last.metadata["epoch"] == "3")
    }
  }

  @Test func trainingEndsEarlyWhenNothingImproves() throws {
    try withTinyData { data in
      let model = seeded(42) { CNN(data.config, small) }
      let optimizer = CountingOptimizer(model.parameters)
      let trainer = Trainer(maxEpochs: 50)
      trainer.patience = 3
      trainer.limitTrainBatches = .count(1)
      try trainer.fit(model, data, optimizer: optimizer)
      // The first epoch's loss is the smallest, and that of the next three is no smaller.
      #expect(optimizer.steps == 4)
    }
  }

  @Test func limitsCountBatches() throws {
    try withTinyData { data in
      let model = CNN(data.config, small)
      let optimizer = CountingOptimizer(model.parameters)
      let trainer = Trainer(maxEpochs: 2)
      trainer.limitTrainBatches = .count(3)
      trainer.limitValBatches = .count(0)
      try trainer.fit(model, data, optimizer: optimizer)
      #expect(optimizer.steps == 6)
    }
  }

  @Test func fitReturnsTheResultsOfEachEpoch() throws {
    try withTinyData { data in
      let model = seeded(42) { CNN(data.config, small) }
      let trainer = Trainer(maxEpochs: 3)
      #expect(trainer.totalSteps(data) == 15)
      let history = try trainer.fit(model, data, optimizer: Adam(model.parameters))
      #expect(history.count == 3)
      #expect(history.allSatisfy { $0.seconds > 0 && $0.val != nil })
      #expect(history[2].train.loss < history[0].train.loss)
      trainer.limitValBatches = .count(0)
      let blind = try trainer.fit(model, data, optimizer: Adam(model.parameters))
      #expect(blind.allSatisfy { $0.val == nil })
    }
  }

  @Test func testReturnsAllPredictions() throws {
    try withTinyData { data in
      let model = seeded(42) { CNN(data.config, small) }
      let results = try Trainer().test(model, data)
      #expect(results.predictions.map(\.position) == Array(0..<30))
      #expect(results.predictions.map(\.label) == (0..<30).map { data.test.label(at: $0) })
      let right = results.predictions.count { $0.isRight }
      #expect(results.accuracy == Double(right) / 30)
      #expect(results.confusion[0, 0] + results.confusion[1, 1] == right)
      let loss = results.predictions.reduce(0) { $0 + Double($1.loss) } / 30
      #expect(abs(results.loss - loss) < 1e-5)
      #expect(results.confusion.mapping == ["left", "right"])
    }
  }

  @Test func aScheduleSetsTheRateOfEachStep() throws {
    try withTinyData { data in
      let model = CNN(data.config, small)
      let optimizer = CountingOptimizer(model.parameters)
      let trainer = Trainer(maxEpochs: 2)
      let schedule = OneCycleLR(maxLearningRate: 0.5, totalSteps: trainer.totalSteps(data))
      try trainer.fit(model, data, optimizer: optimizer, schedule: schedule)
      #expect(optimizer.rates == (0..<10).map(schedule.learningRate))
      #expect(optimizer.momentum == schedule.momentum(at: 9))
    }
  }

  @Test func residualNetworksLearnFromAugmentedImages() throws {
    try withTinyData(augmentation: RandomAffine(translate: 0.1)) { data in
      var options = ResNet.Options.defaults
      options.channels = 4
      let model = try seeded(42) {
        let model = ResNet(data.config, options)
        let optimizer = AdamW(model.parameters, learningRate: 1e-2)
        try Trainer(maxEpochs: 6).fit(model, data, optimizer: optimizer)
        return model
      }
      #expect(try Trainer().test(model, data).accuracy > 0.9)
      #expect(model.stem.norm?.running.batches == 30)
    }
  }

  @Test func errorsGiveAdvice() throws {
    try withTinyData { data in
      let model = CNN(data.config, small)
      let trainer = Trainer(maxEpochs: 1)
      expectTrainingError(
        "fit: expected a schedule of at least 5 steps, 1 epochs of 5 batches, got 4; raise "
          + "totalSteps"
      ) {
        let schedule = OneCycleLR(maxLearningRate: 1, totalSteps: 4)
        try trainer.fit(model, data, optimizer: SGD(model.parameters), schedule: schedule)
      }
      trainer.limitTestBatches = .count(0)
      expectTrainingError(
        "test: expected at least one test batch, got none; raise limitTestBatches"
      ) { _ = try trainer.test(model, data) }
      trainer.limitTrainBatches = .count(0)
      expectTrainingError(
        "fit: expected at least one training batch, got none; raise limitTrainBatches"
      ) { try trainer.fit(model, data, optimizer: SGD(model.parameters)) }
      trainer.limitTrainBatches = .all
      try model.fc2.bias.load(Tensor(repeating: .nan, shape: model.fc2.bias.shape))
      expectTrainingError(
        "fit: expected a finite loss, got nan at epoch 0, step 0; a smaller learningRate usually helps"
      ) { try trainer.fit(model, data, optimizer: SGD(model.parameters)) }
    }
  }

  @Test func adviceNamesTheOptionsOfTheCommandLine() throws {
    try withTinyData { data in
      let trainer = quietTrainer(maxEpochs: 1)
      trainer.limitTrainBatches = .count(0)
      let model = CNN(data.config, small)
      expectTrainingError(
        "fit: expected at least one training batch, got none; raise --limit_train_batches"
      ) {
        try withOptionNames {
          _ = try trainer.fit(model, data, optimizer: SGD(model.parameters))
        }
      }
    }
  }

  /// A state is saved after so many steps, but not soon after the last one.
  @Test(arguments: [(Duration.zero, [0, 2, 2, 4]), (.seconds(1000), [0, 0, 0, 0])])
  func theStateIsNotSavedTooOften(interval: Duration, saved: [Int]) throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      let run = try TrainingRun(folder.url)
      let trainer = quietTrainer(maxEpochs: 1)
      trainer.run = run
      trainer.automaticCheckpoints = (2, interval)
      var steps: [Int] = []
      // Five steps an epoch; a step's own state is saved after this was called.
      trainer.stepEnded = { step in
        guard step.step > 1 else { return }
        guard FileManager.default.fileExists(atPath: run.state.path(percentEncoded: false)) else {
          return steps.append(0)
        }
        let text = try Safetensors(contentsOf: run.state).metadata["training_state"] ?? ""
        let match = try #require(text.firstMatch(of: /"step":(\d+)/))
        steps.append(try #require(Int(match.1)))
      }
      let model = CNN(data.config, small)
      try trainer.fit(model, data, optimizer: Adam(model.parameters))
      #expect(steps == saved)
    }
  }

  /// Losses are read long after their steps; the error still names the first step that was wrong, and
  /// nothing of what came after it is saved.
  @Test func aLossThatIsNotFiniteEndsTraining() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      let model = CNN(data.config, small)
      let trainer = quietTrainer(maxEpochs: 9)
      trainer.run = try TrainingRun(folder.url)
      trainer.checkpointEverySteps = 3
      // Five steps an epoch: the third one of the second epoch is wrong.
      trainer.stepEnded = { step in
        guard step.totalSteps == 7 else { return }
        try model.fc2.bias.load(Tensor(repeating: .nan, shape: model.fc2.bias.shape))
      }
      expectTrainingError(
        "fit: expected a finite loss, got nan at epoch 1, step 2; a smaller learningRate usually helps"
      ) { try trainer.fit(model, data, optimizer: Adam(model.parameters)) }
      let names = try folder.names(in: "").filter { $0.hasSuffix(".safetensors") }
      #expect(names.count == 3)
      for name in names {
        let file = try Safetensors(contentsOf: folder.url.appending(path: name))
        for (name, tensor) in file.tensors {
          #expect(tensor.elements.allSatisfy { $0.isFinite }, "\(name)")
        }
      }
      let log = String(decoding: try folder.read("metrics.csv"), as: UTF8.self)
      #expect(log.contains("\n1,7,") && !log.contains("\n1,8,"))
    }
  }

  @Test func aValidationLossThatIsNotFiniteEndsTraining() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      let model = CNN(data.config, small)
      let trainer = quietTrainer(maxEpochs: 9)
      trainer.run = try TrainingRun(folder.url)
      trainer.stepEnded = { step in
        guard step.totalSteps == 5 else { return }
        // Finite, but the difference of two of them is not.
        let bias = (0..<model.fc2.bias.count).map { $0 % 2 == 0 ? Float(3e38) : -3e38 }
        try model.fc2.bias.load(Tensor(bias))
      }
      expectTrainingError(
        "fit: expected a finite validation loss, got inf at epoch 0, step 0; "
          + "a smaller learningRate usually helps"
      ) { try trainer.fit(model, data, optimizer: Adam(model.parameters)) }
      #expect(try folder.names(in: "").filter { $0.hasSuffix(".safetensors") } == [])
    }
  }

  /// A step's loss is that of the weights before it, so that the last step's weights need a look.
  @Test(arguments: [Float.nan, .infinity])
  func weightsThatAreNotFiniteEndTraining(value: Float) throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      let model = CNN(data.config, small)
      let trainer = quietTrainer(maxEpochs: 9)
      trainer.run = try TrainingRun(folder.url)
      trainer.limitValBatches = .count(0)
      trainer.stepEnded = { step in
        guard step.totalSteps == 5 else { return }
        try model.fc2.bias.load(Tensor(repeating: value, shape: model.fc2.bias.shape))
      }
      expectTrainingError(
        "fit: expected finite weights, got \(value) in fc2.bias at epoch 0, step 5; "
          + "a smaller learningRate usually helps"
      ) { try trainer.fit(model, data, optimizer: Adam(model.parameters)) }
      #expect(try folder.names(in: "").filter { $0.hasSuffix(".safetensors") } == [])
    }
  }

  @Test func aTestLossThatIsNotFiniteIsAnError() throws {
    try withTinyData { data in
      let model = CNN(data.config, small)
      try model.fc2.bias.load(Tensor(repeating: .nan, shape: model.fc2.bias.shape))
      expectTrainingError("test: expected a finite loss, got nan in batch 0") {
        _ = try quietTrainer(maxEpochs: 1).test(model, data)
      }
    }
  }

  @Test func aFractionThatGivesNoBatchIsAnErrorBeforeTraining() throws {
    try withTinyData { data in
      let model = CNN(data.config, small)
      let (train, val) = (data.trainBatches().count, data.valBatches().count)
      func fit(_ change: (Trainer) -> Void) throws {
        let trainer = quietTrainer(maxEpochs: 1)
        trainer.stepEnded = { _ in Issue.record("trained") }
        change(trainer)
        try trainer.fit(model, data, optimizer: SGD(model.parameters))
      }
      expectTrainingError(
        "fit: expected at least one validation batch, got 0.05 of \(val), which is none; raise "
          + "limitValBatches, or use 0 for no validation"
      ) { try fit { $0.limitValBatches = .fraction(0.05) } }
      expectTrainingError(
        "fit: expected at least one training batch, got 0.1 of \(train), which is none; raise "
          + "limitTrainBatches"
      ) { try fit { $0.limitTrainBatches = .fraction(0.1) } }
      expectTrainingError(
        "fit: expected at least one training batch, got 0.0001 of \(train), which is none; raise "
          + "overfitBatches"
      ) { try fit { $0.overfitBatches = .fraction(0.0001) } }
      // With 0 there is no validation.
      for none in [BatchLimit.count(0), .fraction(0)] {
        let trainer = quietTrainer(maxEpochs: 1)
        trainer.limitValBatches = none
        let history = try trainer.fit(model, data, optimizer: SGD(model.parameters))
        #expect(history.count == 1 && history[0].val == nil)
      }
    }
  }

  @Test func eachStepIsReported() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      let model = CNN(data.config, small)
      let trainer = quietTrainer(maxEpochs: 2)
      trainer.run = try TrainingRun(folder.url)
      let observer = Recorder()
      trainer.observers = [observer]
      var steps: [TrainingStep] = []
      var logged: [Int] = []
      trainer.stepEnded = {
        steps.append($0)
        logged.append(observer.entries.count)
      }
      let history = try trainer.fit(model, data, optimizer: Adam(model.parameters))
      #expect(steps.map(\.totalSteps) == Array(1...10))
      #expect(steps.map(\.epoch) == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
      #expect(steps.map(\.step) == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5])
      #expect(steps.allSatisfy { $0.learningRate == 1e-3 })
      // Losses are not read step by step, but in this case at the end of each epoch.
      #expect(logged == [0, 0, 0, 0, 0, 6, 6, 6, 6, 6])
      let losses = observer.entries.compactMap { entry in
        entry.values.first { $0.scalar == .stepLoss }?.value
      }
      #expect(losses == steps.map { Double($0.loss.item) })
      let counts = [16.0, 16, 16, 16, 6]
      for (epoch, result) in history.enumerated() {
        let sum = zip(losses[epoch * 5..<epoch * 5 + 5], counts).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(result.train.loss == sum / 70)
      }
      #expect(
        observer.events == ["began", "ended 0", "saved 0", "ended 1", "saved 1", "end of 2"])
      _ = try trainer.test(model, data)
      #expect(observer.events.last == "tested 10")
      #expect(observer.entries.last?.values.map(\.scalar) == [.testLoss, .testAccuracy])
    }
  }

  @Test func anObserverThatFailsIsWarnedOf() throws {
    try withTinyData { data in
      var weights: [[[Float]]] = []
      for fails in [false, true] {
        let model = try seeded(7) {
          let model = CNN(data.config, small)
          let trainer = quietTrainer(maxEpochs: 2)
          var warnings: [String] = []
          trainer.warn = { warnings.append($0) }
          if fails {
            trainer.observers = [Failing()]
            trainer.epochEnded = { _ in throw Failing.Failure() }
          }
          let history = try trainer.fit(model, data, optimizer: Adam(model.parameters))
          #expect(history.count == 2)
          let expected = [
            "Warning: Failing: the disk is full; training continues",
            "Warning: epochEnded: the disk is full; training continues",
          ]
          #expect(warnings == (fails ? expected + expected : []))
          return model
        }
        weights.append(model.parameters.map(\.value.elements))
      }
      #expect(weights[0] == weights[1])
    }
  }

  @Test func batchesAreMovedToTheModelsDevice() throws {
    try withTinyData { data in
      var losses: [Double] = []
      for device in [Device.cpu, ReferenceBackend.device] {
        try seeded(5) {
          let model = CNN(data.config, small).to(device)
          let trainer = quietTrainer(maxEpochs: 2)
          let history = try trainer.fit(model, data, optimizer: Adam(model.parameters))
          losses += history.map(\.train.loss) + [try trainer.test(model, data).loss]
        }
      }
      for (loss, other) in zip(losses[..<3], losses[3...]) { #expect(abs(loss - other) < 1e-4) }
    }
  }

  /// Other tests print too: lines are known by the metric's name.
  @Test func aQuietTrainerPrintsNothing() throws {
    try withTinyData { data in
      let model = CNN(data.config, small)
      for isQuiet in [false, true] {
        let trainer = Trainer(maxEpochs: 1)
        trainer.isQuiet = isQuiet
        let text = try standardOutput {
          try trainer.fit(
            model, data, optimizer: Adam(model.parameters), objective: Unheard())
        }
        #expect(text.contains("| train_unheard | Metric") != isQuiet)
        #expect(text.contains(" train_unheard=1.0000, val_loss=") != isQuiet)
      }
    }
  }

  private var small: CNN.Options {
    var options = CNN.Options.defaults
    options.convDim = 4
    options.fcDim = 8
    return options
  }
}

/// Remembers what it was called with.
private final class Recorder: TrainingObserver {
  private(set) var events: [String] = []
  private(set) var entries: [LogEntry] = []

  func trainingBegan(_ training: TrainingStart) { events.append("began") }
  func log(_ entry: LogEntry) { entries.append(entry) }
  func epochEnded(_ epoch: TrainingEpoch) { events.append("ended \(epoch.index)") }
  func epochSaved(_ epoch: TrainingEpoch) { events.append("saved \(epoch.index)") }
  func trainingEnded(_ training: TrainingEnd) { events.append("end of \(training.history.count)") }
  func testEnded(_ metrics: Metrics, step: Int) { events.append("tested \(step)") }
}

/// Throws whenever it is called.
private final class Failing: TrainingObserver {
  struct Failure: Error, CustomStringConvertible {
    var description: String { "the disk is full" }
  }

  func stepEnded(_ step: TrainingStep) throws { throw Failure() }
  func log(_ entry: LogEntry) throws { throw Failure() }
  func epochEnded(_ epoch: TrainingEpoch) throws { throw Failure() }
  func epochSaved(_ epoch: TrainingEpoch) throws { throw Failure() }
}

/// Classification with a metric that no other test has.
private struct Unheard: Objective {
  let metricNames = ["loss", "unheard"]

  func score(_ output: Tensor, _ batch: Batch) throws(ShapeError) -> BatchScore {
    BatchScore(
      loss: try crossEntropy(output, batch.y), count: batch.count,
      metrics: [MetricSum("unheard", sum: Tensor([2]), count: 2)])
  }

  func predictions(_ output: Tensor, _ batch: Batch, from first: Int) -> [Int] { [] }
}

/// What is printed while `body` runs, by this test and by others; it is printed afterwards.
private func standardOutput<Result>(_ body: () throws -> Result) throws -> String {
  let url = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
  try Data().write(to: url)
  defer { try? FileManager.default.removeItem(at: url) }
  let file = try FileHandle(forWritingTo: url)
  fflush(nil)
  let before = dup(1)
  dup2(file.fileDescriptor, 1)
  defer {
    fflush(nil)
    dup2(before, 1)
    close(before)
    if let bytes = try? Data(contentsOf: url) {
      try? FileHandle.standardOutput.write(contentsOf: bytes)
    }
  }
  _ = try body()
  fflush(nil)
  return try String(contentsOf: url, encoding: .utf8)
}

/// Changes nothing, and remembers the learning rates.
private final class CountingOptimizer: Optimizer {
  let parameters: [Parameter]
  var (learningRate, momentum) = (0.0, 0.0)
  private(set) var rates: [Double] = []
  var steps: Int { rates.count }

  init(_ parameters: [Parameter]) {
    self.parameters = parameters
  }

  func step() { rates.append(learningRate) }
}

/// Expects a ``TrainingError`` with exactly this text.
private func expectTrainingError(
  _ text: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  let error = #expect(throws: TrainingError.self, sourceLocation: sourceLocation) { try body() }
  #expect(error?.description == text, sourceLocation: sourceLocation)
}
