import Foundation
import LabDatasets

/// A training run as its folder tells it: what it was started with, and what it brought.
///
/// ```swift
/// let run = try RunHistory(of: folder)
/// run.best(.valAccuracy)        // the largest of all epochs
/// run.values(of: .trainLoss)    // (epoch: 0, value: 0.1498), …
/// ```
public struct RunHistory: Sendable {
  /// The run's folder.
  public let folder: URL
  /// What it was started with.
  public let record: RunRecord
  private let rows: [(epoch: Int, scalars: [Scalar: Double])]

  /// Reads `run.json`, and `metrics.csv` unless the run ended before there was one.
  ///
  /// - Throws: ``DataError`` if one of them cannot be read or is damaged.
  public init(of folder: URL) throws {
    self.folder = folder
    record = try RunRecord(contentsOf: TrainingRun.record(in: folder))
    let url = MetricsFile.url(in: folder)
    let hasBegun = FileManager.default.fileExists(atPath: url.path(percentEncoded: false))
    let text =
      try hasBegun ? withFile(url, "read") { try String(contentsOf: url, encoding: .utf8) } : ""
    // What stands behind the last line break is a row that was being written.
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    guard lines.first.map({ $0 == MetricsFile.titles }) ?? true else {
      throw Self.refusal(url, line: 1, expected: "\(MetricsFile.titles)")
    }
    rows = try lines.enumerated().dropFirst().map { place, line in
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      guard cells.count == 2 + Scalar.allCases.count, let epoch = Int(cells[0]) else {
        throw Self.refusal(
          url, line: place + 1, expected: "an epoch and \(1 + Scalar.allCases.count) more cells")
      }
      var scalars: [Scalar: Double] = [:]
      for (scalar, cell) in zip(Scalar.allCases, cells.dropFirst(2)) where !cell.isEmpty {
        guard let value = Double(cell) else {
          throw Self.refusal(url, line: place + 1, expected: "a number as \(scalar.rawValue)")
        }
        scalars[scalar] = value
      }
      return (epoch, scalars)
    }
  }

  private static func refusal(_ url: URL, line: Int, expected: String) -> DataError {
    let path = url.path(percentEncoded: false)
    return DataError(.damaged, "\(path): expected \(expected) in line \(line), got something else")
  }

  /// The run's name, such as `CNN-MNIST/version_0`.
  public var name: String {
    "\(folder.deletingLastPathComponent().lastPathComponent)/\(folder.lastPathComponent)"
  }

  /// All values of a scalar, in their order, with the epoch, from 0, that each belongs to.
  public func values(of scalar: Scalar) -> [(epoch: Int, value: Double)] {
    rows.compactMap { row in row.scalars[scalar].map { (row.epoch, $0) } }
  }

  /// The smallest value of a loss, or the largest one of an accuracy; nil if there is none.
  public func best(_ scalar: Scalar) -> Double? {
    let values = values(of: scalar).map(\.value).filter { !$0.isNaN }
    return scalar.isAccuracy ? values.max() : values.min()
  }

  /// The number of epochs that have ended.
  public var epochs: Int { values(of: .trainLoss).count }
}

extension Scalar {
  fileprivate var isAccuracy: Bool { rawValue.hasSuffix("_acc") }
}
