import ArgumentParser
import Foundation
import LabData
import LabDatasets
import LabModels
import LabNetworks
import LabRandom
import LabTraining

/// The course's `training/run_experiment.py`: trains a model on a data set, then tests it.
///
/// `lab train` runs its command line; a notebook, which looks at the outcome, runs its own options.
package struct Experiment: ParsableArguments {
  @OptionGroup(title: "What to train") package var options: ExperimentOptions
  @OptionGroup(title: "Data") package var data: DataClassOptions
  @OptionGroup(title: "Training") package var training: TrainingOptions
  @OptionGroup(title: "Augmentation of training images") package var augmentation:
    AugmentationOptions
  @OptionGroup package var models: ModelArguments

  /// An experiment that has ended.
  package struct Outcome {
    /// The data set.
    package let data: any DataModule
    /// The model after the last epoch.
    package let model: any Model
    /// The metrics.
    package let measured: Measurements

    /// The losses and metrics of each epoch.
    package var history: [Epoch] { measured.history }
    /// The model's results on the test images.
    package var results: TestResults { measured.results }

    /// - Parameters:
    ///   - setting: The experiment, with the trained model.
    ///   - measured: Its metrics.
    package init(_ setting: Setting, _ measured: Measurements) {
      (data, model, self.measured) = (setting.data, setting.model, measured)
    }
  }

  /// The metrics of an experiment.
  package struct Measurements: Codable {
    /// The losses and metrics of each epoch.
    package let history: [Epoch]
    /// The model's results on the test images.
    package let results: TestResults
  }

  package init() {}

  package func validate() throws {
    // A resumed run has its own model and data set.
    guard options.resume == nil else { return }
    guard data.dataClass != .EMNISTLines else {
      throw ValidationError(
        "--data_class: \(modelClass) reads one character an image, but EMNISTLines has "
          + "whole lines; expected MNIST, EMNIST or Folder.")
    }
    guard training.overfitBatches == nil || augmentation.chosen == nil else {
      throw ValidationError(
        "--overfit_batches: expected images without augmentation, got augmentation; leave out "
          + "--augment, --degrees, --translate, --scale and --shear.")
    }
    // Without --model_class, a checkpoint may name another model than the default one.
    guard options.modelClass != nil || options.loadCheckpoint == nil else { return }
    do {
      _ = try models.configuration(modelClass)
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// The seed of all random numbers.
  package var seed: UInt64 { options.seed ?? 42 }

  private var modelClass: String { options.modelClass ?? ExperimentOptions.defaultModel }

  /// The options in which runs may differ, for TensorBoard.
  ///
  /// - Parameter configuration: The model and its options.
  package func hyperparameters(_ configuration: ModelConfiguration) -> [String: String] {
    let own = [
      "model_class": configuration.modelClass, "data_class": "\(data.dataClass)",
      "batch_size": "\(data.batchSize)", "augment": "\(augmentation.chosen != nil)",
      "seed": "\(seed)",
    ]
    return own.merging(training.hyperparameters) { $1 }
      .merging(augmentation.chosen?.hyperparameters ?? [:]) { $1 }
      .merging(configuration.options.mapValues(\.description)) { own, _ in own }
  }

  /// The data, the model and the trainer of an experiment.
  package struct Setting {
    /// The data set.
    package let data: any DataModule
    /// The model, with its initial weights or those of a checkpoint.
    package let model: any Model
    /// The model's class and options.
    package let configuration: ModelConfiguration
    /// The trainer, set up from the options; it may still be changed.
    package let trainer: Trainer
  }

  /// Loads the data and creates the model.
  ///
  /// - Parameter resumed: The model of the run to resume; its weights are not read yet. Nil starts
  ///   a new run.
  /// - Throws: ``DataError`` if data or weights cannot be read, ``TrainingError`` if a checkpoint is
  ///   of another model than the options.
  package func setUp(resuming resumed: ModelConfiguration? = nil) throws -> Setting {
    let start = try resumed == nil ? options.loadCheckpoint.map(checkpoint) : nil
    let weights = try start.map { ($0, try Safetensors(contentsOf: $0)) }
    let configuration =
      try resumed ?? weights.map { try self.configuration(of: $1, at: $0) }
      ?? models.configuration(modelClass)
    manualSeed(seed)
    let module = try data.load(augmentation: augmentation.chosen)
    print(data.summary(of: module))
    try configuration.checkMemory(for: module.config)
    let model = configuration.model(for: module.config)
    if let (url, file) = weights { try Checkpoint.load(file, of: url, into: model) }
    return Setting(
      data: module, model: model, configuration: configuration, trainer: training.trainer())
  }

  private func checkpoint(_ path: String) throws -> URL {
    try Checkpoint.file(at: URL(filePath: path))
  }

  /// The configuration in a checkpoint, which options on the command line must not contradict; that
  /// of the command line if the file has none.
  private func configuration(of file: Safetensors, at url: URL) throws -> ModelConfiguration {
    guard let recorded = try CheckpointHeader(file, at: url).configuration else {
      return try models.configuration(modelClass)
    }
    let chosen = options.modelClass ?? recorded.modelClass
    let path = url.path(percentEncoded: false)
    guard chosen == recorded.modelClass else {
      throw TrainingError(
        "\(path): expected weights of \(chosen), got those of \(recorded.modelClass); leave out "
          + "--model_class, or choose another checkpoint")
    }
    let asked = try models.configuration(chosen, over: recorded.options)
    if let difference = asked.difference(from: recorded) {
      throw TrainingError(
        "\(path): expected weights of a model with \(difference.here), got those of one with "
          + "\(difference.there); leave the option out, or choose another checkpoint")
    }
    return recorded
  }

  /// Trains and tests, and prints the results.
  ///
  /// - Throws: ``DataError`` if weights cannot be written, and the errors of
  ///   ``Trainer/fit(_:_:optimizer:schedule:)``.
  @discardableResult
  package func fitAndTest(_ setting: Setting) throws -> Outcome {
    let (trainer, model, module) = (setting.trainer, setting.model, setting.data)
    if training.gpus > 0 {
      print(
        "GPU available: no, used: no; --gpus=\(training.gpus) changes nothing, "
          + "all is computed on the CPU.")
    }
    let (history, results) = try withOptionNames {
      try trainer.check(module)
      let history = try trainer.fit(
        model, module, optimizer: training.optimizer(for: model),
        schedule: training.schedule(of: trainer, module))
      return (history, try trainer.test(model, module))
    }
    print(String(repeating: "-", count: 80))
    print("DATALOADER:0 TEST RESULTS" + (module.isSynthetic ? " (SYNTHETIC data)" : ""))
    print("{'test_acc': \(String(format: "%.4f", results.accuracy))}")
    return Outcome(setting, Measurements(history: history, results: results))
  }
}
