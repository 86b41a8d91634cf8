import Digests
import Foundation
import LabData
import LabNetworks
import LabProcesses
import LabRandom
import LabTensors

/// The data of a training.
struct TrainingData {
  let train, val: Batches
  let batchSize: Int
  /// The shape of a batch of images.
  let inputShape: [Int]
  /// The files that the data were read from.
  let sources: [String: String]
  let isSynthetic: Bool
  /// Texts about the data for the headers of checkpoints.
  let metadata: [String: String]
}

/// A training, from its first step or its saved state to its end: ``Trainer/fit(_:_:optimizer:schedule:)``.
struct TrainingLoop<Model: Layer, Goal: Objective> {
  let trainer: Trainer
  let model: Model
  let data: TrainingData
  let optimizer: any Optimizer
  let schedule: (any LearningRateSchedule)?
  let objective: Goal
  /// Computes batches by parts, perhaps with other processes; nil to compute them as a whole.
  let parallel: DataParallel?
  let observers: Observers
  /// The file for the progress, if there is no run.
  let progressFile: URL?
  var state: TrainingState
  /// After how many batches of an epoch the model is validated.
  let validationSteps: Int
  /// The norms of gradients, if they are logged.
  var norms: GradientNorms?
  /// Checkpoints of weights that are no longer the best ones, which the saved state may still name.
  var superseded: [URL] = []
  /// The averaged weights, if the trainer averages them.
  var average: WeightAverage?
  /// The steps whose losses were not read yet.
  var unread = UnreadScores<TrainingStep>()
  /// When the state was last saved, or training began.
  var lastSave = ContinuousClock.now
  /// The steps that had been made when this process began.
  var firstStep: Int?
  /// What this process had sent then.
  var trafficBefore = Traffic()
  /// The random generators before the step that is being computed with other processes.
  var beforeStep: GeneratorStates?

  init(
    trainer: Trainer, model: Model, data: TrainingData, optimizer: any Optimizer,
    schedule: (any LearningRateSchedule)?, objective: Goal
  ) throws {
    (self.trainer, self.model, self.data) = (trainer, model, data)
    (self.optimizer, self.schedule, self.objective) = (optimizer, schedule, objective)
    parallel = try trainer.parallel(model)
    observers = trainer.allObservers
    progressFile = trainer.nextProgressFile()
    validationSteps = try trainer.validationSteps(of: data.train.count)
    norms = trainer.gradientNorm.map { GradientNorms($0, of: model) }
    state = TrainingState(trainer, data, schedule: schedule)
    state.microShards = parallel?.microShards
    if trainer.averaging?.isMoving == true { average = WeightAverage(model) }
  }

  /// The shape of a batch of images.
  var inputShape: [Int] { data.inputShape }

  /// Whether this process writes files.
  var writes: Bool { parallel.map { $0.processes.rank == 0 } ?? true }

  mutating func run() throws -> [Epoch] {
    try begin()
    try checkValidation()
    var isStoppedEarly = false
    // An epoch that has begun is ended.
    while state.epoch < trainer.maxEpochs, state.step > 0 || (!isWaitOver && limit == nil) {
      try savingStateIfOthersFail { try $0.train() }
      // The loss of a step is that of the weights before it.
      try checkWeights()
      let val = try trainer.timed(.validation) {
        try savingStateIfOthersFail { try $0.validate() }
      }
      let epoch = endedEpoch(val)
      try withAverage { loop in
        loop.trainer.timed(.logging) {
          loop.observers.notify { try $0.epochEnded(epoch) }
          loop.log(epoch)
        }
        _ = try loop.trainer.timed(.saving) { try loop.saveWeights(as: Checkpoint.lastName) }
        try loop.note(val.flatMap { try loop.monitored("val", $0) })
        try loop.note(try loop.monitored("train", epoch.result.train))
      }
      averageEpoch()
      state.finishEpoch(val: val)
      try saveState()
      removeSuperseded()
      withAverage { loop in
        loop.trainer.timed(.logging) { loop.observers.notify { try $0.epochSaved(epoch) } }
      }
      isStoppedEarly = isWaitOver
    }
    try finishAverage()
    try reportTraffic()
    let end = TrainingEnd(
      patience: isStoppedEarly ? state.earlyStopping.patience : nil,
      limit: isStoppedEarly || state.epoch >= trainer.maxEpochs ? nil : limit,
      averagedEpochs: state.averaging?.isMoving == false ? state.stochastic?.count ?? 0 : nil,
      history: state.history)
    observers.notify { try $0.trainingEnded(end) }
    return state.history
  }

