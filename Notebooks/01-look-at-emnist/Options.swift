import ArgumentParser
import Lab
import Notebook

/// What may be changed on the notebook's command line.
struct Options: ParsableArguments {
  @Flag(help: "Train for about a minute: on a part of the training data, for one epoch.")
  var quick = false

  @Option(name: .customLong("max_epochs"), help: "Epochs to train. (default: 5, or 1 with --quick)")
  var maxEpochs: Int?

  @Option(name: .customLong("limit_train_batches"), help: "Train on so many batches an epoch.")
  var limitTrainBatches: BatchLimit?

  @OptionGroup var notebook: NotebookOptions

  func validate() throws {
    if let maxEpochs, maxEpochs < 1 {
      throw ValidationError("--max_epochs: expected at least 1, got \(maxEpochs)")
    }
  }
}
