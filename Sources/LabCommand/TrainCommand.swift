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

  @OptionGroup(title: "What to train") var experiment: ExperimentOptions
  @OptionGroup(title: "Data") var data: DataClassOptions
  @OptionGroup(title: "Training") var training: TrainingOptions
  @OptionGroup(title: "Augmentation of training images") var augmentation: AugmentationOptions
  @OptionGroup(title: "Model CNN") var cnn: CNN.Options
  @OptionGroup(title: "Model MLP") var mlp: MLP.Options
  @OptionGroup(title: "Model ResNet") var resNet: ResNet.Options

  func validate() throws {
    // Only the options that the run was begun with say which others fit.
    guard experiment.resume == nil else { return }
    guard data.dataClass != .EMNISTLines else {
      throw ValidationError(
        "--data_class: \(experiment.modelClass) reads one character an image, but EMNISTLines has "
          + "whole lines; expected MNIST or EMNIST.")
    }
    let groups: [(ModelClass, any ModelOptions)] = [(.CNN, cnn), (.MLP, mlp), (.ResNet, resNet)]
    for (model, options) in groups where model != experiment.modelClass {
      if let name = givenOption(of: options) {
        throw ValidationError(
          "\(name) belongs to \(model), but --model_class is \(experiment.modelClass).")
      }
    }
  }

  func run() throws {
    let arguments = courseSpelling(Array(CommandLine.arguments.dropFirst(2)))
    guard let name = experiment.resume else { return try train(arguments, in: nil) }
    let folder =
      try name == "newest"
      ? TrainingRun.newest() : URL(filePath: name, directoryHint: .isDirectory)
    let begun = try RunRecord(contentsOf: TrainingRun.record(in: folder)).arguments
    try Self.parse(begun + withoutResume(arguments)).train([], in: folder)
  }

  /// Trains and tests.
  ///
  /// - Parameters:
  ///   - arguments: The options as given, to be recorded.
  ///   - folder: The run to go on with; nil begins one.
  private func train(_ arguments: [String], in folder: URL?) throws {
    manualSeed(experiment.seed)
    let module = try data.load(augmentation: augmentation.chosen)
    print(data.summary(of: module))
    switch experiment.modelClass {
    case .CNN: try train(CNN(module.config, cnn), cnn, module, arguments, in: folder)
    case .MLP: try train(MLP(module.config, mlp), mlp, module, arguments, in: folder)
    case .ResNet: try train(ResNet(module.config, resNet), resNet, module, arguments, in: folder)
    }
  }

  private func train<M: Model>(
    _ model: M, _ options: M.Options, _ module: some DataModule, _ arguments: [String],
    in folder: URL?
  ) throws {
    if folder == nil, let path = experiment.loadCheckpoint {
      try Checkpoint.load(URL(filePath: path), into: model)
    }
    let trainer = training.trainer()
    if training.fastDevRun { return try fitAndTest(trainer, model, module) }
    let isResumed = folder != nil
    let folder = try folder ?? OutputFolder.newRun("\(experiment.modelClass)-\(module.displayName)")
    try TrainingRun.hold(folder) {
      let url = TrainingRun.record(in: folder)
      if isResumed {
        try warnOfOtherKernels(RunRecord(contentsOf: url))
      } else {
        try record(arguments, model, options, module).write(to: url)
      }
      let run = try TrainingRun(folder)
      trainer.run = run
      trainer.checkpointMetadata["model_options"] = try json(options.texts)
      trainer.hyperparameters = hyperparameters.merging(options.texts) { first, _ in first }
      trainer.epochEnded = { try drawPredictions(of: model, module, in: run, step: $0) }
      let interruption = Interruption()
      trainer.isInterrupted = { interruption.hasCome }
      defer { interruption.forget() }
      do {
        try fitAndTest(trainer, model, module)
      } catch let stop as TrainingInterruption {
        fflush(nil)
        DataOptions.writeToStandardError(
          "Interrupted: \(stop). To go on: lab train --resume=\(folder.relativePath)")
        throw ExitCode(130)
      }
    }
  }

  private func fitAndTest(
    _ trainer: Trainer, _ model: some Model, _ module: some DataModule
  ) throws {
    try trainer.fit(
      model, module, optimizer: training.optimizer(for: model),
      schedule: training.schedule(of: trainer, module))
    let results = try trainer.test(model, module)
    print(String(repeating: "-", count: 80))
    print("DATALOADER:0 TEST RESULTS" + (module.isSynthetic ? " (SYNTHETIC data)" : ""))
    print("{'test_acc': \(String(format: "%.4f", results.accuracy))}")
  }

  private func record<M: Model>(
    _ arguments: [String], _ model: M, _ options: M.Options, _ module: some DataModule
  ) -> RunRecord {
    var versions = [
      "kernels": KernelSet.current.name, "processor": Processor.name, "threads": "\(Threads.count)",
      "system": ProcessInfo.processInfo.operatingSystemVersionString,
    ]
    versions["swift"] = Bundle.main.executableURL.flatMap(compilerVersion)
    versions["commit"] = commit(in: URL(filePath: FileManager.default.currentDirectoryPath))
    return RunRecord(
      arguments: arguments, seed: experiment.seed, model: model, options: options.texts,
      data: module, versions: versions)
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

  /// What runs may differ in, for TensorBoard.
  private var hyperparameters: [String: String] {
    [
      "model_class": "\(experiment.modelClass)", "data_class": "\(data.dataClass)",
      "batch_size": "\(data.batchSize)", "augment": "\(augmentation.chosen != nil)",
      "optimizer": "\(training.optimizer)", "lr": "\(training.learningRate)",
      "weight_decay": "\(training.weightDecay ?? 0)", "momentum": "\(training.momentum)",
      "loss": training.loss.rawValue, "max_epochs": "\(training.maxEpochs)",
      "seed": "\(experiment.seed)",
    ]
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
