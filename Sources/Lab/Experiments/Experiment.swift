import ArgumentParser
import Foundation
import LabDatasets
import LabModels
import LabRandom
import LabTraining

/// The course's `training/run_experiment.py`: trains a model on a data set, then tests it.
///
/// `lab train` does this with its command line; a notebook, which wants to look at the outcome, with
/// options of its own.
package struct Experiment: ParsableArguments {
  @OptionGroup(title: "What to train") package var options: ExperimentOptions
  @OptionGroup(title: "Data") package var data: DataClassOptions
  @OptionGroup(title: "Training") package var training: TrainingOptions
  @OptionGroup(title: "Augmentation of training images") package var augmentation:
    AugmentationOptions
  @OptionGroup(title: "Model CNN") package var cnn: CNN.Options
  @OptionGroup(title: "Model MLP") package var mlp: MLP.Options
  @OptionGroup(title: "Model ResNet") package var resNet: ResNet.Options

  /// What an experiment leaves behind.
  package struct Outcome {
    /// The data set.
    package let data: any DataModule
    /// The model, as the last epoch left it.
    package let model: any Model
    /// What each epoch brought.
    package let history: [Epoch]
    /// What the model makes of the test images.
    package let results: TestResults
  }

  package init() {}

  package func validate() throws {
    // A run that goes on has its own data set.
    guard options.resume == nil else { return }
    guard data.dataClass != .EMNISTLines else {
      throw ValidationError(
        "--data_class: \(options.modelClass) reads one character an image, but EMNISTLines has "
          + "whole lines; expected MNIST or EMNIST.")
    }
    guard training.overfitBatches == nil || augmentation.chosen == nil else {
      throw ValidationError(
        "--overfit_batches: expected images that stay as they are, got augmentation; leave out "
          + "--augment, --degrees, --translate, --scale and --shear.")
    }
  }

  /// The options of the chosen model.
  private var modelOptions: any ModelOptions {
    switch options.modelClass {
    case .CNN: cnn
    case .MLP: mlp
    case .ResNet: resNet
    }
  }

  /// What cannot be changed about a run that goes on, as on its command line.
  package var lastingArguments: [String] {
    let model = modelOptions.texts.sorted { $0.key < $1.key }
      .map { modelOptions.argument($0, $1) }
    let start = options.loadCheckpoint.map { "--load_checkpoint=\($0)" } ?? ""
    return ["--model_class=\(options.modelClass)"] + model + ["--seed=\(options.seed)", start]
  }

  /// What runs may differ in, for TensorBoard.
  package var hyperparameters: [String: String] {
    let own = [
      "model_class": "\(options.modelClass)", "data_class": "\(data.dataClass)",
      "batch_size": "\(data.batchSize)", "augment": "\(augmentation.chosen != nil)",
      "seed": "\(options.seed)",
    ]
    return own.merging(training.hyperparameters) { $1 }
      .merging(augmentation.chosen?.hyperparameters ?? [:]) { $1 }
  }

  /// What is trained on what.
  package struct Setting {
    /// The data set.
    package let data: any DataModule
    /// The model, with its initial weights or those of a checkpoint.
    package let model: any Model
    /// The model's options, by their names.
    package let modelOptions: [String: String]
    /// Follows the options; may still be changed.
    package let trainer: Trainer
  }

  /// Loads the data and makes the model.
  ///
  /// - Parameter isResumed: Whether the weights will be those of a run that goes on.
  /// - Throws: ``DataError`` if data or weights cannot be read.
  package func setUp(isResumed: Bool = false) throws -> Setting {
    manualSeed(options.seed)
    let module = try data.load(augmentation: augmentation.chosen)
    print(data.summary(of: module))
    let model: any Model =
      switch options.modelClass {
      case .CNN: CNN(module.config, cnn)
      case .MLP: MLP(module.config, mlp)
      case .ResNet: ResNet(module.config, resNet)
      }
    if !isResumed, let path = options.loadCheckpoint {
      try load(URL(filePath: path), into: model)
    }
    return Setting(
      data: module, model: model, modelOptions: modelOptions.texts, trainer: training.trainer())
  }

  /// Loads weights of a model that was made with the same options, also those of which the weights
  /// bear no trace.
  private func load(_ url: URL, into model: any Model) throws {
    let file = try Safetensors(contentsOf: url)
    let made = try Checkpoint.modelOptions(of: file, at: url)
    try Checkpoint.load(file, of: url, into: model)
    for (name, option) in modelOptions.texts.sorted(by: { $0.key < $1.key }) {
      guard let other = made[name], other != option else { continue }
      let (expected, got) = (
        modelOptions.argument(name, option), modelOptions.argument(name, printable(other))
      )
      throw DataError(
        .unusable,
        "\(url.path(percentEncoded: false)): expected weights of a model with \(expected), got "
          + "those of one with \(got); give the options that it was trained with")
    }
  }

  /// Trains and tests, and prints both.
  ///
  /// - Throws: ``DataError`` if weights cannot be written, and as
  ///   ``Trainer/fit(_:_:optimizer:schedule:)`` does.
  @discardableResult
  package func fitAndTest(_ setting: Setting) throws -> Outcome {
    let (trainer, model, module) = (setting.trainer, setting.model, setting.data)
    let (history, results) = try withOptionNames {
      let history = try trainer.fit(
        model, module, optimizer: training.optimizer(for: model),
        schedule: training.schedule(of: trainer, module))
      return (history, try trainer.test(model, module))
    }
    print(String(repeating: "-", count: 80))
    print("DATALOADER:0 TEST RESULTS" + (module.isSynthetic ? " (SYNTHETIC data)" : ""))
    print("{'test_acc': \(String(format: "%.4f", results.accuracy))}")
    return Outcome(data: module, model: model, history: history, results: results)
  }
}
