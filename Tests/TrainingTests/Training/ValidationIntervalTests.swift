import Foundation
import Lab
import TestSupport
import Testing

/// Validation inside epochs, and the metric that chooses the best weights.
struct ValidationIntervalTests {
  // MARK: When

  /// Of five batches. Fractions are rounded down, but not to nothing.
  @Test(
    arguments: [
      (.count(2), [2, 4, 7, 9], false), (.fraction(0.5), [2, 4, 7, 9], false),
      (.fraction(0.1), [1, 2, 3, 4, 6, 7, 8, 9], true), (.count(3), [3, 8], false),
      (.count(5), [], true), (.all, [], true),
    ] as [(BatchLimit, [Int], Bool)])
  func validationsAreInsideEpochs(interval: BatchLimit, steps: [Int], atEnd: Bool) throws {
    try withTinyData { data in
      let recorder = ValidationRecorder()
      let history = try train(data, epochs: 2) {
        $0.validationInterval = interval
        $0.observers = [recorder]
      }
      #expect(recorder.steps == steps)
      #expect(history.flatMap { $0.validations.map(\.totalSteps) } == steps)
      #expect(history.map { $0.val != nil } == [atEnd, atEnd])
      // Training itself is the same.
      let plain = try train(data, epochs: 2) { _ in }
      #expect(history.map(\.train) == plain.map(\.train))
    }
  }

