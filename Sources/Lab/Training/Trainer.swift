import Foundation
import LabData
import LabNetworks
import LabProcesses
import LabTensors

/// Trains and tests a model, like the `Trainer` of PyTorch Lightning in the course.
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
/// Results are printed on standard output and are the same in every run from the same seed. Progress
/// and times go to standard error. With ``isQuiet`` nothing is printed.
///
/// The loop itself is in `TrainingLoop.swift`.
public final class Trainer {
  // MARK: What to do

  /// The number of epochs, at most.
  public var maxEpochs: Int
  /// How many batches of an epoch to train on.
  public var limitTrainBatches = BatchLimit.all
  /// How many batches to validate on after each epoch; with 0 there is no early stopping.
  public var limitValBatches = BatchLimit.all
  /// How many batches to test on.
  public var limitTestBatches = BatchLimit.all
  /// If set, trains, validates and tests on these training batches only, always in the same order and
  /// without augmentation and mixup: a model that works can memorise them.
  public var overfitBatches: BatchLimit?
  /// How many epochs may pass without a better ``monitor``, or validations if there are several in an
  /// epoch; it may be changed when a run is resumed.
  public var patience = 10
  /// What chooses the best checkpoint and ends training early: the validation loss, or another metric of
  /// validation or training. The largest accuracy is the best one, the smallest value of all others.
  ///
  /// Metrics of validation count after each validation, those of training at the end of each epoch.
  public var monitor = Scalar.valLoss
  /// How many epochs are trained for at least, whatever ``patience`` and ``maxTime`` say.
  public var minEpochs = 0
  /// The number of steps of the optimizer, at most; nil for no limit. The epoch in which it is reached ends
  /// with it, with its validation.
  public var maxSteps: Int?
  /// How many steps of the optimizer are made at least, whatever ``patience`` and ``maxTime`` say.
  public var minSteps = 0
  /// How long is trained, without validation; nil for no limit. The epoch in which that time has passed
  /// ends with it. The time before a run was resumed counts.
  public var maxTime: Duration?
  /// Validates after every so many epochs.
  public var validateEveryEpochs = 1
  /// After which number or fraction of an epoch's batches the model is validated, also inside the epoch:
  /// Lightning's `val_check_interval`. If the batches of an epoch are no multiple, none is validated after
  /// the last ones.
  public var validationInterval = BatchLimit.all
  /// How many validation batches are computed before the first step, so that an error in validation is
  /// seen at once and not after an epoch; -1 is all of them.
  public var sanityValBatches = 0
  /// Limits gradients before each step of the optimizer; nil leaves them as they are.
  public var gradientClipping: GradientClipping?
  /// If set, this norm of each parameter's gradient and of all together is logged for each logged step
  /// of the optimizer, before ``gradientClipping``: 2 for the Euclidean norm, infinity for the largest
  /// absolute value. The names are Lightning's, such as `grad_2.0_norm_total` and
  /// `grad_2.0_norm_conv1.weight`.
  public var gradientNorm: Double?
  /// After how many batches the optimizer makes a step, with the mean of their gradients: as if batches
  /// were so many times as large, with the memory for one. At the end of an epoch there may be fewer
  /// batches, each of which has the same weight as the others, as in Lightning.
  ///
  /// Steps in logs count batches.
  public var accumulateBatches = 1
  /// Averages the weights over the training.
  public var averaging: WeightAveraging?
  /// Mixes each training image with another one of its batch, and the losses for their labels with the same
  /// weights, by mixup. The weights are drawn from a beta distribution, both of whose parameters are this
  /// number, from 0.01 to 4: with small ones the images change little. nil for no mixup.
  ///
  /// Source: H. Zhang, M. Cisse, Y. Dauphin, D. Lopez-Paz, "mixup: Beyond Empirical Risk Minimization",
  /// ICLR 2018.
  public var mixup: Double?
  /// The loss, unless another objective than ``Classification`` is given.
  public var loss = Loss.crossEntropy

