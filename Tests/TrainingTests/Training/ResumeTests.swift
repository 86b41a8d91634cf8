import Foundation
import Kernels
import Lab
import TestSupport
import Testing

/// Sets the number of threads, so these tests wait for one another.
@Suite(.serialized)
struct ResumeTests {
  /// A way to train with a particular state.
  enum Kind: CaseIterable {
    case adam, adamWWithCycle, sgd, sgdWithMomentum, augmentedResNet, ownGenerators, freshImages
    case accumulated, limitedSteps, movingAverage, stochasticAverage, validationsInside,
      validationsBetweenUpdates
  }

  @Test(arguments: Kind.allCases)
  func aRunThatStopsAfterEachStepEndsWithTheSameBytes(kind: Kind) throws {
    try withRuns { whole, broken in
      try train(kind, in: whole) { false }
      let before = Threads.count
      defer { Threads.count = before }
      // Two epochs of five steps, each with two validation batches that ask, too.
      var stops = 0
      while true {
        var asked = 0
        Threads.count = 1 + stops % 3
        do {
          try train(kind, in: broken) {
            asked += 1
            return asked == 1 && stops < 14
          }
          break
        } catch is TrainingInterruption {
          stops += 1
        }
      }
      #expect(stops >= 10)
      #expect(try files(in: broken) == files(in: whole))
    }
  }

  /// Also in validation, and after several steps.
  @Test(arguments: Kind.allCases)
  func aRunThatStopsAnywhereEndsWithTheSameBytes(kind: Kind) throws {
    try withRuns { whole, broken in
      try train(kind, in: whole) { false }
      var stops = 0
      while true {
        var asked = 0
        do {
          try train(kind, in: broken) {
            asked += 1
            return asked == 1 + (stops * 3) % 5 && stops < 40
          }
          break
        } catch is TrainingInterruption {
          stops += 1
        }
      }
      #expect(stops >= 3)
      #expect(try files(in: broken) == files(in: whole))
    }
  }

