import Foundation
import Kernels
import LabDatasets
import LabNetworks
import LabRandom
import LabTensors

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
  /// order, unchanged by augmentation: a model that is right memorises them.
  public var overfitBatches: BatchLimit?
  /// Where the weights of the epoch with the smallest validation loss and those of the last epoch are
  /// kept; nil keeps none.
  public var checkpointFolder: URL?
  /// Texts for the checkpoints' headers.
  public var checkpointMetadata: [String: String] = [:]
  /// Where training is logged and its state is kept; nil does neither.
  public var run: TrainingRun? {
    didSet { checkpointFolder = run?.folder }
  }
  /// What ``run`` says that the training was started with, by name.
  public var hyperparameters: [String: String] = [:]
  /// After how many steps the state is kept; it is at the end of each epoch, too.
  public var checkpointEverySteps = 1000
  /// After how many steps loss and learning rate are logged.
  public var logEverySteps = 1
  /// Asked after each step, and before each batch of validation and test: whether to end now. The
  /// state is kept before, but for the test.
  public var isInterrupted: () -> Bool = { false }
  /// Called at the end of each epoch with the steps made so far, in all epochs.
  public var epochEnded: ((_ step: Int) throws -> Void)?
  /// How many epochs may pass without a smaller validation loss.
  public var patience = 10
  /// What the model learns to make small.
  public var loss = Loss.crossEntropy
  /// How many GPUs were asked for; computation is on the processor, whatever it says.
  public var gpus = 0

  /// The checkpoint of the epoch with the smallest validation loss so far.
  public private(set) var bestCheckpoint: URL?

  /// The last epoch that has ended, and the steps made until then.
  private var lastStep = (epoch: 0, step: 0)

  /// - Parameter maxEpochs: How many epochs to train, at most.
  public init(maxEpochs: Int = 1000) {
    self.maxEpochs = maxEpochs
  }

  /// Trains the model until ``maxEpochs``, or until the validation loss has not become smaller for
  /// ``patience`` epochs. The model ends with the weights of the last epoch.
  ///
  /// If ``run`` holds the state of a training that was not finished, it goes on from there, and ends
  /// with the same weights as if it had never stopped.
  ///
  /// - Parameters:
  ///   - model: What to train.
  ///   - data: What to train on.
  ///   - optimizer: Changes the model's parameters.
  ///   - schedule: Sets the learning rate before each step; nil leaves it as it is.
  /// - Returns: What each epoch brought.
  /// - Throws: ``TrainingError`` if the loss is no longer a number or the schedule is too short,
  ///   ``ShapeError`` if the model does not fit the data, ``DataError`` if a file cannot be written
  ///   or the state in ``run`` is damaged or of other data or another model,
  ///   ``TrainingInterruption`` when ``isInterrupted`` says so.
  @discardableResult
  public func fit(
    _ model: some Layer, _ data: some DataModule, optimizer: any Optimizer,
    schedule: OneCycleLR? = nil
  ) throws -> [Epoch] {
    try check(schedule, data)
    print(banner)
    print("\n" + modelSummary(model))
    let (trainBatches, valBatches) = (training(data), validation(data))
    guard trainBatches.count > 0 else {
      throw TrainingError(
        "fit: expected at least one batch, got none; raise --limit_train_batches")
    }
    let beginning = TrainingState(
      stepsPerEpoch: trainBatches.count, schedule: schedule, data: data, patience: patience)
    var state = try start(model, optimizer, from: beginning)
    while state.epoch < maxEpochs, !state.earlyStopping.isOver {
      try learn(model, trainBatches, optimizer, schedule, &state)
      var val: Metrics?
      if valBatches.count > 0 {
        do {
          val = try evaluate(model, valBatches, title: "Validating")
        } catch let interruption as TrainingInterruption {
          try keep(&state, model, optimizer)
          throw interruption
        }
      }
      try tell(state, val, isSynthetic: data.isSynthetic)
      let superseded = try keepWeights(model, data, val, &state)
      try epochEnded?(state.totalSteps)
      state.finishEpoch(val: val)
      try keep(&state, model, optimizer)
      // Only now: until here the kept state names it.
      if let superseded { try? FileManager.default.removeItem(at: superseded) }
      if state.earlyStopping.isOver {
        print(
          "val_loss has not become smaller for \(state.earlyStopping.patience) epochs: "
            + "stopping early.")
      }
    }
    if let bestCheckpoint { print("Best checkpoint: \(bestCheckpoint.relativePath)") }
    return state.history
  }

  /// The number of the optimizer's steps that ``fit(_:_:optimizer:schedule:)`` makes if nothing ends
  /// it early.
  public func totalSteps(_ data: some DataModule) -> Int {
    let (steps, overflow) = maxEpochs.multipliedReportingOverflow(by: training(data).count)
    return overflow ? .max : steps
  }

  /// What the model makes of the test part.
  ///
  /// - Parameters:
  ///   - model: The model; its dropout is off.
  ///   - data: The data.
  /// - Throws: ``ShapeError`` if the model does not fit the data, ``TrainingError`` if there is no
  ///   batch to test on, ``TrainingInterruption`` when ``isInterrupted`` says so.
  public func test(_ model: some Layer, _ data: some DataModule) throws -> TestResults {
    let batches = testing(data)
    guard batches.count > 0 else {
      throw TrainingError(
        "test: expected at least one batch, got none; raise --limit_test_batches")
    }
    var predictions: [Prediction] = []
    let metrics = try evaluate(model, batches, title: "Testing") { logits, labels in
      predictions += Prediction.all(logits, labels, from: predictions.count)
    }
    try logTest(metrics)
    return TestResults(metrics: metrics, predictions: predictions, mapping: data.mapping)
  }

  private func check(_ schedule: OneCycleLR?, _ data: some DataModule) throws {
    let steps = totalSteps(data)
    guard let schedule, schedule.totalSteps < steps else { return }
    throw TrainingError(
      "fit: expected a schedule of at least \(steps) steps, \(maxEpochs) epochs of "
        + "\(training(data).count) batches, got \(schedule.totalSteps); leave "
        + "--one_cycle_total_steps out, or give as many")
  }

  /// The state of the run if there is one, else that of its beginning.
  private func start(
    _ model: some Layer, _ optimizer: some Optimizer, from beginning: TrainingState
  ) throws -> TrainingState {
    bestCheckpoint = nil
    guard let run else { return beginning }
    guard FileManager.default.fileExists(atPath: run.state.path(percentEncoded: false)) else {
      try run.begin(hyperparameters)
      try removeCheckpoints(of: run, but: nil)
      return beginning
    }
    let state = try TrainingState(run.state, into: model, optimizer, like: beginning)
    try run.cut(to: state.logSizes)
    Generator.shared.state = state.generator
    bestCheckpoint = state.bestCheckpoint.map { run.folder.appending(path: $0) }
    try removeCheckpoints(of: run, but: state.bestCheckpoint)
    lastStep = (max(0, state.epoch - 1), state.totalSteps)
    print("Going on in \(run.folder.relativePath): epoch \(state.epoch), step \(state.step)")
    return state
  }

  /// The rest of an epoch's learning.
  private func learn(
    _ model: some Layer, _ batches: Batches, _ optimizer: some Optimizer, _ schedule: OneCycleLR?,
    _ state: inout TrainingState
  ) throws {
    let progress = ProgressBar("Epoch \(state.epoch)", total: batches.count)
    defer { progress.finish() }
    var iterator = state.iterator(of: batches)
    var clock = ContinuousClock.now
    while let batch = iterator.next() {
      schedule?.prepare(optimizer, for: state.totalSteps)
      optimizer.clearGradients()
      let tape = Tape()
      let logits = try model(tape.input(batch.x))
      let loss = try self.loss(logits, batch.y)
      guard loss.item.isFinite else {
        throw TrainingError(
          "fit: expected a finite loss, got \(loss.item) at epoch \(state.epoch), step \(state.step); "
            + "a smaller --lr usually helps")
      }
      try tape.backward(loss)
      optimizer.step()
      state.step += 1
      state.metrics.add(loss: loss.item, logits: logits, labels: batch.y)
      state.seconds += clock.duration(to: .now) / .seconds(1)
      clock = .now
      progress.update(state.step, loss: state.metrics.loss)
      if state.totalSteps.isMultiple(of: logEverySteps) {
        try run?.log(
          [.learningRate: optimizer.learningRate, .stepLoss: Double(loss.item)],
          epoch: state.epoch, step: state.totalSteps)
      }
      let isInterrupted = isInterrupted()
      if isInterrupted || state.totalSteps.isMultiple(of: checkpointEverySteps) {
        try keep(&state, model, optimizer)
      }
      if isInterrupted {
        throw TrainingInterruption(
          description: "stopped in epoch \(state.epoch) after step \(state.step)")
      }
    }
  }

  /// Loss and accuracy on some batches; `each` is called with each batch's logits and labels.
  private func evaluate(
    _ model: some Layer, _ batches: Batches, title: String,
    each: (_ logits: Tensor, _ labels: IntTensor) -> Void = { _, _ in }
  ) throws -> Metrics {
    let progress = ProgressBar(title, total: batches.count)
    defer { progress.finish() }
    var metrics = Metrics()
    for (step, batch) in batches.enumerated() {
      if isInterrupted() {
        throw TrainingInterruption(description: "stopped while \(title.lowercased())")
      }
      let logits = try model(batch.x)
      let loss = try self.loss(logits, batch.y)
      metrics.add(loss: loss.item, logits: logits, labels: batch.y)
      each(logits, batch.y)
      progress.update(step + 1, loss: metrics.loss)
    }
    return metrics
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

  /// The first training batches, unshuffled, if the model is to memorise them.
  private func overfitting(_ data: some DataModule) -> Batches? {
    overfitBatches.map {
      let (size, workers) = (data.batchSize, data.workers)
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

  /// Prints and logs what an epoch brought.
  private func tell(_ state: TrainingState, _ val: Metrics?, isSynthetic: Bool) throws {
    let title = "Epoch \(state.epoch)" + (isSynthetic ? " (SYNTHETIC data)" : "")
    let parts = [figures("train", state.metrics)] + (val.map { [figures("val", $0)] } ?? [])
    print("\(title): \(parts.joined(separator: ", "))")
    var scalars: [Scalar: Double] = [
      .trainLoss: state.metrics.loss, .trainAccuracy: state.metrics.accuracy,
    ]
    (scalars[.valLoss], scalars[.valAccuracy]) = (val?.loss, val?.accuracy)
    try run?.log(scalars, epoch: state.epoch, step: state.totalSteps)
    lastStep = (state.epoch, state.totalSteps)
  }

  /// Logs what the test brought, behind the last step.
  private func logTest(_ metrics: Metrics) throws {
    try run?.log(
      [.testLoss: metrics.loss, .testAccuracy: metrics.accuracy],
      epoch: lastStep.epoch, step: lastStep.step)
    try run?.end(step: lastStep.step)
  }

  /// Writes the weights of the last epoch; if it is the best one, also beside those of the best epoch
  /// before.
  ///
  /// - Returns: The file of the best epoch before, if it is the best no more.
  private func keepWeights(
    _ model: some Layer, _ data: some DataModule, _ val: Metrics?, _ state: inout TrainingState
  ) throws -> URL? {
    guard let checkpointFolder else { return nil }
    let epoch = state.epoch
    let metadata = try checkpointMetadata.merging([
      "model_class": "\(type(of: model))", "data_class": type(of: data).name,
      "data_source": data.isSynthetic ? "SYNTHETIC" : "download", "data_config": data.config.json(),
      "epoch": "\(epoch)",
    ]) { $1 }
    try Checkpoint.save(
      model, to: checkpointFolder.appending(path: "last.safetensors"), metadata: metadata)
    guard let val, val.loss < state.earlyStopping.best else { return nil }
    let name = String(format: "epoch=%03d-val_loss=%.3f.safetensors", epoch, val.loss)
    let url = checkpointFolder.appending(path: name)
    try Checkpoint.save(model, to: url, metadata: metadata)
    let old = bestCheckpoint
    bestCheckpoint = url
    state.bestCheckpoint = name
    return old == url ? nil : old
  }

  /// Removes what the best epoch's file may have left behind when the program was killed: the one
  /// before it, that the kept state no longer names, or one that it does not name yet.
  private func removeCheckpoints(of run: TrainingRun, but best: String?) throws {
    try withFile(run.folder, "tidy up") {
      let path = run.folder.path(percentEncoded: false)
      for name in try FileManager.default.contentsOfDirectory(atPath: path)
      where name != best && name.wholeMatch(of: /epoch=\d+-val_loss=.*\.safetensors/) != nil {
        try FileManager.default.removeItem(at: run.folder.appending(path: name))
      }
    }
  }

  /// Writes where the run is, so that it can go on from here.
  private func keep(
    _ state: inout TrainingState, _ model: some Layer, _ optimizer: some Optimizer
  ) throws {
    guard let run else { return }
    state.generator = Generator.shared.state
    state.logSizes = run.logSizes
    try state.save(model, optimizer, to: run.state)
  }
}