  /// Into how many parts a batch is cut that are computed by themselves and added up in a fixed order, so
  /// that weights, logs and checkpoints have the same bytes for any number of processes up to this one.
  ///
  /// By default 8 in a program that `mpirun` has started, also for a single process, and nil otherwise:
  /// batches are computed as a whole, which is faster in one process and gives other rounding errors.
  public var microShards: Int?
  /// The processes that train together: those that `mpirun` has started.
  package var processes: any Communicator = Processes.current

  /// The number of micro-shards by default.
  package static let defaultMicroShards = 8

  /// What computes batches by parts; nil to compute them as a whole.
  func parallel(_ model: some Layer) throws(TrainingError) -> DataParallel? {
    let byDefault = processes is SingleProcess ? nil : Self.defaultMicroShards
    guard let count = microShards ?? byDefault else { return nil }
    return try DataParallel(
      model, microShards: count, processes: processes, isInterrupted: isInterrupted)
  }

  // MARK: What to save

  /// The folder for the weights of the epoch with the smallest validation loss, or the best value of
  /// ``monitor``, and of the last epoch; nil saves none.
  public var checkpointFolder: URL?
  /// Texts for the headers of checkpoints.
  public var checkpointMetadata: [String: String] = [:]
  /// The folder in which training is logged and its state is saved; nil for neither.
  ///
  /// If the weights or the state cannot be saved, training ends with that error: it could not be
  /// resumed. A log or a figure that cannot be written only gives a warning.
  public var run: TrainingRun? {
    didSet { checkpointFolder = run?.folder }
  }
  /// The file in which the progress is saved if there is no ``run``; nil for none.
  ///
  /// If the file has the progress of a training that was interrupted, that training goes on and ends
  /// with the same weights as if it had never stopped. Observers get the earlier epochs again, but not
  /// their steps, so that the same results are printed. A file that is damaged is not used: training
  /// starts from the beginning, with a warning. If the trainer trains several times, the second
  /// training uses a file whose name ends with `-2`, and so on.
  public var progressFile: URL? {
    didSet { trainingsWithProgress = 0 }
  }
  /// The number of trainings that have begun since ``progressFile`` was set.
  private var trainingsWithProgress = 0

  /// The progress file of the training that begins now.
  func nextProgressFile() -> URL? {
    guard run == nil, let file = progressFile else { return nil }
    trainingsWithProgress += 1
    return trainingsWithProgress == 1
      ? file
      : file.deletingLastPathComponent()
        .appending(path: "\(file.lastPathComponent)-\(trainingsWithProgress)")
  }

  /// Lets the next training use the progress file of the last one, which has failed.
  package func repeatTraining() {
    trainingsWithProgress = max(0, trainingsWithProgress - 1)
  }

  /// The options of the training by name, for the logs of ``run``.
  public var hyperparameters: [String: String] = [:]
  /// The number of steps after which the state is saved, in addition to the end of each epoch. With
  /// nil it is saved every 1000 steps, but not within ten seconds of the last time: a GPU may make
  /// thousands of steps a second, and saving takes as long as hundreds of them.
  public var checkpointEverySteps: Int?
  /// After how many steps, and how long after the last time at the earliest, the state is saved if
  /// ``checkpointEverySteps`` is nil.
  package var automaticCheckpoints = (steps: 1000, interval: Duration.seconds(10))
  /// The number of steps after which loss and learning rate are logged.
  public var logEverySteps = 1

  // MARK: What to show

  /// Whether to print neither results nor progress. Warnings are still given.
  public var isQuiet = false
  /// Whether to print the table of the model's parts and sizes before training.
  public var showsModelSummary = true
  /// Whether that table has a row for each layer, with its sizes and multiply-adds.
  public var showsLayers = false
  /// Measures how long the parts of a training take; see ``Profiler``.
  public var profiler: Profiler?
  /// Whether to show progress on standard error.
  public var showsProgress = true
  /// Called with each warning, a line; by default it is written to standard error.
  public var warn: (String) -> Void = StandardError.writeLine
  /// Own observers, called after those that print and log.
  public var observers: [any TrainingObserver] = []
  /// Called after each step. To end training, use ``isInterrupted``.
  ///
  /// ```swift
  /// trainer.stepEnded = { step in
  ///   if step.totalSteps % 100 == 0 { print(step.totalSteps, step.loss.item) }
  /// }
  /// ```
  public var stepEnded: ((TrainingStep) throws -> Void)?
  /// Called after each epoch was saved, with the steps made so far in all epochs.
  public var epochEnded: ((_ step: Int) throws -> Void)?
  /// Whether to end now; called after each step, and before each batch of validation and test. The
  /// state is saved before training ends.
  public var isInterrupted: () -> Bool = { false }

