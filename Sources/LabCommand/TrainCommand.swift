import ArgumentParser
import Foundation
import Kernels
import Lab
import LabMPI
import LabProcesses
import Literate

/// `lab train`: the course's `training/run_experiment.py`.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model, then test it.",
    discussion: """
      Options are spelled as in the course, with underscores; hyphens are accepted too. Weights and \
      logs are saved in output/logs (or LAB_OUTPUT_DIR), data in data (or LAB_DATA_DIR). Ctrl-C \
      ends training after the current step; --resume continues from there.

        lab train --model_class=CNN --data_class=MNIST --max_epochs=5
        lab train --model_class=CNN --data_class=EMNIST --overfit_batches=2 --max_epochs=50
        lab train --model_class=LineCNN --data_class=EMNISTLines --loss=ctc --max_epochs=10
        lab train --resume=output/logs/CNN-MNIST/version_0
        lab train --model_class=CNN --data_class=EMNIST --devices=4
        mpirun -np 8 --bind-to none --hostfile hosts lab train --model_class=CNN --data_class=EMNIST
      """)

  @OptionGroup var experiment: Experiment

  func run() throws {
    if let folder = experiment.trainer.outputFolder {
      // Also for what draws and looks for runs.
      setenv("LAB_OUTPUT_DIR", folder, 1)
    }
    var command = self
    try command.experiment.resolveAccelerator()
    try command.experiment.processes.launch()
    let arguments = command.withoutAccelerator(
      courseSpelling(Array(CommandLine.arguments.dropFirst(2))), experiment.processes.accelerator)
    try withProcesses {
      try command.experiment.processes.check(Processes.current)
      try command.trainOrResume(arguments)
    }
  }

  /// The arguments with what `--accelerator` stands for instead of it.
  private func withoutAccelerator(
    _ arguments: [String], _ accelerator: ProcessOptions.Accelerator?
  ) -> [String] {
    guard accelerator != nil else { return arguments }
    let gpus = experiment.device.gpus.map { ["--gpus=\($0)"] } ?? []
    return without("--gpus", without("--accelerator", arguments)) + gpus
  }

  private func trainOrResume(_ arguments: [String]) throws {
    guard let name = experiment.options.resume else { return try train(arguments) }
    let (folder, record) = try run(named: name)
    let configuration = try record.configuration(in: folder)
    try checkThatNothingChanges(in: folder, record, configuration)
    for (option, isGiven) in [
      ("--auto_lr_find", experiment.trainer.findsLearningRate),
      ("--auto_scale_batch_size", experiment.trainer.batchSizeSearch != nil),
    ] where isGiven {
      throw TrainingError("\(option): expected a new run, got --resume; leave one of them out")
    }
    let changes = ProcessOptions.withoutLaunch(without("--resume", arguments))
    var now = try Self.parse(record.arguments + changes)
    // A precision is one of a GPU, which the run leaves here.
    if now.experiment.device.gpus == .processor, experiment.device.precision == nil {
      now.experiment.device.precision = nil
    }
    var changed = record
    changed.add(changes, now.experiment.hyperparameters(configuration))
    try now.train([], resuming: (folder, changed, configuration))
  }

  /// The folder and the record of the run to resume, of which only process 0 needs the files.
  private func run(named name: String) throws -> (folder: URL, record: RunRecord) {
    let processes = Processes.current
    var bytes: [UInt8] = []
    if processes.rank == 0 {
      let folder =
        try name == "newest"
        ? TrainingRun.newest() : URL(filePath: name, directoryHint: .isDirectory)
      let record = try RunRecord(contentsOf: TrainingRun.record(in: folder))
      if processes.size == 1 { return (folder, record) }
      bytes = [UInt8](try JSONEncoder().encode(Resumption(folder: folder, record: record)))
    }
    let resumption = try JSONDecoder().decode(
      Resumption.self, from: Data(try processes.broadcast(bytes)))
    return (resumption.folder, resumption.record)
  }

  /// What process 0 tells the others about the run to resume.
  private struct Resumption: Codable {
    let folder: URL
    let record: RunRecord
  }

  /// Refuses options that a resumed run cannot change: the model, its options and initial weights,
  /// and the seed.
  private func checkThatNothingChanges(
    in folder: URL, _ record: RunRecord, _ configuration: ModelConfiguration
  ) throws {
    func check(_ expected: String, _ got: String?) throws {
      guard let got, got != expected else { return }
      throw TrainingError(
        "--resume: expected \(expected) as when \(folder.relativePath) was started, got \(got); "
          + "leave it out, or start another run")
    }
    let options = experiment.options
    try check(
      "--model_class=\(record.modelClass)", options.modelClass.map { "--model_class=\($0)" })
    let asked = try experiment.models.configuration(
      record.modelClass, over: configuration.options)
    if let difference = configuration.difference(from: asked) {
      try check(difference.here, difference.there)
    }
    try check("--seed=\(record.seed)", options.seed.map { "--seed=\($0)" })
    let start = try Self.parse(record.arguments).experiment.options.loadCheckpoint
    try check(
      start.map { "--load_checkpoint=\($0)" } ?? "no --load_checkpoint",
      options.loadCheckpoint.map { "--load_checkpoint=\($0)" })
  }

  /// Trains and tests.
  ///
  /// - Parameters:
  ///   - arguments: The arguments to record.
  ///   - resumed: The folder, the record and the model of the run to resume; nil starts a new run.
  private func train(
    _ arguments: [String],
    resuming resumed: (folder: URL, record: RunRecord, configuration: ModelConfiguration)? = nil
  ) throws {
    var setting = try experiment.setUp(resuming: resumed?.configuration)
    var (found, arguments) = (self, arguments)
    if try found.experiment.chooseBatchSize(setting) {
      // The run is resumed with the size that was found.
      arguments =
        without("--batch_size", without("--auto_scale_batch_size", arguments))
        + ["--batch_size=\(found.experiment.data.batchSize)"]
      setting = try found.experiment.setUp(isAgain: true)
    }
    if let test = try found.experiment.chooseLearningRate(setting) {
      // The run is resumed with the rate that was found.
      let rest = without("--auto_lr_find", arguments)
      try found.train(
        rest + ["--lr=\(found.experiment.training.learningRate)"], setting, resumed, test)
    } else {
      try found.train(arguments, setting, resumed, nil)
    }
  }

  private func train(
    _ arguments: [String], _ setting: Experiment.Setting,
    _ resumed: (folder: URL, record: RunRecord, configuration: ModelConfiguration)?,
    _ test: LearningRateTest?
  ) throws {
    if experiment.training.fastDevRun {
      try experiment.fitAndTest(setting)
      return
    }
    guard Processes.current.rank == 0 else { return try help(setting) }
    let name = "\(setting.configuration.modelClass)-\(setting.data.displayName)"
    // Before a folder is made.
    try withOptionNames { try setting.trainer.check(setting.data) }
    let record = resumed?.record ?? record(arguments, setting)
    let folder = try resumed?.folder ?? OutputFolder.newRun(name, record)
    do {
      if let test {
        do {
          try draw(test, in: folder)
        } catch {
          setting.trainer.warn("Warning: \(error); training continues")
        }
      }
      try train(setting, in: folder, record, isResumed: resumed != nil)
    } catch let error where resumed == nil && TrainingRun.isEmpty(folder) {
      // There is nothing to resume, and nothing to look at.
      try? FileManager.default.removeItem(at: folder)
      throw error
    }
  }

  /// Trains and tests in another process than the first one, which writes all files.
  private func help(_ setting: Experiment.Setting) throws {
    let interruption = Interruption()
    setting.trainer.isInterrupted = { interruption.hasOccurred }
    setting.trainer.warn = { _ in }
    defer { interruption.stop() }
    do {
      try experiment.fitAndTest(setting)
    } catch is TrainingInterruption {
      throw ExitCode(Interruption.exitStatus ?? 130)
    }
  }

  private func train(
    _ setting: Experiment.Setting, in folder: URL, _ record: RunRecord, isResumed: Bool
  ) throws {
    let configuration = setting.configuration
    try TrainingRun.hold(folder) {
      if isResumed { warnOfOthers(record, setting.model.device) }
      let run = try TrainingRun(folder)
      let trainer = setting.trainer
      trainer.run = run
      trainer.checkpointMetadata[Checkpoint.optionsKey] = try configuration.json()
      trainer.checkpointMetadata[CheckpointedModel.lossKey] = experiment.training.loss.rawValue
      trainer.hyperparameters = experiment.hyperparameters(configuration)
      trainer.observers.append(RunRecorder(record, in: folder))
      if experiment.training.logHistograms { trainer.observers.append(HistogramLogger(run)) }
      if experiment.training.logGraph { trainer.observers.append(GraphLogger(run)) }
      trainer.epochEnded = {
        try drawPredictions(of: setting, in: run, step: $0)
      }
      let interruption = Interruption()
      trainer.isInterrupted = { interruption.hasOccurred }
      defer { interruption.stop() }
      do {
        try experiment.fitAndTest(setting)
      } catch let stop as TrainingInterruption {
        fflush(nil)
        StandardError.writeLine(
          "Interrupted: \(stop). To continue: lab train --resume=\(folder.relativePath)")
        throw ExitCode(Interruption.exitStatus ?? 130)
      } catch let failure as PeerFailure where TrainingRun.hasState(folder) {
        fflush(nil)
        throw PeerFailure(
          "\(failure); the state was saved. To continue: lab train --resume=\(folder.relativePath)",
          of: failure.rank)
      } catch let error as GPUError where !TrainingRun.isEmpty(folder) {
        fflush(nil)
        throw TrainingError(
          "\(error). To continue on the processor: lab train --resume=\(folder.relativePath) --gpus=0"
        )
      }
    }
  }

  private func record(_ arguments: [String], _ setting: Experiment.Setting) -> RunRecord {
    var versions = [
      "kernels": KernelSet.current.name, "blas": KernelSet.current.productsName,
      "processor": Processor.name, "threads": "\(Threads.count)",
      "system": ProcessInfo.processInfo.operatingSystemVersionString,
    ]
    if let library = Launch.library {
      versions["processes"] = "\(Processes.current.size) with \(library)"
    }
    versions["swift"] = Bundle.main.executableURL.flatMap(compilerVersion)
    versions["commit"] = Bundle.main.executableURL.flatMap {
      commit(in: $0.deletingLastPathComponent())
    }
    var recorded = ProcessOptions.withoutLaunch(arguments)
    // A process that resumes the run without mpirun computes the same.
    if Launch.library != nil, experiment.processes.microShards == nil {
      recorded.append("--micro_shards=\(Trainer.defaultMicroShards)")
    }
    return RunRecord(
      arguments: recorded, seed: experiment.seed, model: setting.model,
      options: setting.configuration.options, data: setting.data, versions: versions,
      hyperparameters: experiment.hyperparameters(setting.configuration))
  }

  /// Warns if another device or other kernels continue the run: they add in another order, so that
  /// weights differ a little from those of a run without interruption.
  private func warnOfOthers(_ record: RunRecord, _ device: Device) {
    let before = record.devices?.last?.device ?? Device.cpu.description
    guard before == device.recordName else {
      return StandardError.writeLine(
        "Warning: the run was computed on \(before) and continues on \(device.recordName), so that "
          + "results differ a little")
    }
    guard device == .cpu else { return }
    let now = KernelSet.current
    if let kernels = record.versions["kernels"], kernels != now.name {
      StandardError.writeLine(
        "Warning: the run was started with the kernels \(kernels) and continues with \(now.name), so "
          + "that results differ a little; LAB_KERNELS=\(kernels) avoids that")
    }
    // Runs of earlier versions have no such entry.
    let products = record.versions["blas"] ?? "own"
    if products != now.productsName {
      StandardError.writeLine(
        "Warning: the run was started with the matrix products \(products) and continues with "
          + "\(now.productsName), so that results differ a little; LAB_BLAS=\(products) avoids that"
      )
    }
  }
}

