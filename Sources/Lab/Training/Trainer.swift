import Foundation
import Kernels

/// Trains and tests a model, as PyTorch Lightning's `Trainer` does in the course.
///
/// ```swift
/// let trainer = Trainer(maxEpochs: 5)
/// let history = try trainer.fit(model, data, optimizer: Adam(model.parameters))
/// history.last?.val?.accuracy  // of the last epoch
/// let results = try trainer.test(model, data)
/// results.accuracy
/// results.confusion.mostConfused(5)
/// ```
///
/// Results are printed on standard output and are the same in every run from the same seed. Progress,
/// which tells times, goes to standard error.
public final class Trainer {
  /// How many epochs to train, at most.
  public var maxEpochs: Int
  /// How many batches of an epoch to train on.
  public var limitTrainBatches = BatchLimit.all
  /// How many batches to validate on after each epoch; none means no early stopping.
  public var limitValBatches = BatchLimit.all
  /// How many batches to test on.
  public var limitTestBatches = BatchLimit.all
  /// When set, trains, validates and tests on these training batches alone, always in the same
  /// order: a model that is right learns them by heart.
  public var overfitBatches: BatchLimit?
  /// Where the weights of the epoch with the smallest validation loss are kept; nil keeps none.
  public var checkpointFolder: URL?
  /// How many epochs may pass without a smaller validation loss.
  public var patience = 10
  /// What the model learns to make small.
  public var loss = Loss.crossEntropy
  /// How many GPUs were asked for; computation is on the processor, whatever it says.
  public var gpus = 0

  /// The checkpoint of the epoch with the smallest validation loss so far.
  public private(set) var bestCheckpoint: URL?

  /// - Parameter maxEpochs: How many epochs to train, at most.
  public init(maxEpochs: Int = 1000) {
    self.maxEpochs = maxEpochs
  }

  /// Trains the model until ``maxEpochs``, or until the validation loss has not become smaller for
  /// ``patience`` epochs. The model ends with the weights of the last epoch.
  ///
  /// - Parameters:
  ///   - model: What to train.
  ///   - data: What to train on.
  ///   - optimizer: Changes the model's parameters.
  ///   - schedule: Sets the learning rate before each step; nil leaves it as it is.
  /// - Returns: What each epoch brought.
  /// - Throws: ``TrainingError`` if the loss is no longer a number or the schedule is too short,
  ///   ``ShapeError`` if the model does not fit the data, ``DataError`` if a checkpoint cannot be
  ///   written.
  @discardableResult
  public func fit<M: Model>(
    _ model: M, _ data: some DataModule, optimizer: any Optimizer, schedule: OneCycleLR? = nil
  ) throws -> [Epoch] {
    try check(schedule, data)
    print(banner)
    print("\n" + modelSummary(model))
    let (trainBatches, valBatches) = (training(data), validation(data))
    var earlyStopping = EarlyStopping(patience: patience)
    var history: [Epoch] = []
    for epoch in 0..<maxEpochs {
      let start = ContinuousClock.now
      let train = try learn(model, trainBatches, optimizer, schedule, epoch: epoch)
      let seconds = start.duration(to: .now) / .seconds(1)
      let title = data.isSynthetic ? "Epoch \(epoch) (SYNTHETIC data)" : "Epoch \(epoch)"
      var line = "\(title): \(figures("train", train))"
      guard valBatches.count > 0 else {
        print(line)
        history.append(Epoch(train: train, val: nil, seconds: seconds))
        continue
      }
      let val = try evaluate(model, valBatches, title: "Validating").metrics
      history.append(Epoch(train: train, val: val, seconds: seconds))
      line += ", \(figures("val", val))"
      print(line)
      if val.loss < earlyStopping.best {
        try keep(model, M.self, data, epoch: epoch, loss: val.loss)
      }
      if earlyStopping.shouldStop(after: val.loss) {
        print("val_loss has not become smaller for \(patience) epochs: stopping early.")
        break
      }
    }
    if let bestCheckpoint { print("Best checkpoint: \(bestCheckpoint.relativePath)") }
    return history
  }

  /// The number of the optimizer's steps that ``fit(_:_:optimizer:schedule:)`` makes if nothing ends
  /// it early.
  public func totalSteps(_ data: some DataModule) -> Int {
    maxEpochs * training(data).count
  }

  /// What the model makes of the test part.
  ///
  /// - Parameters:
  ///   - model: The model; its dropout is off.
  ///   - data: The data.
  /// - Throws: ``ShapeError`` if the model does not fit the data, ``TrainingError`` if there is no
  ///   batch to test on.
  public func test(_ model: some Model, _ data: some DataModule) throws -> TestResults {
    let batches = testing(data)
    guard batches.count > 0 else {
      throw TrainingError(
        "test: expected at least one batch, got none; raise --limit_test_batches")
    }
    let (metrics, predictions) = try evaluate(model, batches, title: "Testing")
    return TestResults(metrics: metrics, predictions: predictions, mapping: data.mapping)
  }