  // MARK: Results

  /// The checkpoint of the epoch with the smallest validation loss so far.
  public internal(set) var bestCheckpoint: URL?
  /// The last epoch that has ended, and the steps made until then.
  var lastStep = (epoch: 0, step: 0)

  /// - Parameter maxEpochs: The number of epochs, at most.
  public init(maxEpochs: Int = 1000) {
    self.maxEpochs = maxEpochs
  }

  /// Trains a model to classify, with ``loss``; see ``fit(_:_:optimizer:schedule:objective:)``.
  @discardableResult
  public func fit(
    _ model: some Layer, _ data: some DataModule, optimizer: any Optimizer,
    schedule: (any LearningRateSchedule)? = nil
  ) throws -> [Epoch] {
    try fit(
      model, data, optimizer: optimizer, schedule: schedule, objective: Classification(loss))
  }

  /// Trains a model until ``maxEpochs``, ``maxSteps`` or ``maxTime``, or until ``monitor`` has not become
  /// better for ``patience`` epochs. The model ends with the weights of the last epoch, or with the
  /// averaged ones; see ``averaging``.
  ///
  /// If ``run`` has the state of a training that was not finished, training is resumed from it and
  /// ends with the same weights as if it had never stopped.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - data: The data.
  ///   - optimizer: Changes the model's parameters.
  ///   - schedule: Sets the learning rate before each step; nil leaves it unchanged.
  ///   - objective: The loss, and which other metrics there are.
  /// - Returns: The results of each epoch.
  /// - Throws: ``TrainingError`` if a loss or a weight is not finite, a limit gives no batch, the
  ///   schedule is too short, ``mixup`` is out of range, or the state in ``run`` was saved with other
  ///   settings, ``ShapeError`` if the model does not fit the data,
  ///   ``DataError`` if weights or state cannot be saved, or the state in ``run`` is damaged or of
  ///   other data or another model, ``GPUError`` if the model's device fails,
  ///   ``TrainingInterruption`` if ``isInterrupted``.
  @discardableResult
  public func fit(
    _ model: some Layer, _ data: some DataModule, optimizer: any Optimizer,
    schedule: (any LearningRateSchedule)? = nil, objective: some Objective
  ) throws -> [Epoch] {
    precondition(
      accumulateBatches >= 1 && validateEveryEpochs >= 1,
      "accumulateBatches and validateEveryEpochs are at least 1")
    precondition(gradientNorm.map { $0 > 0 } ?? true, "gradientNorm is above 0")
    try checkMixup(objective)
    let (train, val) = (try training(data), try validation(data))
    try checkMonitor(objective, hasValidation: val.count > 0)
    _ = try validationSteps(of: train.count)
    try check(schedule, data)
    let data = TrainingData(
      train: train, val: val, batchSize: data.batchSize,
      inputShape: [train.size(ofBatch: 0)] + data.config.inputDims,
      sources: data.sources, isSynthetic: data.isSynthetic,
      metadata: [
        "data_class": type(of: data).name,
        "data_source": data.isSynthetic ? "SYNTHETIC" : "download",
        "data_config": try data.config.json(),
      ])
    try checkProcesses()
    var loop = try TrainingLoop(
      trainer: self, model: model, data: data, optimizer: optimizer, schedule: schedule,
      objective: objective)
    return try profiled(model, inputShape: loop.inputShape) {
      try model.device.checking { try loop.run() }
    }
  }

  /// The number of optimizer steps that ``fit(_:_:optimizer:schedule:)`` makes unless it ends early.
  public func totalSteps(_ data: some DataModule) -> Int {
    let batches = (overfitBatches ?? limitTrainBatches).batches(of: data.trainBatches().count)
    let each = (batches + max(1, accumulateBatches) - 1) / max(1, accumulateBatches)
    let (steps, overflow) = maxEpochs.multipliedReportingOverflow(by: each)
    return min(overflow ? .max : steps, maxSteps ?? .max)
  }

