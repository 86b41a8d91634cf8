import ArgumentParser
import Foundation
import Kernels
import Lab
import Literate

/// `lab train`: the course's `training/run_experiment.py`.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model, then test it.",
    discussion: """
      Options are spelled as in the course; hyphens in place of underscores are accepted too. \
      Weights and logs go to output/logs (or LAB_OUTPUT_DIR), data are kept in data (or \
      LAB_DATA_DIR). Ctrl-C ends training after the step; --resume goes on from there.

        lab train --model_class=CNN --data_class=MNIST --max_epochs=5
        lab train --model_class=CNN --data_class=EMNIST --overfit_batches=2 --max_epochs=50
        lab train --resume=output/logs/CNN-MNIST/version_0
      """)

  @OptionGroup var experiment: Experiment

  func validate() throws {
    // Only the options that the run was begun with say which others fit.
    guard experiment.options.resume == nil else { return }
    let chosen = experiment.options.modelClass
    let groups: [(ModelClass, any ModelOptions)] = [
      (.CNN, experiment.cnn), (.MLP, experiment.mlp), (.ResNet, experiment.resNet),
    ]
    for (model, options) in groups where model != chosen {
      if let name = givenOption(of: options) {
        throw ValidationError("\(name) belongs to \(model), but --model_class is \(chosen).")
      }
    }
  }

  func run() throws {
    let arguments = courseSpelling(Array(CommandLine.arguments.dropFirst(2)))
    guard let name = experiment.options.resume else { return try train(arguments, in: nil) }
    let folder =
      try name == "newest"
      ? TrainingRun.newest() : URL(filePath: name, directoryHint: .isDirectory)
    let begun = try RunRecord(contentsOf: TrainingRun.record(in: folder)).arguments
    let now = try Self.parse(begun + withoutResume(arguments))
    try now.checkThatItLasts(from: Self.parse(begun), in: folder)
    try now.train([], in: folder)
  }

  /// Refuses what the run that goes on could not heed: another network, other initial weights.
  private func checkThatItLasts(from begun: Self, in folder: URL) throws {
    let pairs = zip(begun.experiment.lastingArguments, experiment.lastingArguments)
    guard let (expected, got) = pairs.first(where: { $0 != $1 }) else { return }
    throw TrainingError(
      "--resume: expected \(expected.isEmpty ? "no --load_checkpoint" : expected) as when "
        + "\(folder.relativePath) was begun, got \(got); leave it out, or begin another run")
  }

  /// Trains and tests.
  ///
  /// - Parameters:
  ///   - arguments: The options as given, to be recorded.
  ///   - folder: The run to go on with; nil begins one.
  private func train(_ arguments: [String], in folder: URL?) throws {
    let isResumed = folder != nil
    let setting = try experiment.setUp(isResumed: isResumed)
    if experiment.training.fastDevRun {
      try experiment.fitAndTest(setting)
      return
    }
    let name = "\(experiment.options.modelClass)-\(setting.data.displayName)"
    let folder = try folder ?? OutputFolder.newRun(name, record(arguments, setting))
    try TrainingRun.hold(folder) {
      if isResumed {
        try warnOfOtherKernels(RunRecord(contentsOf: TrainingRun.record(in: folder)))
      }
      let run = try TrainingRun(folder)
      let (trainer, options) = (setting.trainer, setting.modelOptions)
      trainer.run = run
      trainer.checkpointMetadata[Checkpoint.optionsKey] = try json(options)
      trainer.hyperparameters = experiment.hyperparameters.merging(options) { first, _ in first }
      trainer.epochEnded = {
        try drawPredictions(of: setting.model, setting.data, in: run, step: $0)
      }
      let interruption = Interruption()
      trainer.isInterrupted = { interruption.hasOccurred }
      defer { interruption.stop() }
      do {
        try experiment.fitAndTest(setting)
      } catch let stop as TrainingInterruption {
        fflush(nil)
        DataOptions.writeToStandardError(
          "Interrupted: \(stop). To go on: lab train --resume=\(folder.relativePath)")
        throw ExitCode(130)
      } catch let error where !isResumed && run.isEmpty {
        // There is nothing to go on from, and nothing to look at.
        try? FileManager.default.removeItem(at: folder)
        throw error
      }
    }
  }

  private func record(_ arguments: [String], _ setting: Experiment.Setting) -> RunRecord {
    var versions = [
      "kernels": KernelSet.current.name, "processor": Processor.name, "threads": "\(Threads.count)",
      "system": ProcessInfo.processInfo.operatingSystemVersionString,
    ]
    versions["swift"] = Bundle.main.executableURL.flatMap(compilerVersion)
    versions["commit"] = Bundle.main.executableURL.flatMap {
      commit(in: $0.deletingLastPathComponent())
    }
    return RunRecord(
      arguments: arguments, seed: experiment.options.seed, model: setting.model,
      options: setting.modelOptions, data: setting.data, versions: versions)
  }

  /// Other kernels take sums in another order, so that weights differ a little from those of a run
  /// that never stopped.
  private func warnOfOtherKernels(_ record: RunRecord) {
    let now = KernelSet.current.name
    guard let kernels = record.versions["kernels"], kernels != now else { return }
    DataOptions.writeToStandardError(
      "Warning: the run was begun with the kernels \(kernels) and goes on with \(now), so that "
        + "results differ a little; LAB_KERNELS=\(kernels) avoids that")
  }
}

/// The arguments but for `--resume` and its folder.
private func withoutResume(_ arguments: [String]) -> [String] {
  var rest: [String] = []
  var isValue = false
  for argument in arguments {
    defer { isValue = argument == "--resume" }
    if argument == "--resume" || argument.hasPrefix("--resume=") { continue }
    if isValue, !argument.hasPrefix("-") { continue }
    rest.append(argument)
  }
  return rest
}

private func json(_ texts: [String: String]) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = .sortedKeys
  return String(decoding: try encoder.encode(texts), as: UTF8.self)
}

/// The name of the first of a model's options that stands on the command line.
private func givenOption(of options: any ModelOptions) -> String? {
  let given = Set(
    courseSpelling(Array(CommandLine.arguments.dropFirst())).map {
      String($0.prefix { $0 != "=" })
    })
  // In the help a line for an option begins with its names: `  --stride/--pool   Halve …`.
  let lines = type(of: options).helpMessage().split(separator: "\n")
  let names = lines.compactMap { $0.split(separator: " ").first }.filter { $0.hasPrefix("--") }
  return names.flatMap { $0.split(separator: "/") }.map(String.init).first(where: given.contains)
}