  private func check(_ schedule: OneCycleLR?, _ data: some DataModule) throws {
    let steps = totalSteps(data)
    guard let schedule, schedule.totalSteps < steps else { return }
    throw TrainingError(
      "fit: expected a schedule of at least \(steps) steps, \(maxEpochs) epochs of "
        + "\(steps / maxEpochs) batches, got \(schedule.totalSteps); leave "
        + "--one_cycle_total_steps out, or give as many")
  }

  /// One epoch of learning.
  private func learn(
    _ model: some Model, _ batches: Batches, _ optimizer: any Optimizer, _ schedule: OneCycleLR?,
    epoch: Int
  ) throws -> Metrics {
    guard batches.count > 0 else {
      throw TrainingError(
        "fit: expected at least one batch, got none; raise --limit_train_batches")
    }
    let progress = ProgressBar("Epoch \(epoch)", total: batches.count)
    defer { progress.finish() }
    var metrics = Metrics()
    for (step, batch) in batches.enumerated() {
      schedule?.prepare(optimizer, for: epoch * batches.count + step)
      optimizer.clearGradients()
      let tape = Tape()
      let logits = try model(tape.input(batch.x))
      let loss = try self.loss(logits, batch.y)
      guard loss.item.isFinite else {
        throw TrainingError(
          "fit: expected a finite loss, got \(loss.item) at epoch \(epoch), step \(step); "
            + "a smaller --lr usually helps")
      }
      try tape.backward(loss)
      optimizer.step()
      metrics.add(loss: loss.item, logits: logits, labels: batch.y)
      progress.update(step + 1, loss: metrics.loss)
    }
    return metrics
  }

  private func evaluate(
    _ model: some Model, _ batches: Batches, title: String
  ) throws -> (metrics: Metrics, predictions: [Prediction]) {
    let progress = ProgressBar(title, total: batches.count)
    defer { progress.finish() }
    var metrics = Metrics()
    var predictions: [Prediction] = []
    for (step, batch) in batches.enumerated() {
      let logits = try model(batch.x)
      let loss = try self.loss(logits, batch.y)
      metrics.add(loss: loss.item, logits: logits, labels: batch.y)
      predictions += Prediction.all(logits, batch.y, from: predictions.count)
      progress.update(step + 1, loss: metrics.loss)
    }
    return (metrics, predictions)
  }

  // MARK: Batches

  private func training(_ data: some DataModule) -> Batches {
    overfitting(data) ?? limited(data.trainBatches(), limitTrainBatches)
  }

  private func validation(_ data: some DataModule) -> Batches {
    overfitting(data) ?? limited(data.valBatches(), limitValBatches)
  }

  private func testing(_ data: some DataModule) -> Batches {
    overfitting(data) ?? limited(data.testBatches(), limitTestBatches)
  }

  /// The first training batches, unshuffled, if the model is to learn them by heart.
  private func overfitting(_ data: some DataModule) -> Batches? {
    overfitBatches.map {
      let (size, workers) = (data.options.batchSize, data.options.workers)
      return limited(Batches(data.train, batchSize: size, workers: workers), $0)
    }
  }

  private func limited(_ batches: Batches, _ limit: BatchLimit) -> Batches {
    batches.prefix(limit.batches(of: batches.count))
  }

  // MARK: What is told and kept

  private var banner: String {
    let gpu =
      gpus > 0
      ? "GPU available: no, used: no; --gpus=\(gpus) changes nothing, all is computed on the CPU.\n"
      : ""
    let threads = Threads.count == 1 ? "1 thread" : "\(Threads.count) threads"
    return gpu + "Processor: \(Processor.name), \(threads). \(KernelSet.current.description)."
  }

  private func figures(_ part: String, _ metrics: Metrics) -> String {
    "\(part)_loss=\(fixed(metrics.loss)), \(part)_acc=\(fixed(metrics.accuracy))"
  }

  private func fixed(_ value: Double) -> String { String(format: "%.4f", value) }

  /// Writes the weights beside those of the best epoch before, then removes the latter.
  private func keep<M: Model>(
    _ model: M, _ type: M.Type, _ data: some DataModule, epoch: Int, loss: Double
  ) throws {
    guard let checkpointFolder else { return }
    let name = String(format: "epoch=%03d-val_loss=%.3f.safetensors", epoch, loss)
    let url = checkpointFolder.appending(path: name)
    try Checkpoint.save(
      model, to: url,
      metadata: [
        "model_class": "\(type)", "data_class": Swift.type(of: data).name,
        "data_source": data.isSynthetic ? "SYNTHETIC" : "download", "epoch": "\(epoch)",
      ])
    if let old = bestCheckpoint, old != url { try? FileManager.default.removeItem(at: old) }
    bestCheckpoint = url
  }
}