  /// Tests a model that classifies, with ``loss``; see ``test(_:_:objective:)``.
  public func test(_ model: some Layer, _ data: some DataModule) throws -> TestResults {
    try test(model, data, objective: Classification(loss))
  }

  /// Tests a model on the test part.
  ///
  /// - Parameters:
  ///   - model: The model; it computes off the tape, so that dropout is off.
  ///   - data: The data.
  ///   - objective: The metrics, and what an output means.
  /// - Throws: ``ShapeError`` if the model does not fit the data, ``TrainingError`` if there is no
  ///   batch to test on, ``GPUError`` if the model's device fails, ``TrainingInterruption`` if
  ///   ``isInterrupted``.
  public func test<O: Objective>(
    _ model: some Layer, _ data: some DataModule, objective: O
  ) throws -> Evaluation<O.Output> {
    let batches = try testing(data)
    let parallel = try parallel(model)
    var predictions = Predictions<O.Output>()
    let metrics = try model.device.checking {
      try evaluate(
        model, batches, objective, parallel, title: "Testing",
        check: { loss, batch in
          guard !loss.isFinite else { return }
          let got = loss.isNaN ? "nan" : "\(loss)"
          throw TrainingError("test: expected a finite loss, got \(got) in batch \(batch)")
        },
        each: { output, batch, first in
          predictions.append(try objective.predictions(output, batch, from: first))
        })
    }
    if let parallel { try predictions.gather(parallel, batches) }
    let observers = allObservers
    let entry = LogEntry(
      epoch: lastStep.epoch, step: lastStep.step, values: metrics.scalars(of: "test"))
    observers.notify { try $0.log(entry) }
    observers.notify { try $0.testEnded(metrics, step: lastStep.step) }
    return Evaluation(metrics: metrics, predictions: predictions.all, mapping: data.mapping)
  }

  /// The observers that print and log, and those of the user.
  ///
  /// Of several processes, only the first one has observers.
  var allObservers: Observers {
    guard processes.rank == 0 else { return Observers([], warn: warn) }
    return Observers(
      (isQuiet ? [] : [Console(self)]) + (run?.observers ?? []) + observers + [
        ClosureObserver("stepEnded", step: stepEnded),
        ClosureObserver("epochEnded", epoch: epochEnded),
      ], warn: warn)
  }

  /// A progress bar, unless nothing is to be printed.
  func progressBar(_ title: String, total: Int, from first: Int = 0) -> ProgressBar? {
    isQuiet || !showsProgress || processes.rank > 0
      ? nil : ProgressBar(title, total: total, from: first)
  }

  /// Refuses what several processes cannot do together.
  private func checkProcesses() throws(TrainingError) {
    guard processes.size > 1 else { return }
    if accumulateBatches > 1 {
      throw TrainingError(
        advising: """
          fit: expected one process with \(setting: .accumulateBatches), got \(processes.size); leave it \
          out, and raise \(setting: .batchSize)
          """)
    }
    if maxTime != nil {
      throw TrainingError(
        advising: """
          fit: expected one process with \(setting: .maxTime), got \(processes.size), whose clocks differ; \
          leave it out, and lower \(setting: .maxEpochs)
          """)
    }
  }

  /// After how many batches of an epoch the model is validated.
  ///
  /// - Throws: ``TrainingError`` if an epoch has fewer.
  func validationSteps(of batches: Int) throws(TrainingError) -> Int {
    let steps =
      switch validationInterval {
      case .count(let count): count
      case .fraction(let fraction): fraction > 0 ? max(1, Int(Double(batches) * fraction)) : 0
      }
    guard (1...max(1, batches)).contains(steps) else {
      throw TrainingError(
        advising: """
          fit: expected a validation after 1 to \(batches) batches, which an epoch has, got \
          \(validationInterval); lower \(setting: .validationInterval)
          """)
    }
    return steps
  }

