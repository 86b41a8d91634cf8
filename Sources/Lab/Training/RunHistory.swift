import Foundation
import LabData
import LabNetworks

/// A training run read from its folder: its record and its metrics.
///
/// ```swift
/// let run = try RunHistory(of: folder)
/// run.best(.valAccuracy)        // the largest of all epochs
/// run.values(of: .trainLoss)    // (epoch: 0, value: 0.1498), …
/// ```
public struct RunHistory: Sendable {
  /// The run's folder.
  public let folder: URL
  /// The options, the data and the model of the run.
  public let record: RunRecord
  /// All logged values, in the order of the columns of `metrics.csv`.
  public let scalars: [Scalar]
  /// The values of all options that the record knows, by name: of those that were given, of the
  /// model's own, and in records of this version of all others in which runs may differ.
  package let settings: [String: OptionValue]
  /// The names of the options that were given, each once, in their order. A flag that chooses a value
  /// of one of the model's options, such as `--pool`, counts as that option.
  package let given: [String]
  private let rows: [(epoch: Int, values: [Scalar: Double])]

  /// Reads `run.json`, and `metrics.csv` if the run lasted long enough to have one.
  ///
  /// - Throws: ``DataError`` if one of them cannot be read or is damaged.
  public init(of folder: URL) throws {
    self.folder = folder
    record = try RunRecord(contentsOf: TrainingRun.record(in: folder))
    let table = try MetricsTable(contentsOf: MetricsFile.url(in: folder))
    (scalars, rows) = (table.columns, table.rows)
    (settings, given) = record.settings
  }

  /// The run's name, such as `CNN-MNIST/version_0`.
  public var name: String {
    "\(folder.deletingLastPathComponent().lastPathComponent)/\(folder.lastPathComponent)"
  }

  /// All values of a scalar, in the order in which they were logged, each with its epoch, from 0.
  public func values(of scalar: Scalar) -> [(epoch: Int, value: Double)] {
    rows.compactMap { row in row.values[scalar].map { (row.epoch, $0) } }
  }

  /// The best value of a scalar: the largest one if its name ends in `_acc`, else the smallest one;
  /// nil if there is none.
  public func best(_ scalar: Scalar) -> Double? {
    let values = values(of: scalar).map(\.value).filter { !$0.isNaN }
    return scalar.isLargerBetter ? values.max() : values.min()
  }

  /// The options that the run was started with, as typed, such as `--lr=0.01`; an option and its value
  /// are one text, also if they were two words.
  public var options: [String] { record.options }

  /// The number of epochs that have ended.
  public var epochs: Int { values(of: .trainLoss).count }
}

// MARK: What has become of a run

extension RunHistory {
  /// What has become of a run.
  package enum State: String, CaseIterable {
    /// Another process trains in its folder now.
    case running
    /// It was trained and tested.
    case finished
    /// It was stopped, killed or ended by an error before.
    case interrupted
  }

  /// What has become of the run.
  package var state: State {
    if TrainingRun.isHeld(folder) { return .running }
    let isTested = rows.last?.values.keys.contains { $0.name.hasPrefix("test_") } ?? false
    return isTested ? .finished : .interrupted
  }

  /// The state from which a run would be resumed.
  package struct SavedState: Decodable {
    /// The epoch, from 0.
    package let epoch: Int
    /// The steps made in it.
    package let step: Int
    /// The steps of the learning rate schedule, which ends with the training; nil without one.
    package let cycleSteps: Int?
    /// Whether, and after how many epochs without a smaller validation loss, training ends.
    package let earlyStopping: EarlyStopping
  }

  /// The state from which the run would be resumed; nil if none was saved, or the file is damaged.
  package var savedState: SavedState? {
    guard let file = try? Safetensors(contentsOf: TrainingRun.state(in: folder)),
      let json = file.metadata[TrainingState.key]
    else { return nil }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try? decoder.decode(SavedState.self, from: Data(json.utf8))
  }