  @Test func aValidationIsThatOfATrainingThatEndsThere() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      let history = try train(data, epochs: 1) {
        $0.validationInterval = .count(2)
        $0.run = try TrainingRun(folder.url)
      }
      for (index, steps) in [2, 4].enumerated() {
        let short = try train(data, epochs: 1) { $0.maxSteps = steps }
        #expect(history[0].validations[index].metrics == short[0].val)
      }
      let text = try String(
        contentsOf: folder.url.appending(path: "metrics.csv"), encoding: .utf8)
      let rows = text.split(separator: "\n").dropFirst().map { row in
        row.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
      // epoch,step,lr,train_loss_step,train_loss,train_acc,val_loss,…
      #expect(rows.map { $0[1] } == ["1", "2", "2", "3", "4", "4", "5", "5"])
      #expect(rows.filter { !$0[6].isEmpty }.map { $0[1] } == ["2", "4"])
      #expect(rows.filter { !$0[4].isEmpty }.map { $0[1] } == ["5"])
      #expect(Double(rows[2][6]) == history[0].validations[0].metrics.loss)
    }
  }

  @Test func epochsWithoutValidationHaveNoneInside() throws {
    try withTinyData { data in
      let recorder = ValidationRecorder()
      _ = try train(data, epochs: 4) {
        $0.validationInterval = .count(2)
        $0.validateEveryEpochs = 2
        $0.observers = [recorder]
      }
      #expect(recorder.steps == [7, 9, 17, 19])
    }
  }

  @Test(arguments: [(BatchLimit.count(6), "6"), (.fraction(0), "0.0"), (.count(0), "0")])
  func intervalsThatAreNoneAreRefused(interval: BatchLimit, got: String) throws {
    try withTinyData { data in
      let error = #expect(throws: TrainingError.self) {
        try train(data, epochs: 1) { $0.validationInterval = interval }
      }
      #expect(
        error?.description
          == "fit: expected a validation after 1 to 5 batches, which an epoch has, got \(got); lower "
          + "validationInterval")
    }
  }

  // MARK: What is monitored

  /// Nothing is learned, so that no validation is better than the first one.
  @Test func patienceCountsValidations() throws {
    try withTinyData { data in
      func end(_ change: (Trainer) -> Void) throws -> [Int] {
        let recorder = ValidationRecorder()
        _ = try train(data, epochs: 9, rate: 0, Plain()) {
          ($0.validationInterval, $0.patience, $0.observers) = (.count(2), 3, [recorder])
          change($0)
        }
        return recorder.ends
      }
      // The fourth validation is inside the second epoch, which ends with it.
      let ends = [
        try end { _ in }, try end { $0.patience = 1 }, try end { $0.minSteps = 10 },
        try end { $0.minEpochs = 3 }, try end { $0.validationInterval = .all },
      ]
      #expect(ends == [[5, 9], [4], [5, 10], [5, 10, 12], [5, 10, 15, 20]])
    }
  }

  @Test(arguments: ["val_acc", "val_loss", "train_loss", "train_acc"])
  func theBestWeightsAreThoseOfTheMonitoredMetric(name: String) throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      let recorder = ValidationRecorder(monitor: name)
      _ = try train(data, epochs: 6, schedule: ThereAndBack()) {
        $0.run = try TrainingRun(folder.url)
        ($0.monitor, $0.validationInterval) = (Scalar(name), .count(2))
        $0.observers = [recorder]
      }
      let sign = name.hasSuffix("acc") ? -1.0 : 1.0
      let best = try #require(
        recorder.values.min { sign * $0.value < sign * $1.value })
      #expect(best.value != recorder.values.last?.value)
      let files = try FileManager.default.contentsOfDirectory(
        atPath: folder.url.path(percentEncoded: false)
      ).filter { $0.hasPrefix("epoch=") }
      let expected =
        String(format: "epoch=%03d-", best.epoch) + name
        + String(format: "=%.3f.safetensors", best.value)
      #expect(files == [expected])
      let saved = try Safetensors(contentsOf: folder.url.appending(path: expected))
      #expect(saved.tensors["fc.weight"]?.elements == best.weights)
    }
  }

  @Test(arguments: [
    ("val_cer", 1.0, "val_loss, val_acc, train_loss, train_acc"),
    ("loss", 1.0, "val_loss, val_acc, train_loss, train_acc"),
    ("val_acc", 0.0, "train_loss, train_acc"),
  ])
  func aMetricThatIsNotMeasuredIsRefused(name: String, validation: Double, names: String) throws {
    try withTinyData { data in
      var steps = 0
      let error = #expect(throws: TrainingError.self) {
        try train(data, epochs: 1) {
          $0.monitor = Scalar(name)
          $0.limitValBatches = .fraction(validation)
          $0.stepEnded = { _ in steps += 1 }
        }
      }
      #expect(
        error?.description
          == "fit: expected monitor to be one of \(names), got \(name); choose one of them")
      #expect(steps == 0)
    }
  }

  /// An objective may leave a metric out in training.
  @Test func aMetricThatTrainingLacksEndsItAfterAnEpoch() throws {
    try withTinyData { data in
      let trainer = quietTrainer(maxEpochs: 3)
      trainer.monitor = Scalar("train_worst")
      let model = Normalized()
      var epochs = 0
      trainer.epochEnded = { _ in epochs += 1 }
      let error = #expect(throws: TrainingError.self) {
        try trainer.fit(
          model, data, optimizer: SGD(model.parameters), objective: RareMetric())
      }
      #expect(
        error?.description
          == "fit: expected monitor to be one of train_loss, got train_worst, which is not measured "
          + "there; choose one of them")
      #expect(epochs == 0)
      trainer.monitor = Scalar("val_worst")
      let history = try trainer.fit(
        model, data, optimizer: SGD(model.parameters), objective: RareMetric())
      #expect(history.count == 3)
    }
  }

  @Test func aRunIsNotResumedWithAnotherMonitor() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      _ = try train(data, epochs: 1) { $0.run = try TrainingRun(folder.url) }
      let error = #expect(throws: TrainingError.self) {
        try train(data, epochs: 2) {
          $0.run = try TrainingRun(folder.url)
          $0.monitor = .valAccuracy
        }
      }
      let path = folder.url.appending(path: "training_state.safetensors")
        .path(percentEncoded: false)
      #expect(
        error?.description
          == "\(path): expected val_loss to choose the best weights as at the run's beginning, got "
          + "val_acc; do not change monitor")
    }
  }

  @Test func aRunsBestEpochIsThatOfItsMonitor() throws {
    let folder = try TemporaryFolder()
    try Data(
      """
      epoch,step,val_loss,val_acc
      0,1,0.5,0.6
      0,2,0.2,0.7
      1,3,0.3,0.9
      1,4,0.4,0.8
      2,6,0.25,0.85

      """.utf8
    ).write(to: MetricsTestFile.url(in: folder.url))
    for (monitor, best) in [(nil, 0), ("val_acc", 1)] as [(String?, Int)] {
      try withTinyData { data in
        let record = RunRecord(
          arguments: [], seed: 1, model: Normalized(), options: [:], data: data, versions: [:],
          hyperparameters: monitor.map { ["monitor": $0] } ?? [:])
        try record.write(to: TrainingRun.record(in: folder.url))
      }
      #expect(try RunHistory(of: folder.url).bestEpoch == best)
    }
  }

  @discardableResult
  private func train(
    _ data: TinyData, epochs: Int, rate: Double = 0.5, _ model: (any Layer)? = nil,
    schedule: (any LearningRateSchedule)? = nil, _ change: (Trainer) throws -> Void
  ) throws -> [Epoch] {
    let trainer = quietTrainer(maxEpochs: epochs)
    try change(trainer)
    return try seeded(5) {
      let model: any Layer = model ?? Normalized()
      return try trainer.fit(
        model, data, optimizer: SGD(model.parameters, learningRate: rate, momentum: 0.9),
        schedule: schedule)
    }
  }
}

