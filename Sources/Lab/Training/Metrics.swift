/// The metrics of some batches: for each one, by name, a sum and the count that it is divided by.
///
/// ```swift
/// var metrics = Metrics()
/// metrics.add("loss", sum: 6, count: 3)
/// metrics.add("acc", sum: 2, count: 3)
/// metrics.loss      // 2.0
/// metrics["acc"]    // 0.6666666666666666
/// metrics["cer"]    // nil: no such metric
/// ```
public struct Metrics: Codable, Equatable, Sendable {
  /// A metric before the division.
  public struct Total: Codable, Equatable, Sendable {
    /// The metric's name, such as `acc`.
    public let name: String
    /// The sum over all examples, for an accuracy the number of correct ones.
    public fileprivate(set) var sum: Double
    /// What the sum is divided by, for an accuracy the number of examples.
    public fileprivate(set) var count: Int
  }

  /// All sums, in the order in which they were first added.
  public private(set) var totals: [Total] = []

  /// Metrics of no batch.
  public init() {}

  /// Adds to a metric; a name that is new begins at 0.
  ///
  /// - Parameters:
  ///   - name: The metric's name.
  ///   - sum: What is added to its sum.
  ///   - count: What is added to its count.
  public mutating func add(_ name: String, sum: Double, count: Int) {
    if let index = totals.firstIndex(where: { $0.name == name }) {
      totals[index].sum += sum
      totals[index].count += count
    } else {
      totals.append(Total(name: name, sum: sum, count: count))
    }
  }

  /// A metric's sum divided by its count; nil if there is no such metric.
  public subscript(name: String) -> Double? {
    totals.first { $0.name == name }.map { $0.sum / Double($0.count) }
  }

  /// The mean loss; NaN before the first batch.
  public var loss: Double { self["loss"] ?? .nan }

  /// The fraction of examples that were classified correctly; NaN if that was not measured.
  public var accuracy: Double { self["acc"] ?? .nan }

  /// Whether counts from a file are in range.
  var isSound: Bool { totals.allSatisfy { (0...1 << 53).contains($0.count) } }

  /// The values by the names of a part's scalars, such as `val_loss` and `val_acc`.
  ///
  /// - Parameter part: `train`, `val` or `test`.
  func scalars(of part: String) -> [LogEntry.Value] {
    totals.map { (Scalar("\(part)_\($0.name)"), $0.sum / Double($0.count)) }
  }
}

extension Metrics {
  /// Before metrics had names there were two, and these were their fields in saved runs.
  private enum FormerKeys: String, CodingKey {
    case lossSum, right, samples
  }

  public init(from decoder: any Decoder) throws {
    if let former = try? decoder.container(keyedBy: FormerKeys.self) {
      let samples = try former.decode(Int.self, forKey: .samples)
      guard samples > 0 else { return }
      add("loss", sum: try former.decode(Double.self, forKey: .lossSum), count: samples)
      add("acc", sum: Double(try former.decode(Int.self, forKey: .right)), count: samples)
    } else {
      totals = try decoder.singleValueContainer().decode([Total].self)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(totals)
  }
}

/// The result of an epoch.
public struct Epoch: Codable, Sendable {
  /// The metrics of the training batches, each measured before the step that it led to.
  public let train: Metrics
  /// The metrics of the validation batches after the epoch; nil if there were none.
  public let val: Metrics?
  /// How long the training batches took, in seconds.
  public let seconds: Double
  /// Nil if there were none.
  private let inside: [Validation]?

  /// A validation inside an epoch; see ``Trainer/validationInterval``.
  public struct Validation: Codable, Sendable {
    /// The steps made until then, in all epochs.
    public let totalSteps: Int
    /// The metrics of the validation batches.
    public let metrics: Metrics
  }

  /// The validations before the end of the epoch.
  public var validations: [Validation] { inside ?? [] }

  package init(train: Metrics, val: Metrics?, seconds: Double, validations: [Validation] = []) {
    (self.train, self.val, self.seconds) = (train, val, seconds)
    inside = validations.isEmpty ? nil : validations
  }
}

/// The name of a logged value: a column of `metrics.csv`, a curve in TensorBoard.
///
/// ```swift
/// history.best(.valAccuracy)
/// history.values(of: Scalar("val_cer"))    // a metric of your own objective
/// ```
public struct Scalar: Hashable, Sendable {
  /// The name in files, such as `val_loss`.
  public let name: String

  /// - Parameter name: The name in files: `train_`, `val_` or `test_`, and the metric's name.
  public init(_ name: String) {
    self.name = name
  }

  /// The learning rate of a step.
  public static let learningRate = Scalar("lr")
  /// The loss of one training batch.
  public static let stepLoss = Scalar("train_loss_step")
  /// The mean loss of an epoch's training batches.
  public static let trainLoss = Scalar("train_loss")
  /// The accuracy on an epoch's training batches.
  public static let trainAccuracy = Scalar("train_acc")
  /// The mean loss of the validation batches.
  public static let valLoss = Scalar("val_loss")
  /// The accuracy on the validation batches.
  public static let valAccuracy = Scalar("val_acc")
  /// The mean loss of the test batches.
  public static let testLoss = Scalar("test_loss")
  /// The accuracy on the test batches.
  public static let testAccuracy = Scalar("test_acc")

  /// Whether the largest value is the best one: for accuracies.
  var isLargerBetter: Bool { name.hasSuffix("_acc") }

  /// Whether it is a value of a single step: no metric of an epoch or a test.
  var isOfStep: Bool {
    self == .learningRate || self == .stepLoss || name.hasPrefix("grad_")
  }

  /// All scalars of a training, in the order of the columns of `metrics.csv`.
  ///
  /// - Parameters:
  ///   - metrics: The names of the objective's metrics.
  ///   - norms: The norms of gradients, if they are logged.
  static func all(of metrics: [String], norms: [Scalar] = []) -> [Scalar] {
    [learningRate, stepLoss]
      + ["train", "val", "test"].flatMap { part in metrics.map { Scalar("\(part)_\($0)") } }
      + norms
  }
}
