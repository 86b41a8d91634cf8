import Foundation
import LabData

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
  private let rows: [(epoch: Int, values: [Scalar: Double])]

  /// Reads `run.json`, and `metrics.csv` if the run lasted long enough to have one.
  ///
  /// - Throws: ``DataError`` if one of them cannot be read or is damaged.
  public init(of folder: URL) throws {
    self.folder = folder
    record = try RunRecord(contentsOf: TrainingRun.record(in: folder))
    let table = try MetricsTable(contentsOf: MetricsFile.url(in: folder))
    (scalars, rows) = (table.columns, table.rows)
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
  public var options: [String] {
    var options: [String] = []
    for argument in record.arguments {
      if argument.hasPrefix("-") || options.isEmpty {
        options.append(argument)
      } else {
        options[options.count - 1] +=
          (options[options.count - 1].contains("=") ? " " : "=") + argument
      }
    }
    return options
  }

  /// The number of epochs that have ended.
  public var epochs: Int { values(of: .trainLoss).count }
}
