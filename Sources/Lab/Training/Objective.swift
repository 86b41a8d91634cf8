import LabData
import LabTensors

/// What a model is trained for: the loss of a batch, its other metrics, and what an output means.
///
/// ``Classification`` is the one that a trainer uses by default. For other tasks write your own:
///
/// ```swift
/// /// Reconstructs its input.
/// struct Reconstruction: Objective {
///   let metricNames = ["loss"]
///
///   func score(_ output: Tensor, _ batch: Batch) throws(ShapeError) -> BatchScore {
///     BatchScore(loss: try mseLoss(output, batch.x), count: batch.count)
///   }
///
///   func predictions(_ output: Tensor, _ batch: Batch, from first: Int) -> [Tensor] {
///     (0..<batch.count).map { output[$0] }
///   }
/// }
///
/// try trainer.fit(model, data, optimizer: optimizer, objective: Reconstruction())
/// let results = try trainer.test(model, data, objective: Reconstruction())
/// results.predictions  // of each test image
/// ```
public protocol Objective {
  /// What a model's output says about one example.
  associatedtype Output

  /// The names of all metrics, in the order in which they are printed and saved; the first one is
  /// `loss`.
  ///
  /// A batch need not have all of them: an error rate that takes long to compute may be left to
  /// validation and test, where the output is on no tape.
  var metricNames: [String] { get }

  /// Whether ``score(_:_:)`` takes the labels of a batch's ``Batch/mixing`` into account; without it there
  /// is no mixup. False by default.
  var takesMixedImages: Bool { get }

  /// The loss and the metrics of a batch.
  ///
  /// They are tensors of one element, so that a step does not wait until they have been computed; the
  /// trainer reads them from time to time.
  ///
  /// - Parameters:
  ///   - output: What the model computed from the batch. It is on a tape in training only.
  ///   - batch: The batch with its labels.
  /// - Throws: ``ShapeError`` if they do not fit together.
  func score(_ output: Tensor, _ batch: Batch) throws(ShapeError) -> BatchScore

  /// What the output says about each example of a batch.
  ///
  /// - Parameters:
  ///   - output: What the model computed from the batch.
  ///   - batch: The batch with its labels.
  ///   - first: The index of the batch's first example in the data set.
  /// - Throws: ``ShapeError`` if they do not fit together.
  func predictions(_ output: Tensor, _ batch: Batch, from first: Int) throws(ShapeError) -> [Output]
}

extension Objective {
  public var takesMixedImages: Bool { false }
}

/// The loss and the metrics of a batch.
public struct BatchScore {
  /// The mean loss over the batch, a tensor of one element; training minimises it.
  public let loss: Tensor
  /// What the loss is the mean of: the number of examples.
  public let count: Int
  /// The other metrics.
  public let metrics: [MetricSum]

  /// - Parameters:
  ///   - loss: The mean loss over the batch, a tensor of one element.
  ///   - count: What the loss is the mean of: the number of examples.
  ///   - metrics: The other metrics.
  public init(loss: Tensor, count: Int, metrics: [MetricSum] = []) {
    (self.loss, self.count, self.metrics) = (loss, count, metrics)
  }
}

/// A batch's share in a metric.
public struct MetricSum {
  /// The metric's name, such as `acc`.
  public let name: String
  /// The sum over the batch, a tensor of one element.
  public let sum: Tensor
  /// What all sums together are divided by: for an accuracy the number of examples, for a character
  /// error rate the number of characters.
  public let count: Int

  /// - Parameters:
  ///   - name: The metric's name, such as `acc`.
  ///   - sum: The sum over the batch, a tensor of one element.
  ///   - count: The batch's share in what all sums are divided by.
  public init(_ name: String, sum: Tensor, count: Int) {
    (self.name, self.sum, self.count) = (name, sum, count)
  }
}

/// Scores of batches that were computed, perhaps on another device, but not read yet.
///
/// Reading waits for the device, so it is done for many batches at once. Sums are taken in the order
/// of the batches, so that it makes no difference when they are read.
struct UnreadScores<Step> {
  private var scores: [(score: BatchScore, step: Step)] = []

  /// The number of batches after which they are read at the latest, so that a loss that is not finite
  /// is noticed soon.
  static var limit: Int { 100 }

  /// Whether there is nothing to read.
  var isEmpty: Bool { scores.isEmpty }

  /// Whether it is time to read.
  var isFull: Bool { scores.count >= Self.limit }

  /// Adds a batch.
  ///
  /// - Throws: ``ShapeError`` if the loss or a metric is not a single number.
  mutating func append(_ score: BatchScore, of step: Step) throws(ShapeError) {
    for (name, tensor) in [("loss", score.loss)] + score.metrics.map({ ($0.name, $0.sum) })
    where tensor.count != 1 {
      throw ShapeError(
        "fit", expected: "a \(name) of one element", got: "shape \(tensor.shape)",
        hint: "an objective's tensors are sums or means over the batch")
    }
    // The tape, and all that it holds, is not needed any more.
    let metrics = score.metrics.map { MetricSum($0.name, sum: $0.sum.detached, count: $0.count) }
    scores.append(
      (BatchScore(loss: score.loss.detached, count: score.count, metrics: metrics), step))
  }

  /// Reads all scores, the oldest first.
  ///
  /// - Parameters:
  ///   - metrics: What they are added to.
  ///   - check: Called with each batch's loss before it is added; throws if it is not acceptable.
  mutating func read(
    into metrics: inout Metrics, check: (_ loss: Float, _ step: Step) throws -> Void
  ) rethrows {
    let unread = scores
    scores = []
    let items = Tensor.items(of: unread.flatMap { [$0.score.loss] + $0.score.metrics.map(\.sum) })
    var next = items.makeIterator()
    for (score, step) in unread {
      let loss = next.next() ?? .nan
      try check(loss, step)
      metrics.add("loss", sum: Double(loss) * Double(score.count), count: score.count)
      for metric in score.metrics {
        metrics.add(metric.name, sum: Double(next.next() ?? .nan), count: metric.count)
      }
    }
  }

  /// Reads all scores.
  ///
  /// - Returns: The mean loss of all batches so far.
  mutating func meanLoss(
    readInto metrics: inout Metrics, check: (_ loss: Float, _ step: Step) throws -> Void
  ) rethrows -> Double {
    try read(into: &metrics, check: check)
    return metrics.loss
  }
}