/// First the loss falls, then it rises.
private struct ThereAndBack: LearningRateSchedule {
  let totalSteps = 30

  func prepare(_ optimizer: some Optimizer, for step: Int) {
    optimizer.learningRate = step < 12 ? 0.01 : -0.02
  }
}

/// The file of metrics in a run's folder.
private enum MetricsTestFile {
  static func url(in folder: URL) -> URL { folder.appending(path: "metrics.csv") }
}

/// Remembers validations inside epochs and ends of epochs, and the weights that a model had there.
private final class ValidationRecorder: TrainingObserver {
  private let monitor: String
  private var model: (any Layer)?
  private(set) var steps: [Int] = []
  private(set) var ends: [Int] = []
  private(set) var values: [(epoch: Int, value: Double, weights: [Float])] = []

  init(monitor: String = "val_loss") {
    self.monitor = monitor
  }

  func trainingBegan(_ training: TrainingStart) { model = training.model }

  func validationEnded(_ validation: TrainingValidation) {
    steps.append(validation.totalSteps)
    note("val", validation.metrics, validation.epoch)
  }

  func epochEnded(_ epoch: TrainingEpoch) {
    ends.append(epoch.totalSteps)
    if let val = epoch.result.val { note("val", val, epoch.index) }
    note("train", epoch.result.train, epoch.index)
  }

  private func note(_ part: String, _ metrics: Metrics, _ epoch: Int) {
    guard monitor.hasPrefix(part), let model else { return }
    let value = metrics[String(monitor.dropFirst(part.count + 1))] ?? .nan
    let weights = model.namedParameters.first { $0.path == "fc.weight" }
    values.append((epoch, value, weights?.parameter.value.elements ?? []))
  }
}

/// A linear layer for images, without running statistics.
private struct Plain: Layer {
  let fc = Linear(64, 2)

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { try fc(flatten(x)) }
}

/// Has a metric that is measured off a tape only.
private struct RareMetric: Objective {
  let metricNames = ["loss", "worst"]

  func score(_ output: Tensor, _ batch: Batch) throws(ShapeError) -> BatchScore {
    let loss = try crossEntropy(output, batch.y)
    let worst = MetricSum("worst", sum: loss.detached, count: 1)
    return BatchScore(
      loss: loss, count: batch.count, metrics: output.tape == nil ? [worst] : [])
  }

  func predictions(_ output: Tensor, _ batch: Batch, from first: Int) -> [Int] { [] }
}