  private func checkMixup(_ objective: some Objective) throws(TrainingError) {
    guard let mixup else { return }
    guard Mixup.allowed.contains(mixup) else {
      throw TrainingError(
        "fit: expected mixup from \(Mixup.allowed.lowerBound) to \(Mixup.allowed.upperBound), got \(mixup)"
      )
    }
    guard objective.takesMixedImages else {
      throw TrainingError(
        "fit: expected an objective that takes mixed images with mixup, got \(type(of: objective))")
    }
  }

  /// Refuses a metric that is never measured, before training.
  private func checkMonitor(
    _ objective: some Objective, hasValidation: Bool
  ) throws(TrainingError) {
    // Without validation there is no early stopping, unless something else was asked for.
    guard monitor != .valLoss else { return }
    let names = ["val", "train"].flatMap { part in
      part == "val" && !hasValidation ? [] : objective.metricNames.map { "\(part)_\($0)" }
    }
    guard !names.contains(monitor.name) else { return }
    throw TrainingError(
      advising: """
        fit: expected \(setting: .monitor) to be one of \(names.joined(separator: ", ")), got \
        \(monitor.name); choose one of them
        """)
  }

  private func check(_ schedule: (any LearningRateSchedule)?, _ data: some DataModule) throws {
    let steps = totalSteps(data)
    guard let schedule, schedule.totalSteps < steps else { return }
    throw TrainingError(
      advising: """
        fit: expected a schedule of at least \(steps) steps, \(maxEpochs) epochs of \
        \(try training(data).count) batches, got \(schedule.totalSteps); raise \(setting: .totalSteps)
        """)
  }

  // MARK: Batches

  /// The batches that ``fit(_:_:optimizer:schedule:objective:)`` trains on.
  func training(_ data: some DataModule) throws(TrainingError) -> Batches {
    if let batches = try overfitting(data, "fit") { return batches }
    let batches = data.trainBatches()
    return try limited(
      mixup.map { batches.mixing(by: Mixup(alpha: $0)) } ?? batches, limitTrainBatches,
      .limitTrainBatches, "fit", "training")
  }

  /// No batches if there are no images for validation, or if none are asked for.
  private func validation(_ data: some DataModule) throws(TrainingError) -> Batches {
    if let batches = try overfitting(data, "fit") { return batches }
    let batches = data.valBatches()
    if batches.count == 0 || limitValBatches.isZero { return batches.prefix(0) }
    return try limited(batches, limitValBatches, .limitValBatches, "fit", "validation")
  }

  private func testing(_ data: some DataModule) throws(TrainingError) -> Batches {
    if let batches = try overfitting(data, "test") { return batches }
    return try limited(data.testBatches(), limitTestBatches, .limitTestBatches, "test", "test")
  }

  /// Throws what ``fit(_:_:optimizer:schedule:objective:)`` and ``test(_:_:objective:)`` would throw
  /// because a limit leaves no batch: before training, not after it.
  package func check(_ data: some DataModule) throws(TrainingError) {
    _ = try (training(data), validation(data), testing(data))
  }

  /// The first training batches, not shuffled, if the model is to memorise them.
  private func overfitting(
    _ data: some DataModule, _ operation: String
  ) throws(TrainingError) -> Batches? {
    guard let overfitBatches else { return nil }
    let batches = Batches(data.train, batchSize: data.batchSize, workers: data.workers)
    return try limited(batches, overfitBatches, .overfitBatches, operation, "training")
  }

  /// The first batches.
  ///
  /// - Throws: ``TrainingError`` if there are none.
  private func limited(
    _ batches: Batches, _ limit: BatchLimit, _ setting: TrainingError.Setting,
    _ operation: String, _ part: String
  ) throws(TrainingError) -> Batches {
    let count = limit.batches(of: batches.count)
    if count > 0 { return batches.prefix(count) }
    guard batches.count > 0 else {
      throw TrainingError("\(operation): expected at least one \(part) image, got none")
    }
    let got = limit.isZero ? "none" : "\(limit) of \(batches.count), which is none"
    let advice = setting == .limitValBatches ? ", or use 0 for no validation" : ""
    throw TrainingError(
      advising: """
        \(operation): expected at least one \(part) batch, got \(got); \
        raise \(setting: setting)\(advice)
        """)
  }
}
