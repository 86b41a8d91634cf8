import Foundation
import Kernels
import Lab
import Testing

/// Sets the number of threads, so these tests wait for one another.
@Suite(.serialized)
struct ResumeTests {
  /// A way to train that keeps something of its own from step to step.
  enum Kind: CaseIterable {
    case adam, adamWWithCycle, sgd, sgdWithMomentum, augmentedResNet
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

  @Test func aRunThatWasKilledForgetsWhatCameAfterItsState() throws {
    try withRuns { whole, broken in
      try train(.adam, in: whole) { false }
      struct Crash: Error {}
      // The state is that of the third step.
      #expect(throws: Crash.self) { try train(.adam, in: broken, failing: Crash()) { false } }
      #expect(
        try String(contentsOf: broken.appending(path: "metrics.csv"), encoding: .utf8)
          .contains("\n0,5,,,"))
      try train(.adam, in: broken) { false }
      #expect(try files(in: broken) == files(in: whole))
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
      // Killed between naming the new best one and removing the one before.
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

  @Test func whatDoesNotFitIsRefusedInOneLine() throws {
    try withRuns { whole, _ in
      try train(.adam, in: whole) { false }
      let path = whole.appending(path: "training_state.safetensors").path(percentEncoded: false)
      func expectRefusal(_ text: String, _ body: () throws -> Void) {
        let error = #expect(throws: DataError.self) { try body() }
        #expect(error?.description == "\(path): \(text)")
      }
      expectRefusal(
        "Adam: expected step of shape [], got no such tensor; was the run begun with it?"
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
      expectRefusal(
        "expected epochs of 5 batches of 16, as the run began, got 2 batches of 16; "
          + "leave --batch_size and --limit_train_batches as they were"
      ) { try train(.adam, in: whole, batches: .count(2)) { false } }
      expectRefusal(
        "expected no cycle of learning rates, as the run began, got a cycle of learning rates over "
          + "10 steps; leave --max_epochs, --one_cycle_max_lr and --one_cycle_total_steps as they were"
      ) { try train(.adamWWithCycle, in: whole) { false } }
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

  /// Trains as if a program had just been started.
  private func train(
    _ kind: Kind, in folder: URL, batches: BatchLimit = .all, failing error: (any Error)? = nil,
    interruptedWhen isInterrupted: @escaping () -> Bool
  ) throws {
    let augmentation = kind == .augmentedResNet ? RandomAffine(degrees: 10) : nil
    try withTinyData(workers: kind == .sgd ? 2 : 0, augmentation: augmentation) { data in
      let trainer = Trainer(maxEpochs: 2)
      trainer.run = try TrainingRun(folder)
      trainer.limitTrainBatches = batches
      trainer.checkpointEverySteps = 3
      trainer.isInterrupted = isInterrupted
      if let error { trainer.epochEnded = { _ in throw error } }
      try seeded(42) {
        if kind == .augmentedResNet {
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

  private func train(
    _ model: some Model, _ data: TinyData, _ trainer: Trainer, _ kind: Kind
  ) throws {
    let parameters = model.parameters
    let optimizer: any Optimizer =
      switch kind {
      case .adam: Adam(parameters)
      case .adamWWithCycle, .augmentedResNet: AdamW(parameters)
      case .sgd: SGD(parameters, learningRate: 0.1)
      case .sgdWithMomentum: SGD(parameters, learningRate: 0.1, momentum: 0.9, nesterov: true)
      }
    let schedule =
      kind == .adamWWithCycle ? OneCycleLR(maxLearningRate: 0.01, totalSteps: 10) : nil
    try trainer.fit(model, data, optimizer: optimizer, schedule: schedule)
    trainer.isInterrupted = { false }
    _ = try trainer.test(model, data)
  }

  /// The bytes of what does not tell times, by file name.
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
