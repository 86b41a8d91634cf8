import Digests
import Foundation
import LabData
import LabNetworks
import LabProcesses
import LabRandom
import LabTensors

extension TrainingLoop {
  /// Begins the run's logs, or loads its saved state if there is one.
  mutating func begin() throws {
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
  mutating func savingStateIfOthersFail<Result>(
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
  func saveWeights(as name: String, epoch: Int? = nil) throws -> URL? {
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
  mutating func note(_ value: Double?) throws {
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
  mutating func removeSuperseded() {
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
  mutating func saveState() throws {
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
