import Foundation
import LabData
import LabNetworks
import LabTraining

/// The list of runs: a row for each run, with its best metrics and the options that differ.
package struct RunTable {
  private let runs: [RunHistory]

  package init(_ runs: [RunHistory]) {
    self.runs = runs
  }

  /// The metrics that have columns: those that always have one, and those of other objectives than
  /// classification.
  package var metrics: [Scalar] {
    func columns(_ part: String, _ first: [Scalar]) -> [Scalar] {
      let all = runs.flatMap(\.metrics).filter { $0.name.hasPrefix(part) && $0 != .testLoss }
      return all.reduce(into: first) { if !$0.contains($1) { $0.append($1) } }
    }
    return columns("val_", [.valLoss, .valAccuracy]) + columns("test_", [.testAccuracy])
  }

  /// The options that differ: those that at least one run was given, then those that several runs
  /// have, with other values. The model and the data come first, then what most runs have.
  ///
  /// An option that only some models have, and nobody gave, tells nothing but the model.
  package var options: [String] {
    let given = ["model_class", "data_class"] + runs.flatMap(\.given)
    let all = given + Set(runs.flatMap(\.settings.keys)).subtracting(given).sorted()
    let names = all.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let options = names.enumerated().compactMap { index, name in
      let values = runs.compactMap { $0.settings[name] }
      let isGiven = given.contains(name)
      let differs =
        values.contains { $0 != values.first } || (isGiven && values.count < runs.count)
      return differs ? (name: name, order: (isGiven ? 0 : 1, -values.count, index)) : nil
    }
    return options.sorted { $0.order < $1.order }.map(\.name)
  }

  /// The table with as many options as there is room for, and a line that names the others.
  ///
  /// - Parameter width: The length of a line; nil if that does not matter.
  package func text(width: Int? = nil) -> String {
    let options = self.options
    guard let width else { return lines(options, longestValue: .max) }
    // Without options the table is as it is, also if it is too wide.
    let fitting = (0...options.count).last { count in
      let rows = lines(Array(options.prefix(count)), longestValue: 24).split(separator: "\n")
      return count == 0 || rows.allSatisfy { $0.count <= width }
    }
    let shown = Array(options.prefix(fitting ?? 0))
    let table = lines(shown, longestValue: 24)
    guard shown.count < options.count else { return table }
    let others = options.dropFirst(shown.count).map { printable($0) }.joined(separator: ", ")
    let count = options.count - shown.count
    let line =
      "No room for \(count) option\(count == 1 ? "" : "s"), which lab runs --wide shows: \(others)"
    return table + "\n" + (line.count > width ? line.prefix(max(0, width - 1)) + "…" : line)
  }

  private func lines(_ options: [String], longestValue: Int) -> String {
    let metrics = self.metrics
    let rows = runs.map { run in
      [printable(run.name), Self.day(of: run.record.started), "\(run.epochs)"]
        + metrics.map { run.figure($0).map(Self.text) ?? "-" }
        + options.map { name in
          run.settings[name].map { Self.shortened("\($0)", longestValue) } ?? "-"
        }
    }
    let titles = metrics.map(\.name) + options
    return textTable(
      [["Run", "Started", "Epochs"] + titles.map { printable($0) }] + rows, left: 2)
  }

  /// The end of a path, or the beginning of any other text.
  private static func shortened(_ text: String, _ limit: Int) -> String {
    let text = printable(text, limit: .max)
    guard text.count > limit else { return text }
    return text.contains("/") ? "…" + text.suffix(limit - 1) : text.prefix(limit - 1) + "…"
  }

  /// A metric's figure as the list shows it.
  package static func text(of figure: Double) -> String { String(format: "%.4f", figure) }

  /// The day of a moment, in UTC, such as `2026-11-23`.
  package static func day(of date: Date) -> String {
    date.formatted(.iso8601.year().month().day())
  }
}
