import ArgumentParser
import Lab

/// What may be changed on the notebook's command line.
struct Options: ParsableArguments {
  @Flag(help: "Train for about a minute: on a part of the training data, for one epoch.")
  var quick = false

  @Option(name: .customLong("max_epochs"), help: "Epochs to train. (default: 5, or 1 with --quick)")
  var maxEpochs: Int?

  @Option(name: .customLong("limit_train_batches"), help: "Train on so many batches an epoch.")
  var limitTrainBatches: BatchLimit?

  @Option(
    name: .customLong("data_source"),
    help: "Where the images come from: auto, download, synthetic. (default: auto)",
    transform: { text in
      guard let source = DataSource(rawValue: text) else {
        let names = DataSource.allCases.map(\.rawValue)
        let hint = nearestName(to: text, in: names).map { "; did you mean \($0)?" } ?? ""
        throw ValidationError(
          "--data_source: expected \(names.joined(separator: ", ")), got \(text)\(hint)")
      }
      return source
    })
  var dataSource = DataSource.auto

  @Option(help: "Initial weights, shuffling, dropout and the random figures come from this seed.")
  var seed: UInt32 = 42

  func validate() throws {
    if let maxEpochs, maxEpochs < 1 {
      throw ValidationError("--max_epochs: expected at least 1, got \(maxEpochs)")
    }
  }
}
