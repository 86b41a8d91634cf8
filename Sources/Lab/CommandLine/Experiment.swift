import ArgumentParser
import Foundation

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
    guard data.dataClass != .EMNISTLines else {
      throw ValidationError(
        "--data_class: \(options.modelClass) reads one character an image, but EMNISTLines has "
          + "whole lines; expected MNIST or EMNIST.")
    }
  }

  /// Trains and tests, and prints both.
  ///
  /// - Parameter keepsWeights: Whether the weights of the best epoch go to the output folder.
  /// - Throws: ``DataError`` if data or weights cannot be read or written, and as
  ///   ``Trainer/fit(_:_:optimizer:schedule:)`` does.
  @discardableResult
  package func run(keepsWeights: Bool) throws -> Outcome {
    manualSeed(options.seed)
    let module = try data.load(augmentation: augmentation.chosen)
    print(data.summary(of: module))
    let model: any Model =
      switch options.modelClass {
      case .CNN: CNN(module.config, cnn)
      case .MLP: MLP(module.config, mlp)
      case .ResNet: ResNet(module.config, resNet)
      }
    if let path = options.loadCheckpoint {
      try Checkpoint.load(URL(filePath: path), into: model)
    }
    let trainer = training.trainer()
    if keepsWeights, !training.fastDevRun {
      trainer.checkpointFolder = try OutputFolder.newRun(
        "\(options.modelClass)-\(module.displayName)")
    }
    let history = try trainer.fit(
      model, module, optimizer: training.optimizer(for: model),
      schedule: training.schedule(of: trainer, module))
    let results = try trainer.test(model, module)
    print(String(repeating: "-", count: 80))
    print("DATALOADER:0 TEST RESULTS" + (module.isSynthetic ? " (SYNTHETIC data)" : ""))
    print("{'test_acc': \(String(format: "%.4f", results.accuracy))}")
    return Outcome(data: module, model: model, history: history, results: results)
  }
}