  /// The result of `body` while the model has the averaged weights, if there are any. The state must not
  /// be saved then.
  mutating func withAverage<Result>(
    _ body: (inout Self) throws -> Result
  ) rethrows -> Result {
    guard let average, state.averaging?.isMoving == true else { return try body(&self) }
    return try average.applied { try body(&self) }
  }

  /// Whether so much was trained that it may end early.
  private var mayEnd: Bool {
    state.epoch >= trainer.minEpochs && state.optimizerSteps >= trainer.minSteps
  }

  /// Whether the monitored metric has not become better for too long.
  private var isWaitOver: Bool { state.earlyStopping.isOver && mayEnd }

  /// Whether a validation inside the epoch ends it, and training with it.
  private var isStoppedHere: Bool {
    state.validatedStep != nil && state.earlyStopping.isOver && state.epoch + 1 >= trainer.minEpochs
      && state.optimizerSteps >= trainer.minSteps
  }

  /// What ends training now; nil if it goes on.
  private var limit: String? {
    if let most = trainer.maxSteps, state.optimizerSteps >= most { return "\(most) steps" }
    guard let most = trainer.maxTime, mayEnd else { return nil }
    let seconds = state.history.reduce(state.seconds) { $0 + $1.seconds }
    return seconds >= most / .seconds(1) ? "\(most / .seconds(1)) s" : nil
  }

  /// Computes some validation batches before the first step.
  private mutating func checkValidation() throws {
    let count = trainer.sanityValBatches < 0 ? data.val.count : trainer.sanityValBatches
    guard count > 0, data.val.count > 0, state.totalSteps == 0 else { return }
    let states = GeneratorStates(model)
    defer { states.restore(model) }
    do {
      _ = try trainer.evaluate(
        model, data.val.prefix(count), objective, parallel, title: "Checking validation",
        check: { try checkFinite($0, "validation loss", epoch: 0, step: $1) })
    } catch let interruption as TrainingInterruption {
      // So that there is something to resume, as the message says.
      try saveState()
      throw interruption
    }
  }

  /// The rest of an epoch's steps, or those until a limit.
  private mutating func train() throws {
    let progress = trainer.progressBar(
      "Epoch \(state.epoch)", total: data.train.count, from: state.step)
    defer { progress?.finish() }
    observers.epochBegins()
    let device = model.device
    var batches = state.iterator(of: batches(data.train))
    var clock = ContinuousClock.now
    var accumulation = GradientAccumulation(state.accumulation ?? 1)
    var (isInterrupted, isSaveDue) = (false, false)
    beginStochasticAverage()
    // Of a run that was stopped before it.
    if isValidationDue { try trainer.timed(.validation) { try validateInside() } }
    // A limit takes effect between steps of the optimizer; so do interruptions, since gradients are not
    // saved.
    while !state.beginsUpdate || (limit == nil && !isStoppedHere),
      let batch = trainer.timed(.dataLoading, { batches.next() })
    {
      setLearningRate()
      optimizer.clearGradients()
      if parallel != nil { beforeStep = GeneratorStates(model) }
      let score = try gradients(of: batch)
      beforeStep = nil
      if state.accumulation != nil { accumulation.add(optimizer.parameters) }
      let endsUpdate = state.endsUpdate
      if endsUpdate {
        if state.accumulation != nil { accumulation.finish(optimizer.parameters) }
        if writes, (state.totalSteps + 1).isMultiple(of: trainer.logEverySteps) {
          try norms?.add(step: state.totalSteps + 1)
        }
        try trainer.timed(.optimizerStep) {
          try trainer.gradientClipping?.limit(optimizer.parameters)
          optimizer.step()
          average?.follow(state.averaging, steps: state.optimizerSteps + 1)
        }
        state.noteUpdate()
      }
      try device.check()
      state.step += 1

      let step = TrainingStep(
        epoch: state.epoch, step: state.step, totalSteps: state.totalSteps,
        learningRate: optimizer.learningRate, loss: score.loss.detached)
      try unread.append(score, of: step)
      trainer.timed(.logging) { observers.notify { try $0.stepEnded(step) } }
      if unread.isFull || state.step == data.train.count { try readLosses() }
      try progress?.update(state.step, loss: readLosses())
      state.seconds += clock.duration(to: .now) / .seconds(1)
      clock = .now

      isInterrupted = (parallel?.hasBeenInterrupted ?? trainer.isInterrupted()) || isInterrupted
      isSaveDue = isSaveDue || isCheckpointDue
      if endsUpdate {
        if isInterrupted || isSaveDue { try saveState() }
        isSaveDue = false
        if isInterrupted {
          throw TrainingInterruption(
            description: "stopped in epoch \(state.epoch) after step \(state.step)")
        }
      }
      if isValidationDue {
        try trainer.timed(.validation) { try validateInside() }
        clock = .now
      }
    }
    try readLosses()
  }