  /// The folder is copied when an epoch was logged, before its state is saved.
  @Test func logEntriesAfterTheSavedStateAreRemoved() throws {
    try withRuns { whole, broken in
      let copier = FolderCopier(whole, to: broken, at: .epochLogged)
      try train(.adam, in: whole, observer: copier) { false }
      #expect(
        try String(contentsOf: broken.appending(path: "metrics.csv"), encoding: .utf8)
          .contains("\n0,5,,,"))
      try train(.adam, in: broken) { false }
      #expect(try files(in: broken) == files(in: whole))
    }
  }

  /// The folder is copied when an epoch was saved, before its figures are drawn.
  @Test func anEpochWhoseFiguresAreMissingIsReportedAgain() throws {
    try withRuns { whole, broken in
      let copier = FolderCopier(whole, to: broken, at: .epochSaved)
      try train(.adam, in: whole, observer: copier) { false }
      #expect(copier.saved == [0, 1])
      let observer = FolderCopier(broken, to: whole, at: .never)
      try train(.adam, in: broken, observer: observer) { false }
      #expect(observer.saved == [0, 1])
      #expect(try files(in: broken) == files(in: whole))
    }
  }

  /// Metrics had no names then, and layers' generators were not saved.
  @Test func aStateOfAnOlderVersionIsResumed() throws {
    try withRuns { whole, broken in
      try train(.adam, in: whole) { false }
      var asked = 0
      #expect(throws: TrainingInterruption.self) {
        try train(.adam, in: broken) {
          asked += 1
          return asked == 10
        }
      }
      let url = broken.appending(path: "training_state.safetensors")
      var file = try Safetensors(contentsOf: url)
      let entry =
        /\[\{"count":(\d+),"name":"loss","sum":([^}]+)\},\{"count":\d+,"name":"acc","sum":([^}]+)\}\]/
      let json = try #require(file.metadata["training_state"])
      let former = json.replacing(entry) {
        #"{"lossSum":\#($0.2),"right":\#($0.3),"samples":\#($0.1)}"#
      }.replacing(#""layerGenerators":{},"#, with: "")
      // The epoch so far, and both parts of the one before.
      #expect(json.matches(of: entry).count == 3 && !former.contains("layerGenerators"))
      file.metadata["training_state"] = former
      try file.write(to: url)
      try train(.adam, in: broken) { false }
      #expect(try files(in: broken) == files(in: whole))
    }
  }

  /// Without a run there are no logs, and what is printed is as if the training had never stopped.
  @Test(arguments: Kind.allCases)
  func aTrainingGoesOnFromItsProgressFile(kind: Kind) throws {
    try withRuns { whole, broken in
      let expected = EpochRecorder()
      let weights = try trainWithProgress(kind, in: whole, expected) { false }
      #expect(expected.epochs.count == 2)
      #expect(expected.logged == [0, 1])
      let files = try FileManager.default.contentsOfDirectory(
        atPath: whole.path(percentEncoded: false))
      #expect(files.sorted() == ["state", "state.sha256"])
      var (recorder, stops) = (EpochRecorder(), 0)
      while true {
        var asked = 0
        recorder = EpochRecorder()
        do {
          let resumed = try trainWithProgress(kind, in: broken, recorder) {
            asked += 1
            return asked == 2 && stops < 20
          }
          #expect(resumed == weights)
          break
        } catch is TrainingInterruption {
          stops += 1
        }
      }
      #expect(stops >= 5)
      #expect(recorder.epochs == expected.epochs)
      #expect(recorder.logged == expected.logged)
    }
  }

  @Test func eachTrainingOfATrainerHasAProgressFileOfItsOwn() throws {
    try withRuns { folder, _ in
      try withTinyData { data in
        /// Trains twice, and is interrupted at a step, counted over both trainings.
        func weights(interruptedAt step: Int? = nil) throws -> Data {
          let trainer = quietTrainer(maxEpochs: 1)
          trainer.progressFile = folder.appending(path: "state")
          var asked = 0
          trainer.isInterrupted = {
            asked += 1
            return asked == step
          }
          return try seeded(42) {
            let model = MLP(data.config)
            for rate in [0.1, 0.01] {
              try trainer.fit(
                model, data, optimizer: SGD(model.parameters, learningRate: rate))
            }
            return try Checkpoint.file(of: model).data
          }
        }
        let whole = try weights()
        let names = try FileManager.default.contentsOfDirectory(
          atPath: folder.path(percentEncoded: false))
        #expect(names.sorted() == ["state", "state-2", "state-2.sha256", "state.sha256"])
        for name in names {
          try FileManager.default.removeItem(at: folder.appending(path: name))
        }
        // Five steps and two batches of validation each.
        for step in [2, 5, 9] {
          #expect(throws: TrainingInterruption.self) { try weights(interruptedAt: step) }
          #expect(try weights() == whole)
          for name in names {
            try FileManager.default.removeItem(at: folder.appending(path: name))
          }
        }
      }
    }
  }

  @Test(arguments: ["state", "state.sha256"])
  func aDamagedProgressFileIsNotUsed(name: String) throws {
    try withRuns { whole, broken in
      let weights = try trainWithProgress(.adam, in: whole, EpochRecorder()) { false }
      var asked = 0
      #expect(throws: TrainingInterruption.self) {
        try trainWithProgress(.adam, in: broken, EpochRecorder()) {
          asked += 1
          return asked == 4
        }
      }
      let file = broken.appending(path: name)
      var bytes = try Data(contentsOf: file)
      bytes[bytes.count / 2] ^= 1
      try bytes.write(to: file)
      let recorder = EpochRecorder()
      #expect(try trainWithProgress(.adam, in: broken, recorder) { false } == weights)
      let path = broken.appending(path: "state").path(percentEncoded: false)
      #expect(
        recorder.warnings == ["Warning: \(path) is damaged; training starts from the beginning"])
    }
  }

  @Test func aResumedRunUsesTheTrainersPatience() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      func epochs(patience: Int) throws -> Int {
        let model = seeded(1) { MLP(data.config) }
        let trainer = quietTrainer(maxEpochs: 9)
        trainer.run = try TrainingRun(folder.url)
        trainer.patience = patience
        // Nothing is learned: no epoch is better than the first one.
        let optimizer = SGD(model.parameters, learningRate: 0)
        return try seeded(1) { try trainer.fit(model, data, optimizer: optimizer).count }
      }
      #expect(try epochs(patience: 1) == 2)
      #expect(try epochs(patience: 1) == 2)
      #expect(try epochs(patience: 4) == 5)
      #expect(try epochs(patience: 2) == 5)
    }
  }

  @Test func aRunThatWasKilledLeavesNoCheckpointOfAnEarlierBest() throws {
    try withRuns { whole, broken in
      try train(.adam, in: whole) { false }
      var asked = 0
      #expect(throws: TrainingInterruption.self) {
        try train(.adam, in: broken) {
          asked += 1
          return asked == 4
        }
      }
      // Killed after the new best one was saved and before the old one was removed.
      for name in ["epoch=000-val_loss=9.999.safetensors", "epoch=007-val_loss=nan.safetensors"] {
        try Data().write(to: broken.appending(path: name))
      }
      try train(.adam, in: broken) { false }
      #expect(try files(in: broken) == files(in: whole))
    }
  }

  @Test func aFinishedRunOnlyTests() throws {
    try withRuns { whole, _ in
      try train(.adam, in: whole) { false }
      let before = try files(in: whole)
      try train(.adam, in: whole) { false }
      #expect(try files(in: whole) == before)
    }
  }

  @Test func statesThatDoNotFitAreRefusedInOneLine() throws {
    try withRuns { whole, _ in
      try train(.adam, in: whole) { false }
      let path = whole.appending(path: "training_state.safetensors").path(percentEncoded: false)
      func expectRefusal(_ text: String, _ body: () throws -> Void) {
        let error = #expect(throws: DataError.self) { try body() }
        #expect(error?.description == "\(path): \(text)")
      }
      expectRefusal(
        "Adam: expected step of shape [], got no such tensor; was the run started with this optimizer?"
      ) {
        try rewritten(path) {
          $0.tensors["optimizer.0.step"] = nil
        } in: {
          try again(whole)
        }
      }
      expectRefusal(
        "expected conv1.conv.weight of shape [4, 1, 3, 3], got no such tensor; "
          + "is it a checkpoint of the same model with the same options?"
      ) {
        try rewritten(path) {
          $0.tensors["model.conv1.conv.weight"] = nil
        } in: {
          try again(whole)
        }
      }
      expectRefusal(
        "Adam: expected states of 8 parameters, got 9; were they saved for the same model?"
      ) {
        try rewritten(path) {
          $0.tensors["optimizer.8.step"] = Tensor([1], shape: [])
        } in: {
          try again(whole)
        }
      }
      expectRefusal("expected a training state, got none") {
        try rewritten(path) {
          $0.metadata = [:]
        } in: {
          try again(whole)
        }
      }
      expectRefusal("expected a training state, got none") {
        try rewritten(path) {
          $0.metadata["training_state"]?.replace(#""step":0"#, with: #""step":6"#)
        } in: {
          try again(whole)
        }
      }
      for (field, value) in [
        ("stepsPerEpoch", "-1"), ("epoch", "9223372036854775807"),
        ("bestCheckpoint", #""../other/epoch=000.safetensors""#),
      ] {
        expectRefusal("expected a training state, got none") {
          try rewritten(path) {
            let entry = try Regex("\"\(field)\":(\"[^\"]*\"|[0-9]+)")
            $0.metadata["training_state"]?.replace(entry, with: "\"\(field)\":\(value)")
          } in: {
            try again(whole)
          }
        }
      }
      expectRefusal("Adam: expected step to be a number of steps, got -1.0") {
        try rewritten(path) {
          $0.tensors["optimizer.0.step"] = Tensor([-1], shape: [])
        } in: {
          try again(whole)
        }
      }
      expectRefusal("expected a training state, got none") {
        try rewritten(path) {
          $0.metadata["training_state"]?.replace(#/"position":[0-9]+/#, with: #""position":999"#)
        } in: {
          try again(whole)
        }
      }
      func expectTrainingError(_ text: String, _ body: () throws -> Void) {
        let error = #expect(throws: TrainingError.self) { try body() }
        #expect(error?.description == "\(path): \(text)")
      }
      expectTrainingError(
        "expected epochs of 5 batches of 16 as at the run's beginning, got 2 batches of 16; "
          + "do not change batchSize and limitTrainBatches"
      ) { try train(.adam, in: whole, batches: .count(2)) { false } }
      expectTrainingError(
        "expected no learning rate schedule as at the run's beginning, got a learning rate schedule "
          + "of 10 steps; do not change maxEpochs, maxSteps, maxLearningRate and totalSteps"
      ) { try train(.adamWWithCycle, in: whole) { false } }
      expectTrainingError(
        "expected a step of the optimizer every 1 batches as at the run's beginning, got every 2; do not "
          + "change accumulateBatches"
      ) { try train(.accumulated, in: whole) { false } }
    }
  }

  private func again(_ folder: URL) throws { try train(.adam, in: folder) { false } }

  /// Runs `body` with a changed file, and changes it back.
  private func rewritten(
    _ path: String, _ change: (inout Safetensors) throws -> Void, in body: () throws -> Void
  ) throws {
    let url = URL(filePath: path)
    let original = try Data(contentsOf: url)
    defer { try? original.write(to: url) }
    var file = try Safetensors(contentsOf: url)
    try change(&file)
    try file.write(to: url)
    try body()
  }

  /// Trains like a program that was just started.
  private func train(
    _ kind: Kind, in folder: URL, batches: BatchLimit = .all,
    observer: (any TrainingObserver)? = nil, interruptedWhen isInterrupted: @escaping () -> Bool
  ) throws {
    let isAugmented = [.augmentedResNet, .freshImages].contains(kind)
    let augmentation = isAugmented ? RandomAffine(degrees: 10) : nil
    let workers = [.sgd, .freshImages].contains(kind) ? 2 : 0
    try withTinyData(workers: workers, augmentation: augmentation) { data in
      var data = data
      if kind == .freshImages { data.freshTrain = try TinyData.fresh(count: 70) }
      let trainer = Trainer(maxEpochs: 2)
      trainer.run = try TrainingRun(folder)
      trainer.limitTrainBatches = batches
      trainer.checkpointEverySteps = 3
      trainer.isInterrupted = isInterrupted
      trainer.isQuiet = true
      if let observer { trainer.observers = [observer] }
      try seeded(42) {
        if kind == .ownGenerators {
          try train(Noisy(), data, trainer, kind)
        } else if [.augmentedResNet, .movingAverage, .stochasticAverage].contains(kind) {
          var options = ResNet.Options.defaults
          options.channels = 4
          try train(ResNet(data.config, options), data, trainer, kind)
        } else {
          var options = CNN.Options.defaults
          (options.convDim, options.fcDim) = (4, 8)
          try train(CNN(data.config, options), data, trainer, kind)
        }
      }
    }
  }

  /// Trains like a program that was just started, without a run.
  ///
  /// - Returns: The weights as the bytes of a checkpoint.
  @discardableResult
  private func trainWithProgress(
    _ kind: Kind, in folder: URL, _ recorder: EpochRecorder,
    interruptedWhen isInterrupted: @escaping () -> Bool
  ) throws -> Data {
    try withTinyData { data in
      var data = data
      if kind == .freshImages { data.freshTrain = try TinyData.fresh(count: 70) }
      let trainer = Trainer(maxEpochs: 2)
      trainer.progressFile = folder.appending(path: "state")
      trainer.checkpointEverySteps = 3
      trainer.isInterrupted = isInterrupted
      trainer.isQuiet = true
      trainer.warn = { recorder.warnings.append($0) }
      trainer.observers = [recorder]
      return try seeded(42) {
        if kind == .ownGenerators {
          let model = Noisy()
          try train(model, data, trainer, kind)
          return try Checkpoint.file(of: model).data
        }
        var options = CNN.Options.defaults
        (options.convDim, options.fcDim) = (4, 8)
        let model = CNN(data.config, options)
        try train(model, data, trainer, kind)
        return try Checkpoint.file(of: model).data
      }
    }
  }

  private func train(
    _ model: some Layer, _ data: TinyData, _ trainer: Trainer, _ kind: Kind
  ) throws {
    let parameters = model.parameters
    let optimizer: any Optimizer =
      switch kind {
      case .adam, .ownGenerators, .freshImages, .accumulated, .limitedSteps, .movingAverage,
        .validationsInside, .validationsBetweenUpdates:
        Adam(parameters)
      case .adamWWithCycle, .augmentedResNet, .stochasticAverage: AdamW(parameters)
      case .sgd: SGD(parameters, learningRate: 0.1)
      case .sgdWithMomentum: SGD(parameters, learningRate: 0.1, momentum: 0.9, nesterov: true)
      }
    let schedule: (any LearningRateSchedule)? =
      switch kind {
      case .adamWWithCycle, .stochasticAverage: OneCycleLR(maxLearningRate: 0.01, totalSteps: 10)
      case .accumulated: CosineLR(maxLearningRate: 0.01, totalSteps: 6, warmupSteps: 2)
      default: nil
      }
    if kind == .accumulated {
      trainer.accumulateBatches = 2
      trainer.gradientClipping = .norm(0.1)
      trainer.sanityValBatches = 1
    }
    if kind == .validationsInside {
      (trainer.validationInterval, trainer.monitor) = (.fraction(0.4), .valAccuracy)
      trainer.gradientNorm = .infinity
    }
    if kind == .validationsBetweenUpdates {
      (trainer.validationInterval, trainer.accumulateBatches) = (.count(1), 2)
      (trainer.patience, trainer.logEverySteps) = (3, 2)
      trainer.gradientNorm = 2
    }
    if kind == .stochasticAverage {
      trainer.averaging = .stochastic(learningRate: 0.02, annealingEpochs: 2)
    }
    if kind == .movingAverage { trainer.averaging = .exponential(decay: 0.9) }
    // With and without augmentation and fresh images, which draw random numbers too.
    if [.freshImages, .sgdWithMomentum].contains(kind) { trainer.mixup = 0.4 }
    if kind == .limitedSteps {
      trainer.maxSteps = 8
      trainer.validateEveryEpochs = 2
      trainer.gradientClipping = .value(0.01)
    }
    try trainer.fit(model, data, optimizer: optimizer, schedule: schedule)
    trainer.isInterrupted = { false }
    _ = try trainer.test(model, data)
  }

  /// The bytes of the files that contain no times, by name.
  private func files(in folder: URL) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.path(percentEncoded: false))
    let same = names.filter { !$0.contains("tfevents") && $0 != "training_state.safetensors" }
    return Dictionary(
      uniqueKeysWithValues: try same.map {
        ($0, try Data(contentsOf: folder.appending(path: $0)))
      })
  }

  /// Runs `body` with two folders that are removed afterwards.
  private func withRuns(_ body: (URL, URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let runs = ["whole", "broken"].map { folder.appending(path: $0) }
    for run in runs {
      try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
    }
    try body(runs[0], runs[1])
  }
}

/// Layers with generators other than the shared one; two layers have the same.
private struct Noisy: Layer {
  let fc1 = Linear(64, 8)
  let dropouts: [Dropout]
  var last: Dropout? = Dropout(0.5, generator: Generator(seed: 9))
  let fc2 = Linear(8, 2)

  init() {
    let generator = Generator(seed: 8)
    dropouts = [Dropout(0.1, generator: generator), Dropout(0.2, generator: generator)]
  }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    var x = try fc1(flatten(x))
    for dropout in dropouts { x = dropout(x) }
    return try fc2(last.map { $0(x) } ?? x)
  }
}