  /// The metrics that have a value for each epoch or each test, in the order of the columns of
  /// `metrics.csv`.
  package var metrics: [Scalar] { scalars.filter { !$0.isOfStep } }

  /// The value of a metric that stands for the whole run: that of the last test, or the best one of
  /// all epochs. Nil if there is none.
  package func figure(_ metric: Scalar) -> Double? {
    metric.name.hasPrefix("test_") ? values(of: metric).last?.value : best(metric)
  }

  /// The metrics of each epoch that has ended. If the log has an epoch twice, the last one counts.
  package var epochValues: [(epoch: Int, values: [Scalar: Double])] {
    let metrics = Set(metrics.filter { !$0.name.hasPrefix("test_") })
    var epochs: [Int: [Scalar: Double]] = [:]
    for (epoch, values) in rows {
      let own = values.filter { metrics.contains($0.key) }
      if !own.isEmpty { epochs[epoch, default: [:]].merge(own) { $1 } }
    }
    return epochs.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// The metric that chooses the best weights.
  package var monitor: Scalar {
    guard case .text(let name) = settings["monitor"] else { return .valLoss }
    return Scalar(name)
  }

  /// The epoch whose weights are the best ones, with the smallest validation loss unless another metric
  /// was monitored; nil without validation.
  package var bestEpoch: Int? {
    let monitor = monitor
    let sign = monitor.isLargerBetter ? -1.0 : 1.0
    return values(of: monitor).filter { !$0.value.isNaN }
      .min { sign * $0.value < sign * $1.value }?.epoch
  }
}

// MARK: Options

extension RunRecord {
  /// The options as typed; an option and its value are one text, also if they were two words.
  fileprivate var options: [String] {
    var options: [String] = []
    for argument in arguments {
      if argument.hasPrefix("-") || options.isEmpty {
        options.append(argument)
      } else {
        options[options.count - 1] +=
          (options[options.count - 1].contains("=") ? " " : "=") + argument
      }
    }
    return options
  }

  /// The values of options, and the names of those that were given.
  fileprivate var settings: (values: [String: OptionValue], given: [String]) {
    var values: [String: OptionValue] = [
      "model_class": .text(modelClass), "data_class": .text(dataClass),
      "seed": OptionValue(typed: "\(seed)"),
    ]
    var given: [String] = []
    for option in options where option.hasPrefix("--") {
      let parts = option.dropFirst(2).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let (name, value) = (parts.first.map(String.init) ?? "", parts.dropFirst().first)
      // A flag that is one of the values of a model's option.
      let owner = value == nil ? modelOptions.first { $0.value == .text(name) }?.key : nil
      if owner == nil { values[name] = value.map { OptionValue(typed: String($0)) } ?? true }
      if !given.contains(owner ?? name) { given.append(owner ?? name) }
    }
    let known = modelOptions.mapValues { OptionValue(typed: "\($0)") }
      .merging((hyperparameters ?? [:]).mapValues { OptionValue(typed: $0) }) { $1 }
    return (values.merging(known) { $1 }, given)
  }
}

extension OptionValue {
  /// A value as it is typed on a command line: a truth value, a number, or any other text. Numbers are
  /// equal if they are written in different ways, such as `1e-3` and `0.001`.
  package init(typed text: String) {
    if let truth = Bool(text) {
      self = .bool(truth)
    } else if let number = Int(text) {
      self = .int(number)
    } else if text.wholeMatch(of: /[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?/) != nil,
      // Digits alone are an integer that Double may not have.
      text.contains(/[.eE]/), let number = Double(text), number.isFinite
    {
      self = Int(exactly: number).map { .int($0) } ?? .double(number)
    } else {
      self = .text(text)
    }
  }

  /// The number; nil if it is none.
  package var number: Double? {
    switch self {
    case .int(let number): Double(number)
    case .double(let number): number
    case .bool, .text: nil
    }
  }
}
