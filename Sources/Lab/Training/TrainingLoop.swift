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
  /// The files that the data were read from.
  let sources: [String: String]
  let isSynthetic: Bool
  /// Texts about the data for the headers of checkpoints.
  let metadata: [String: String]
}

/// A training, from its first step or its saved state to its end: ``Trainer/fit(_:_:optimizer:schedule:)``.
struct TrainingLoop<Model: Layer, Goal: Objective> {
  private let trainer: Trainer
  private let model: Model
  private let data: TrainingData
  private let optimizer: any Optimizer
  private let schedule: (any LearningRateSchedule)?
  private let objective: Goal
  /// Computes batches by parts, perhaps with other processes; nil to compute them as a whole.
  private let parallel: DataParallel?
  private let observers: Observers
  /// The file for the progress, if there is no run.
  private let progressFile: URL?
  private var state: TrainingState
  /// After how many batches of an epoch the model is validated.
  private let validationSteps: Int
  /// The norms of gradients, if they are logged.
  private var norms: GradientNorms?
  /// Checkpoints of weights that are no longer the best ones, which the saved state may still name.
  private var superseded: [URL] = []
  /// The averaged weights, if the trainer averages them.
  private var average: WeightAverage?
  /// The steps whose losses were not read yet.
  private var unread = UnreadScores<TrainingStep>()
  /// When the state was last saved, or training began.
  private var lastSave = ContinuousClock.now
  /// The steps that had been made when this process began.
  private var firstStep: Int?
  /// What this process had sent then.
  private var trafficBefore = Traffic()
  /// The random generators before the step that is being computed with other processes.
  private var beforeStep: GeneratorStates?

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

  /// Whether this process writes files.
  private var writes: Bool { parallel.map { $0.processes.rank == 0 } ?? true }

  mutating func run() throws -> [Epoch] {
    try begin()
    try checkValidation()
    var isStoppedEarly = false
    // An epoch that has begun is ended.
    while state.epoch < trainer.maxEpochs, state.step > 0 || (!isWaitOver && limit == nil) {
      try savingStateIfOthersFail { try $0.train() }
      // The loss of a step is that of the weights before it.
      try checkWeights()
      let val = try savingStateIfOthersFail { try $0.validate() }
      let epoch = endedEpoch(val)
      try withAverage { loop in
        loop.observers.notify { try $0.epochEnded(epoch) }
        loop.log(epoch)
        try loop.saveWeights(as: Checkpoint.lastName)
        try loop.note(val.flatMap { try loop.monitored("val", $0) })
        try loop.note(try loop.monitored("train", epoch.result.train))
      }
      averageEpoch()
      state.finishEpoch(val: val)
      try saveState()
      removeSuperseded()
      withAverage { loop in loop.observers.notify { try $0.epochSaved(epoch) } }
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
  private mutating func withAverage<Result>(
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
    if isValidationDue { try validateInside() }
    // A limit takes effect between steps of the optimizer; so do interruptions, since gradients are not
    // saved.
    while !state.beginsUpdate || (limit == nil && !isStoppedHere), let batch = batches.next() {
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
        try trainer.gradientClipping?.limit(optimizer.parameters)
        optimizer.step()
        average?.follow(state.averaging, steps: state.optimizerSteps + 1)
        state.noteUpdate()
      }
      try device.check()
      state.step += 1

      let step = TrainingStep(
        epoch: state.epoch, step: state.step, totalSteps: state.totalSteps,
        learningRate: optimizer.learningRate, loss: score.loss.detached)
      try unread.append(score, of: step)
      observers.notify { try $0.stepEnded(step) }
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
        try validateInside()
        clock = .now
      }
    }
    try readLosses()
  }

  /// Computes the gradients by all parameters.
  private func gradients(of batch: Batch) throws -> BatchScore {
    if let parallel {
      return try parallel.pass(
        model, objective, batch, of: data.train.size(ofBatch: state.step))
    }
    let tape = Tape()
    let output = try model(tape.input(batch.x))
    let score = try objective.score(output, batch)
    try tape.backward(score.loss)
    return score
  }

