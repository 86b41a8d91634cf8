import LabData
import LabNetworks
import LabTensors

/// The results of ``Trainer/test(_:_:)``.
public typealias TestResults = Evaluation<Prediction>

/// The results of a model on the test part.
public struct Evaluation<Output> {
  /// The metrics over all batches.
  public let metrics: Metrics
  /// What the model says about each example, in the order of the data set.
  public let predictions: [Output]
  /// The text that each class stands for.
  public let mapping: [String]

  package init(metrics: Metrics, predictions: [Output], mapping: [String]) {
    (self.metrics, self.predictions, self.mapping) = (metrics, predictions, mapping)
  }

  /// The mean loss.
  public var loss: Double { metrics.loss }
  /// The fraction of examples that were classified correctly; NaN if the objective has no accuracy.
  public var accuracy: Double { metrics.accuracy }
}

extension Evaluation: Sendable where Output: Sendable {}

extension Evaluation where Output == Prediction {
  /// How often each class is taken for each other one.
  ///
  /// - Complexity: O(predictions)
  public var confusion: ConfusionMatrix { ConfusionMatrix(predictions, mapping: mapping) }

  /// The wrong predictions with the largest loss, the worst first.
  ///
  /// - Parameter count: How many, at most.
  public func worstMistakes(_ count: Int) -> [Prediction] {
    // Equal losses stay in the order of the images.
    let mistakes = predictions.filter { !$0.isRight }
      .sorted { ($1.loss, $0.position) < ($0.loss, $1.position) }
    return Array(mistakes.prefix(count))
  }
}

extension Trainer {
  /// The metrics of a model on some batches.
  ///
  /// - Parameters:
  ///   - model: The model; it computes off the tape, so that dropout is off.
  ///   - batches: The batches.
  ///   - objective: The loss and the metrics.
  ///   - title: The title of the progress bar.
  ///   - check: Called with each batch's loss; throws if it is not acceptable.
  ///   - each: Called with each batch and the model's output.
  func evaluate(
    _ model: some Layer, _ batches: Batches, _ objective: some Objective, title: String,
    check: (_ loss: Float, _ batch: Int) throws -> Void = { _, _ in },
    each: (_ output: Tensor, _ batch: Batch) throws -> Void = { _, _ in }
  ) throws -> Metrics {
    let progress = progressBar(title, total: batches.count)
    defer { progress?.finish() }
    let device = model.device
    var metrics = Metrics()
    var unread = UnreadScores<Int>()
    for (index, batch) in batches.on(device).enumerated() {
      if isInterrupted() {
        throw TrainingInterruption(description: "stopped while \(title.lowercased())")
      }
      let output = try model(batch.x)
      try unread.append(objective.score(output, batch), of: index)
      try each(output, batch)
      try device.check()
      if unread.isFull { try unread.read(into: &metrics, check: check) }
      try progress?.update(
        index + 1,
        loss: unread.meanLoss(readInto: &metrics, check: check))
    }
    try unread.read(into: &metrics, check: check)
    try device.check()
    return metrics
  }
}

extension Evaluation: Codable where Output: Codable {}
