import ArgumentParser
import Lab

/// How long a notebook trains; what is not given is up to the notebook, and to `--quick`.
public struct TrainingLength: ParsableArguments {
  @Option(
    name: .customLong("max_epochs"), help: "Epochs to train. (default: 5, fewer with --quick)")
  public var maxEpochs: Int?

  @Option(
    name: .customLong("limit_train_batches"),
    help: "Train on so many batches an epoch. (default: all, fewer with --quick)")
  public var limitTrainBatches: BatchLimit?

  public init() {}

  public func validate() throws {
    if let maxEpochs, maxEpochs < 1 {
      throw ValidationError("--max_epochs: expected at least 1, got \(maxEpochs)")
    }
  }
}
