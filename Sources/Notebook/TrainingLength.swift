import ArgumentParser
import Lab

/// The length of a notebook's training; the defaults depend on the notebook and on `--quick`.
public struct TrainingLength: ParsableArguments {
  @Option(
    name: .customLong("max_epochs"), help: "The number of epochs. (default: 5, fewer with --quick)",
    transform: number)
  public var maxEpochs: Int?

  @Option(
    name: .customLong("limit_train_batches"),
    help: "The number or fraction of the batches in each epoch. (default: all, fewer with --quick)",
    transform: batchLimit)
  public var limitTrainBatches: BatchLimit?

  public init() {}

  public func validate() throws {
    if let maxEpochs, maxEpochs < 1 {
      throw ValidationError("--max_epochs: expected at least 1, got \(maxEpochs)")
    }
  }
}
