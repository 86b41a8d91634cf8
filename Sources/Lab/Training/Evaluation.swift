import Foundation
import LabData
import LabNetworks
import LabProcesses
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
  ///   - parallel: Computes batches by parts, perhaps with other processes; nil to compute them as a
  ///     whole.
  ///   - title: The title of the progress bar.
  ///   - mayStop: Whether it may be interrupted.
  ///   - check: Called with each batch's loss; throws if it is not acceptable.
  ///   - each: Called with the model's output, each batch or this process's parts of it, and the index
  ///     of its first example in the data set.
  func evaluate(
    _ model: some Layer, _ batches: Batches, _ objective: some Objective,
    _ parallel: DataParallel?, title: String, mayStop: Bool = true,
    check: (_ loss: Float, _ batch: Int) throws -> Void = { _, _ in },
    each: (_ output: Tensor, _ batch: Batch, _ first: Int) throws -> Void = { _, _, _ in }
  ) throws -> Metrics {
    if let parallel {
      return try evaluate(
        model, batches, objective, by: parallel, title: title, mayStop: mayStop, check: check,
        each: each)
    }
    let progress = progressBar(title, total: batches.count)
    defer { progress?.finish() }
    let device = model.device
    var metrics = Metrics()
    var unread = UnreadScores<Int>()
    for (index, batch) in batches.on(device).enumerated() {
      if mayStop, isInterrupted() {
        throw TrainingInterruption(description: "stopped while \(title.lowercased())")
      }
      OperationObservation.observer?.forwardBegins()
      let output = try model(batch.x)
      try unread.append(objective.score(output, batch), of: index)
      try each(output, batch, batches.start(ofBatch: index))
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

// MARK: By several processes

extension Trainer {
  private func evaluate(
    _ model: some Layer, _ batches: Batches, _ objective: some Objective, by parallel: DataParallel,
    title: String, mayStop: Bool, check: (_ loss: Float, _ batch: Int) throws -> Void,
    each: (_ output: Tensor, _ batch: Batch, _ first: Int) throws -> Void
  ) throws -> Metrics {
    let progress = progressBar(title, total: batches.count)
    defer { progress?.finish() }
    let device = model.device
    // For each micro-shard the number of its rows, their loss, and count and sum of each metric.
    var scores: [Double] = []
    var names: [String] = []
    // For the progress bar.
    var (losses, rows) = (0.0, 0)
    for (index, batch) in batches.on(device).sharing(parallel.sharing).enumerated() {
      // Asking all processes at each batch would take longer than small batches do.
      if mayStop, index.isMultiple(of: 16), try parallel.processes.any(isInterrupted()) {
        throw TrainingInterruption(description: "stopped while \(title.lowercased())")
      }
      let size = batches.size(ofBatch: index)
      var first = batches.start(ofBatch: index) + parallel.rows(ofBatch: size).lowerBound
      for (output, part, score) in try parallel.evaluate(model, objective, batch, of: size) {
        names = score.metrics.map(\.name)
        let items = Tensor.items(of: [score.loss] + score.metrics.map(\.sum))
        losses += Double(items[0]) * Double(score.count)
        rows += score.count
        scores += [Double(part.count), Double(items[0]) * Double(score.count), Double(score.count)]
        for (metric, item) in zip(score.metrics, items.dropFirst()) {
          scores += [Double(metric.count), Double(item)]
        }
        try each(output, part, first)
        first += part.count
      }
      try device.check()
      progress?.update(index + 1, loss: losses / Double(max(1, rows)))
    }
    let all = try parallel.inOrder(scores, batches, each: 3 + 2 * names.count)
    var metrics = Metrics()
    for (index, shards) in all.enumerated() {
      let loss = shards.reduce(0) { $0 + $1[1] } / shards.reduce(0) { $0 + $1[2] }
      try check(Float(loss), index)
      for shard in shards {
        metrics.add("loss", sum: shard[1], count: Int(shard[2]))
        for (number, name) in names.enumerated() {
          metrics.add(name, sum: shard[4 + 2 * number], count: Int(shard[3 + 2 * number]))
        }
      }
    }
    return metrics
  }
}

/// The predictions of a test, or of this process's parts of its batches.
struct Predictions<Output> {
  private var parts: [[Output]] = []

  mutating func append(_ part: [Output]) { parts.append(part) }

  /// All predictions, in the order of the data set.
  var all: [Output] { parts.flatMap { $0 } }

  /// Adds those of other processes.
  ///
  /// - Throws: ``TrainingError`` if they cannot be sent.
  mutating func gather(_ parallel: DataParallel, _ batches: Batches) throws {
    guard parallel.processes.size > 1 else { return }
    guard let type = Output.self as? any Codable.Type else {
      throw TrainingError(
        "test: expected an objective whose Output is Codable, as several processes test together, got "
          + "\(Output.self)")
    }
    parts = try gathered(as: type, parallel, batches)
  }

  private func gathered<Value: Codable>(
    as type: Value.Type, _ parallel: DataParallel, _ batches: Batches
  ) throws -> [[Output]] {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let own = try encoder.encode(parts.map { $0.compactMap { $0 as? Value } })
    let all = try parallel.processes.gather([UInt8](own)).map {
      try decoder.decode([[Value]].self, from: Data($0))
    }
    return parallel.inOrder(of: all, batches).flatMap { $0 }.map { $0.compactMap { $0 as? Output } }
  }
}

extension Evaluation: Codable where Output: Codable {}
