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
    state = TrainingState(
      data, schedule: schedule, accumulation: trainer.accumulateBatches, patience: trainer.patience)
    state.microShards = parallel?.microShards
  }

  /// The shape of a batch of images.
  var inputShape: [Int] { data.inputShape }

  /// Whether this process writes files.
  private var writes: Bool { parallel.map { $0.processes.rank == 0 } ?? true }

  mutating func run() throws -> [Epoch] {
    try begin()
    try checkValidation()
    var isStoppedEarly = false
    // An epoch that has begun is ended.
    while state.epoch < trainer.maxEpochs, !isWaitOver, state.step > 0 || limit == nil {
      try savingStateIfOthersFail { try $0.train() }
      // The loss of a step is that of the weights before it.
      try checkWeights()
      let val = try trainer.timed(.validation) {
        try savingStateIfOthersFail { try $0.validate() }
      }
      let epoch = endedEpoch(val)
      trainer.timed(.logging) {
        observers.notify { try $0.epochEnded(epoch) }
        log(epoch)
      }
      let superseded = try trainer.timed(.saving) { try saveWeights(val) }
      state.finishEpoch(val: val)
      try saveState()
      // Only now: until here the saved state names this file.
      if let superseded { try? FileManager.default.removeItem(at: superseded) }
      trainer.timed(.logging) { observers.notify { try $0.epochSaved(epoch) } }
      isStoppedEarly = isWaitOver
    }
    try reportTraffic()
    let end = TrainingEnd(
      patience: isStoppedEarly ? state.earlyStopping.patience : nil,
      limit: isStoppedEarly || state.epoch >= trainer.maxEpochs ? nil : limit,
      history: state.history)
    observers.notify { try $0.trainingEnded(end) }
    return state.history
  }

  /// Whether so much was trained that it may end early.
  private var mayEnd: Bool {
    state.epoch >= trainer.minEpochs && state.optimizerSteps >= trainer.minSteps
  }

  /// Whether the validation loss has not become smaller for too long.
  private var isWaitOver: Bool { state.earlyStopping.isOver && mayEnd }

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
    // A limit takes effect between steps of the optimizer; so do interruptions, since gradients are not
    // saved.
    while !state.beginsUpdate || limit == nil,
      let batch = trainer.timed(.dataLoading, { batches.next() })
    {
      schedule?.prepare(optimizer, for: state.optimizerSteps)
      optimizer.clearGradients()
      if parallel != nil { beforeStep = GeneratorStates(model) }
      let score = try gradients(of: batch)
      if state.accumulation != nil { accumulation.add(optimizer.parameters) }
      let endsUpdate = state.endsUpdate
      if endsUpdate {
        if state.accumulation != nil { accumulation.finish(optimizer.parameters) }
        try trainer.timed(.optimizerStep) {
          try trainer.gradientClipping?.limit(optimizer.parameters)
          optimizer.step()
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
      guard endsUpdate else { continue }
      if isInterrupted || isSaveDue { try saveState() }
      isSaveDue = false
      if isInterrupted {
        throw TrainingInterruption(
          description: "stopped in epoch \(state.epoch) after step \(state.step)")
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
    let (observers, trainer, interval) = (observers, trainer, trainer.logEverySteps)
    let profiler = unread.isEmpty ? nil : trainer.profiler
    profiler?.begin(.readingLosses)
    defer { profiler?.end() }
    try unread.read(into: &state.metrics) { loss, step in
      try checkFinite(loss, "loss", epoch: step.epoch, step: step.step - 1)
      guard step.totalSteps.isMultiple(of: interval) else { return }
      let entry = LogEntry(
        epoch: step.epoch, step: step.totalSteps,
        values: [(.learningRate, step.learningRate), (.stepLoss, Double(loss))])
      trainer.timed(.logging) { observers.notify { try $0.log(entry) } }
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

  /// The metrics of the validation batches; nil if there are none.
  private mutating func validate() throws -> Metrics? {
    guard data.val.count > 0, (state.epoch + 1).isMultiple(of: trainer.validateEveryEpochs) else {
      return nil
    }
    let epoch = state.epoch
    do {
      return try trainer.evaluate(
        model, data.val, objective, parallel, title: "Validating",
        check: { loss, batch in
          try checkFinite(loss, "validation loss", epoch: epoch, step: batch)
        })
    } catch let interruption as TrainingInterruption {
      try saveState()
      throw interruption
    }
  }

  private func endedEpoch(_ val: Metrics?) -> TrainingEpoch {
    let result = Epoch(train: state.metrics, val: val, seconds: state.seconds)
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

  fileprivate func log(_ epoch: TrainingEpoch) {
    let values =
      epoch.result.train.scalars(of: "train") + (epoch.result.val?.scalars(of: "val") ?? [])
    let entry = LogEntry(epoch: epoch.index, step: epoch.totalSteps, values: values)
    observers.notify { try $0.log(entry) }
    trainer.lastStep = (epoch.index, epoch.totalSteps)
  }
}

// MARK: Saving and resuming

extension TrainingLoop {
  /// Begins the run's logs, or loads its saved state if there is one.
  private mutating func begin() throws {
    trainer.bestCheckpoint = nil
    let saved = try savedState()
    if let saved {
      state = try TrainingState(saved.file, at: saved.url, into: model, optimizer, like: state)
    }
    let isResumed = saved != nil
    if let run = trainer.run, writes {
      if isResumed {
        let messages = try run.restoreLogs(
          to: state.logSizes, trainer.hyperparameters, metrics: objective.metricNames)
        for message in messages { trainer.warn("Warning: \(message)") }
        trainer.bestCheckpoint = state.bestCheckpoint.map { run.folder.appending(path: $0) }
        trainer.lastStep = (max(0, state.epoch - 1), state.totalSteps)
      } else {
        try run.begin(trainer.hyperparameters, metrics: objective.metricNames)
      }
      try removeCheckpoints(of: run)
    }
    try parallel?.checkThatAllBegin(with: model, optimizer, state)
    firstStep = state.totalSteps
    if let parallel { trafficBefore = parallel.processes.traffic }
    let isRepeated = isResumed && trainer.run == nil
    let start = TrainingStart(
      model: model, metricNames: objective.metricNames, inputShape: inputShape,
      stepsPerEpoch: state.stepsPerEpoch, epoch: state.epoch, step: state.step,
      isResumed: isResumed)
    observers.notify { try $0.trainingBegan(start) }
    if isRepeated { repeatEpochs() }
    // The program may have been killed after it saved an epoch and before observers had seen that.
    if isResumed, !isRepeated, state.step == 0, let last = state.history.last {
      let epoch = TrainingEpoch(
        index: state.epoch - 1, totalSteps: state.totalSteps, result: last,
        isSynthetic: data.isSynthetic)
      observers.notify { try $0.epochSaved(epoch) }
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
        beforeStep?.restore(model)
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
  private func repeatEpochs() {
    for (index, result) in state.history.enumerated() {
      let epoch = TrainingEpoch(
        index: index, totalSteps: state.end(ofEpoch: index), result: result,
        isSynthetic: data.isSynthetic)
      observers.notify { try $0.epochEnded(epoch) }
      log(epoch)
      observers.notify { try $0.epochSaved(epoch) }
    }
  }

  /// Saves the weights of the last epoch; if it is the best one, also under its own name, beside those
  /// of the best epoch before.
  ///
  /// - Returns: The file of the epoch that was the best one before, if it no longer is.
  private mutating func saveWeights(_ val: Metrics?) throws -> URL? {
    guard writes, let folder = trainer.checkpointFolder else { return nil }
    let metadata = trainer.checkpointMetadata
      .merging(data.metadata) { $1 }
      .merging(["model_class": "\(type(of: model))", "epoch": "\(state.epoch)"]) { $1 }
    try Checkpoint.save(
      model, to: folder.appending(path: Checkpoint.lastName), metadata: metadata)
    guard let val, val.loss < state.earlyStopping.best else { return nil }
    let name = String(
      format: "epoch=%03d-val_loss=%.3f.safetensors", state.epoch, val.loss)
    let url = folder.appending(path: name)
    try Checkpoint.save(model, to: url, metadata: metadata)
    let old = trainer.bestCheckpoint
    trainer.bestCheckpoint = url
    state.bestCheckpoint = name
    return old == url ? nil : old
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
    trainer.profiler?.begin(.saving)
    defer { trainer.profiler?.end() }
    guard writes else { return }
    guard let run = trainer.run else { return try saveProgress() }
    if state.step > 0 { try checkWeights() }
    // The state names sizes that the logs must have had, also after a power failure.
    try run.synchronizeLogs()
    state.logSizes = run.logSizes
    try state.save(model, optimizer, to: run.state)
  }

  /// Saves the state in the trainer's file, with a file of its digest beside it.
  private mutating func saveProgress() throws {
    guard let file = progressFile else { return }
    if state.step > 0 { try checkWeights() }
    try state.save(model, optimizer, to: file)
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
