import ArgumentParser
import Foundation
import Lab

/// `lab train`: the course's `training/run_experiment.py`.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model, then test it.",
    discussion: """
      Options are spelled as in the course; hyphens in place of underscores are accepted too. \
      Weights of the best epoch go to output/logs (or LAB_OUTPUT_DIR), data are kept in data \
      (or LAB_DATA_DIR).

        lab train --model_class=CNN --data_class=MNIST --max_epochs=5
        lab train --model_class=CNN --data_class=EMNIST --overfit_batches=2 --max_epochs=50
      """)

  @OptionGroup(title: "What to train") var experiment: ExperimentOptions
  @OptionGroup(title: "Data") var data: DataClassOptions
  @OptionGroup(title: "Training") var training: TrainingOptions
  @OptionGroup(title: "Augmentation of training images") var augmentation: AugmentationOptions
  @OptionGroup(title: "Model CNN") var cnn: CNN.Options
  @OptionGroup(title: "Model MLP") var mlp: MLP.Options
  @OptionGroup(title: "Model ResNet") var resNet: ResNet.Options

  func validate() throws {
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
    manualSeed(experiment.seed)
    let module = try data.load(augmentation: augmentation.chosen)
    print(data.summary(of: module))
    switch experiment.modelClass {
    case .CNN: try train(CNN(module.config, cnn), module)
    case .MLP: try train(MLP(module.config, mlp), module)
    case .ResNet: try train(ResNet(module.config, resNet), module)
    }
  }

  private func train(_ model: some Model, _ module: some DataModule) throws {
    if let path = experiment.loadCheckpoint {
      try Checkpoint.load(URL(filePath: path), into: model)
    }
    let trainer = training.trainer()
    let name = "\(experiment.modelClass)-\(module.displayName)"
    trainer.checkpointFolder = try training.fastDevRun ? nil : OutputFolder.newRun(name)
    try trainer.fit(
      model, module, optimizer: training.optimizer(for: model),
      schedule: training.schedule(of: trainer, module))
    let results = try trainer.test(model, module)
    print(String(repeating: "-", count: 80))
    print("DATALOADER:0 TEST RESULTS" + (module.isSynthetic ? " (SYNTHETIC data)" : ""))
    print("{'test_acc': \(String(format: "%.4f", results.accuracy))}")
  }
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