  /// Computes the gradients by all parameters.
  private func gradients(of batch: Batch) throws -> BatchScore {
    if let parallel {
      return try trainer.timed(.gradients) {
        try parallel.pass(model, objective, batch, of: data.train.size(ofBatch: state.step))
      }
    }
    let tape = Tape()
    let score = try trainer.timed(.forward) {
      try objective.score(model(tape.input(batch.x)), batch)
    }
    try trainer.timed(.backward) { try tape.backward(score.loss) }
    return score
  }

  /// The batches, or this process's part of each, on the model's device.
  func batches(_ batches: Batches) -> Batches {
    let batches = batches.on(model.device)
    guard let parallel else { return batches }
    return batches.sharing(parallel.sharing)
  }

  /// Whether the state is to be saved after this step.
  private var isCheckpointDue: Bool {
    if let steps = trainer.checkpointEverySteps { return state.totalSteps.isMultiple(of: steps) }
    let (steps, interval) = trainer.automaticCheckpoints
    return state.totalSteps.isMultiple(of: steps) && lastSave.duration(to: .now) >= interval
  }

  /// Reads the losses and metrics of the last steps, and logs them.
  ///
  /// - Returns: The mean loss of the epoch so far.
  /// - Throws: ``TrainingError`` if a loss is not finite.
  @discardableResult
  mutating func readLosses() throws -> Double {
    let (observers, trainer, interval) = (observers, trainer, trainer.logEverySteps)
    let profiler = unread.isEmpty ? nil : trainer.profiler
    profiler?.begin(.readingLosses)
    defer { profiler?.end() }
    let norms = norms?.read() ?? [:]
    try unread.read(into: &state.metrics) { loss, step in
      try checkFinite(loss, "loss", epoch: step.epoch, step: step.step - 1)
      guard step.totalSteps.isMultiple(of: interval) else { return }
      let entry = LogEntry(
        epoch: step.epoch, step: step.totalSteps,
        values: [(.learningRate, step.learningRate), (.stepLoss, Double(loss))]
          + (norms[step.totalSteps] ?? []))
      trainer.timed(.logging) { observers.notify { try $0.log(entry) } }
    }
    // Reading has waited for the device. A metric that it could not compute is NaN.
    try model.device.check()
    return state.metrics.loss
  }

  /// Throws if a weight or a running statistic is not finite.
  func checkWeights() throws {
    guard let (name, number) = model.firstNonFinite else { return }
    let value = number.isNaN ? "nan" : "\(number)"
    throw TrainingError(
      advising: """
        fit: expected finite weights, got \(value) in \(name) at epoch \(state.epoch), step \
        \(state.step); a smaller \(setting: .learningRate) usually helps
        """)
  }

  /// Whether this epoch has validations.
  private var isValidated: Bool {
    data.val.count > 0 && (state.epoch + 1).isMultiple(of: trainer.validateEveryEpochs)
  }

  /// Whether the model has to be validated now, inside the epoch.
  private var isValidationDue: Bool {
    isValidated && (1..<state.stepsPerEpoch).contains(state.step)
      && state.step.isMultiple(of: validationSteps) && state.validatedStep != state.step
  }