/// Remembers the epochs of a training.
private final class EpochRecorder: TrainingObserver {
  var warnings: [String] = []
  /// The metrics of each epoch.
  private(set) var epochs: [[Metrics?]] = []
  /// The epochs whose metrics were logged.
  private(set) var logged: [Int] = []

  func epochEnded(_ epoch: TrainingEpoch) throws {
    epochs.append([epoch.result.train, epoch.result.val])
  }

  func log(_ entry: LogEntry) throws {
    if entry.values.contains(where: { $0.scalar == .trainLoss }) { logged.append(entry.epoch) }
  }
}

/// Copies a run's folder at a moment of its first epoch: as if the program had been killed then.
private final class FolderCopier: TrainingObserver {
  enum Moment { case epochLogged, epochSaved, never }

  private let (source, target): (URL, URL)
  private var moment: Moment
  /// The epochs that were saved.
  private(set) var saved: [Int] = []

  init(_ source: URL, to target: URL, at moment: Moment) {
    (self.source, self.target, self.moment) = (source, target, moment)
  }

  func log(_ entry: LogEntry) throws {
    if entry.values.contains(where: { $0.scalar == .trainLoss }) { try copy(at: .epochLogged) }
  }

  func epochSaved(_ epoch: TrainingEpoch) throws {
    saved.append(epoch.index)
    try copy(at: .epochSaved)
  }

  private func copy(at moment: Moment) throws {
    guard moment == self.moment else { return }
    self.moment = .never
    try FileManager.default.removeItem(at: target)
    try FileManager.default.copyItem(at: source, to: target)
  }
}