  /// The batches, or this process's part of each, on the model's device.
  private func batches(_ batches: Batches) -> Batches {
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
  private mutating func readLosses() throws -> Double {
    let (observers, interval) = (observers, trainer.logEverySteps)
    let norms = norms?.read() ?? [:]
    try unread.read(into: &state.metrics) { loss, step in
      try checkFinite(loss, "loss", epoch: step.epoch, step: step.step - 1)
      guard step.totalSteps.isMultiple(of: interval) else { return }
      let entry = LogEntry(
        epoch: step.epoch, step: step.totalSteps,
        values: [(.learningRate, step.learningRate), (.stepLoss, Double(loss))]
          + (norms[step.totalSteps] ?? []))
      observers.notify { try $0.log(entry) }
    }
    // Reading has waited for the device. A metric that it could not compute is NaN.
    try model.device.check()
    return state.metrics.loss
  }

  /// Throws if a weight or a running statistic is not finite.
  private func checkWeights() throws {
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
  private func report(_ validation: Epoch.Validation, inEpoch epoch: Int) {
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

  fileprivate func log(_ epoch: TrainingEpoch) {
    let values =
      epoch.result.train.scalars(of: "train") + (epoch.result.val?.scalars(of: "val") ?? [])
    let entry = LogEntry(epoch: epoch.index, step: epoch.totalSteps, values: values)
    observers.notify { try $0.log(entry) }
    trainer.lastStep = (epoch.index, epoch.totalSteps)
  }
}

// MARK: Averaging the weights of epochs

extension TrainingLoop {
  /// Begins stochastic weight averaging if it is time to.
  private mutating func beginStochasticAverage() {
    guard let first = state.firstAveragedEpoch, state.epoch >= first, state.stochastic == nil
    else { return }
    schedule?.prepare(optimizer, for: state.optimizerSteps)
    state.stochastic = StochasticAverage(
      steps: state.optimizerSteps, learningRate: optimizer.learningRate)
  }

  /// Sets the learning rate, and perhaps the momentum, for the next step.
  private func setLearningRate() {
    guard let stochastic = state.stochastic, let first = state.firstAveragedEpoch else {
      schedule?.prepare(optimizer, for: state.optimizerSteps)
      return
    }
    // The schedule stays where it was; so does the momentum.
    schedule?.prepare(optimizer, for: stochastic.steps)
    optimizer.learningRate =
      state.averaging?.learningRate(inEpoch: state.epoch - first, from: stochastic.learningRate)
      ?? stochastic.learningRate
  }

  /// Adds the weights at the end of an epoch to the mean.
  private mutating func averageEpoch() {
    guard var stochastic = state.stochastic else { return }
    stochastic.count += 1
    stochastic.isFinished = false
    state.stochastic = stochastic
    if average == nil {
      average = WeightAverage(model)
    } else {
      average?.move(by: 1 / Double(stochastic.count))
    }
  }

  /// Gives the averaged weights to the model at the end of the training, with statistics of batch
  /// normalization that belong to them.
  private mutating func finishAverage() throws {
    let own = WeightAverage(model)
    average?.load()
    guard average != nil, let stochastic = state.stochastic, !stochastic.isFinished else { return }
    try computeStatistics()
    average = WeightAverage(model)
    try saveWeights(as: Checkpoint.lastName, epoch: state.epoch - 1)
    state.stochastic?.isFinished = true
    own.load()
    try saveState()
    average?.load()
  }

  /// Computes the running statistics of batch normalization anew: their mean over the training batches.
  ///
  /// - Throws: ``TrainingInterruption`` if the trainer is interrupted; it is done again when the run is
  ///   resumed.
  private func computeStatistics() throws {
    let all = model.namedStatistics.map(\.statistics)
    guard !all.isEmpty else { return }
    let generators = GeneratorStates(model)
    for statistics in all {
      statistics.reset()
      statistics.isMean = true
    }
    let progress = trainer.progressBar("Statistics", total: data.train.count)
    defer {
      for statistics in all { statistics.isMean = false }
      optimizer.clearGradients()
      generators.restore(model)
      progress?.finish()
    }
    for (index, batch) in batches(data.train).enumerated() {
      if let parallel {
        optimizer.clearGradients()
        _ = try parallel.pass(model, objective, batch, of: data.train.size(ofBatch: index))
      } else {
        try model(Tape().input(batch.x)).materialize()
      }
      try model.device.check()
      if parallel?.hasBeenInterrupted ?? trainer.isInterrupted() {
        throw TrainingInterruption(
          description: "stopped while computing statistics of batch normalization")
      }
      progress?.update(index + 1, loss: .nan)
    }
  }
}

// MARK: Saving and resuming

extension TrainingLoop {
  /// Begins the run's logs, or loads its saved state if there is one.
  private mutating func begin() throws {
    trainer.bestCheckpoint = nil
    let saved = try savedState()
    if let saved {
      state = try TrainingState(
        saved.file, at: saved.url, into: model, optimizer, &average, like: state)
    }
    let isResumed = saved != nil
    if let run = trainer.run, writes {
      if isResumed {
        let messages = try run.restoreLogs(
          to: state.logSizes, trainer.hyperparameters, metrics: objective.metricNames,
          norms: norms?.scalars ?? [])
        for message in messages { trainer.warn("Warning: \(message)") }
        trainer.bestCheckpoint = state.bestCheckpoint.map { run.folder.appending(path: $0) }
        trainer.lastStep = (max(0, state.epoch - 1), state.totalSteps)
      } else {
        try run.begin(
          trainer.hyperparameters, metrics: objective.metricNames, norms: norms?.scalars ?? [])
      }
      try removeCheckpoints(of: run)
    }
    try parallel?.checkThatAllBegin(with: model, optimizer, state)
    firstStep = state.totalSteps
    if let parallel { trafficBefore = parallel.processes.traffic }
    let isRepeated = isResumed && trainer.run == nil
    let start = TrainingStart(
      model: model, metricNames: objective.metricNames, stepsPerEpoch: state.stepsPerEpoch,
      epoch: state.epoch, step: state.step, isResumed: isResumed)
    observers.notify { try $0.trainingBegan(start) }
    if isRepeated { repeatEpochs() }
    // The program may have been killed after it saved an epoch and before observers had seen that.
    if isResumed, !isRepeated, state.step == 0, let last = state.history.last {
      let epoch = TrainingEpoch(
        index: state.epoch - 1, totalSteps: state.totalSteps, result: last,
        isSynthetic: data.isSynthetic)
      withAverage { loop in loop.observers.notify { try $0.epochSaved(epoch) } }
    }
  }

  /// The saved state of the run or of the progress file, if there is one: that of process 0.
  private func savedState() throws -> (url: URL, file: Safetensors)? {
    guard let processes = parallel?.processes, processes.size > 1 else {
      return try savedStateFile().map { ($0, try Safetensors(contentsOf: $0)) }
    }
    let url = try processes.rank == 0 ? savedStateFile() : nil
    let bytes = try processes.broadcast(url.map { [UInt8](try Data(contentsOf: $0)) } ?? [])
    guard !bytes.isEmpty else { return nil }
    let source = url ?? URL(filePath: "the state of \(processes.name(of: 0))")
    return (
      source, try Safetensors(Data(bytes), named: source.path(percentEncoded: false))
    )
  }

  private func savedStateFile() throws -> URL? {
    if let run = trainer.run {
      let path = run.state.path(percentEncoded: false)
      return FileManager.default.fileExists(atPath: path) ? run.state : nil
    }
    guard let file = progressFile else { return nil }
    return try progress(in: file) ? file : nil
  }

  /// The result of `body`. If another process fails, saves the state of the last step before the error
  /// goes on.
  private mutating func savingStateIfOthersFail<Result>(
    _ body: (inout Self) throws -> Result
  ) throws -> Result {
    do {
      return try body(&self)
    } catch let failure as PeerFailure {
      if writes, trainer.run != nil || progressFile != nil {
        if let beforeStep {
          beforeStep.restore(model)
          // A resumed epoch draws its order again if it had no step.
          if state.step == 0 { Generator.shared.state = state.epochStart }
        }
        try saveState()
      }
      throw failure
    }
  }

  /// Whether a file has progress to go on from.
  private func progress(in file: URL) throws -> Bool {
    guard let status = try FileStatus.of(file) else { return false }
    let path = file.path(percentEncoded: false)
    guard status.kind == .file,
      let digest = try? String(contentsOf: file.appendingPathExtension("sha256"), encoding: .utf8),
      try SHA256.hexadecimal(of: file) == digest
    else {
      trainer.warn("Warning: \(path) is damaged; training starts from the beginning")
      return false
    }
    return true
  }

  /// Tells observers of the epochs that ended before the training was interrupted.
  private mutating func repeatEpochs() {
    for (index, result) in state.history.enumerated() {
      let epoch = TrainingEpoch(
        index: index, totalSteps: state.end(ofEpoch: index), result: result,
        isSynthetic: data.isSynthetic)
      withAverage { loop in
        for validation in result.validations { loop.report(validation, inEpoch: index) }
        loop.observers.notify { try $0.epochEnded(epoch) }
        loop.log(epoch)
        loop.observers.notify { try $0.epochSaved(epoch) }
      }
    }
    for validation in state.validations ?? [] { report(validation, inEpoch: state.epoch) }
  }

  /// Saves the model's weights.
  ///
  /// - Returns: The file; nil if none is to be written.
  @discardableResult
  private func saveWeights(as name: String, epoch: Int? = nil) throws -> URL? {
    guard writes, let folder = trainer.checkpointFolder else { return nil }
    let metadata = trainer.checkpointMetadata
      .merging(data.metadata) { $1 }
      .merging(["model_class": "\(type(of: model))", "epoch": "\(epoch ?? state.epoch)"]) { $1 }
    let url = folder.appending(path: name)
    try Checkpoint.save(model, to: url, metadata: metadata)
    return url
  }

  /// Notes a value of the monitored metric, if there is one. If it is the best one, saves the weights
  /// under their own name, beside those that were the best ones before.
  private mutating func note(_ value: Double?) throws {
    guard let value else { return }
    let isBest = state.earlyStopping.isBetter(value)
    state.earlyStopping.note(value)
    guard isBest else { return }
    let name =
      String(format: "epoch=%03d-", state.epoch) + trainer.monitor.name
      + String(format: "=%.3f.safetensors", value)
    guard let url = try saveWeights(as: name) else { return }
    if let old = trainer.bestCheckpoint { superseded.append(old) }
    trainer.bestCheckpoint = url
    state.bestCheckpoint = name
  }

  /// Removes checkpoints that the saved state no longer names.
  private mutating func removeSuperseded() {
    for url in superseded where url != trainer.bestCheckpoint {
      try? FileManager.default.removeItem(at: url)
    }
    superseded = []
  }

  /// Removes what the best epoch's file may have left behind when the program was killed: the one
  /// before it, which the saved state no longer names, or one that it does not name yet.
  private func removeCheckpoints(of run: TrainingRun) throws {
    try withFile(run.folder, "tidy up") {
      let path = run.folder.path(percentEncoded: false)
      for name in try FileManager.default.contentsOfDirectory(atPath: path)
      where name != state.bestCheckpoint
        && name.wholeMatch(of: Checkpoint.bestName) != nil
      {
        try FileManager.default.removeItem(at: run.folder.appending(path: name))
      }
    }
  }

  /// Saves the state, so that the run can be resumed from here. A loss that is not finite is noticed
  /// before that.
  private mutating func saveState() throws {
    defer { lastSave = .now }
    try readLosses()
    guard writes else { return }
    guard let run = trainer.run else { return try saveProgress() }
    if state.step > 0 { try checkWeights() }
    // The state names sizes that the logs must have had, also after a power failure.
    try run.synchronizeLogs()
    state.logSizes = run.logSizes
    try state.save(model, optimizer, average, to: run.state)
  }

  /// Saves the state in the trainer's file, with a file of its digest beside it.
  private mutating func saveProgress() throws {
    guard let file = progressFile else { return }
    if state.step > 0 { try checkWeights() }
    try state.save(model, optimizer, average, to: file)
    let digest = try SHA256.hexadecimal(of: file)
    try writeWhole(to: file.appendingPathExtension("sha256")) {
      try $0.write(contentsOf: Data(digest.utf8))
    }
  }
}

/// The states of the shared generator and of those of a model's layers.
package struct GeneratorStates {
  private let shared = Generator.shared.state
  private let own: [Generator.State]

  package init(_ model: some Layer) {
    own = model.namedGenerators.map(\.generator.state)
  }

  package func restore(_ model: some Layer) {
    Generator.shared.state = shared
    for (named, state) in zip(model.namedGenerators, own) { named.generator.state = state }
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