/// Records in `run.json` from which step on which device computes, and with which options a run is resumed.
private final class RunRecorder: TrainingObserver {
  private var record: RunRecord
  private let file: URL

  init(_ record: RunRecord, in folder: URL) {
    (self.record, file) = (record, TrainingRun.record(in: folder))
  }

  func trainingBegan(_ training: TrainingStart) throws {
    let step = training.epoch * training.stepsPerEpoch + training.step
    record.note(device: training.model.device.recordName, from: step)
    if try RunRecord(contentsOf: file) != record { try record.write(to: file) }
  }
}

extension RunRecord {
  /// The model's class and options.
  ///
  /// - Throws: ``DataError`` if this program has no such model or options.
  fileprivate func configuration(in folder: URL) throws -> ModelConfiguration {
    do {
      return try ModelConfiguration(modelClass, modelOptions)
    } catch {
      let path = TrainingRun.record(in: folder).path(percentEncoded: false)
      throw TrainingError("\(path): \(error.option): \(error.problem)")
    }
  }
}

/// The arguments without an option that may have a value.
private func without(_ option: String, _ arguments: [String]) -> [String] {
  var rest: [String] = []
  var isValue = false
  for argument in arguments {
    defer { isValue = argument == option }
    if argument == option || argument.hasPrefix("\(option)=") { continue }
    if isValue, !argument.hasPrefix("-") { continue }
    rest.append(argument)
  }
  return rest
}