  /// Validates inside the epoch.
  private mutating func validateInside() throws {
    // Their rows come first, and errors of training.
    try readLosses()
    try checkWeights()
    let metrics = try computeValidation()
    let validation = Epoch.Validation(totalSteps: state.totalSteps, metrics: metrics)
    state.validatedStep = state.step
    state.validations = (state.validations ?? []) + [validation]
    let epoch = state.epoch
    try withAverage { loop in
      loop.report(validation, inEpoch: epoch)
      try loop.note(try loop.monitored("val", metrics))
    }
    guard state.beginsUpdate else { return }
    try saveState()
    removeSuperseded()
  }

  /// Tells observers of a validation inside an epoch.
  func report(_ validation: Epoch.Validation, inEpoch epoch: Int) {
    let ended = TrainingValidation(
      epoch: epoch, totalSteps: validation.totalSteps, metrics: validation.metrics,
      isSynthetic: data.isSynthetic)
    observers.notify { try $0.validationEnded(ended) }
    let entry = LogEntry(
      epoch: epoch, step: validation.totalSteps, values: validation.metrics.scalars(of: "val"))
    observers.notify { try $0.log(entry) }
  }

  /// The metrics of the validation batches at the end of the epoch; nil if it is not validated there.
  private mutating func validate() throws -> Metrics? {
    guard isValidated, state.validatedStep != state.step,
      state.step < state.stepsPerEpoch || state.step.isMultiple(of: validationSteps)
    else { return nil }
    return try computeValidation()
  }

  private mutating func computeValidation() throws -> Metrics {
    let epoch = state.epoch
    // Between two steps of the optimizer there are gradients, which are not saved.
    let mayStop = state.beginsUpdate || state.step == state.stepsPerEpoch
    do {
      return try withAverage { loop in
        try loop.trainer.evaluate(
          loop.model, loop.data.val, loop.objective, loop.parallel, title: "Validating",
          mayStop: mayStop,
          check: { loss, batch in
            try checkFinite(loss, "validation loss", epoch: epoch, step: batch)
          })
      }
    } catch let interruption as TrainingInterruption {
      try saveState()
      throw interruption
    }
  }

  private func endedEpoch(_ val: Metrics?) -> TrainingEpoch {
    let result = Epoch(
      train: state.metrics, val: val, seconds: state.seconds, validations: state.validations ?? [])
    return TrainingEpoch(
      index: state.epoch, totalSteps: state.totalSteps, result: result,
      isSynthetic: data.isSynthetic)
  }

  /// Says on standard error how much was sent, and how long this process has waited.
  private func reportTraffic() throws {
    guard let parallel, parallel.processes.size > 1, writes, !trainer.isQuiet else { return }
    let (before, now) = (trafficBefore, parallel.processes.traffic)
    let steps = max(1, state.totalSteps - (firstStep ?? 0))
    StandardError.writeLine(
      String(
        format: "%d processes: %.0f bytes sent a step by rank 0, which waited %.2f s in all",
        parallel.processes.size, Double(now.bytesSent - before.bytesSent) / Double(steps),
        (now.waited - before.waited) / .seconds(1)))
  }

  /// The monitored metric, if it is one of this part; nil if it is another one's.
  private func monitored(_ part: String, _ metrics: Metrics) throws -> Double? {
    let name = trainer.monitor.name
    guard name.hasPrefix("\(part)_") else { return nil }
    if let value = metrics[String(name.dropFirst(part.count + 1))] { return value }
    let names = metrics.scalars(of: part).map(\.scalar.name)
    throw TrainingError(
      advising: """
        fit: expected \(setting: .monitor) to be one of \(names.joined(separator: ", ")), got \(name), \
        which is not measured there; choose one of them
        """)
  }

  func log(_ epoch: TrainingEpoch) {
    let values =
      epoch.result.train.scalars(of: "train") + (epoch.result.val?.scalars(of: "val") ?? [])
    let entry = LogEntry(epoch: epoch.index, step: epoch.totalSteps, values: values)
    observers.notify { try $0.log(entry) }
    trainer.lastStep = (epoch.index, epoch.totalSteps)
  }
}

/// Throws if a loss is infinite or NaN.
private func checkFinite(_ loss: Float, _ name: String, epoch: Int, step: Int) throws {
  guard !loss.isFinite else { return }
  // The sign of NaN says nothing.
  let got = loss.isNaN ? "nan" : "\(loss)"
  throw TrainingError(
    advising: """
      fit: expected a finite \(name), got \(got) at epoch \(epoch), step \(step); \
      a smaller \(setting: .learningRate) usually helps
      """)
}
