import Foundation
import LabData
import LabModels
import LabNetworks
import LabTraining

/// A property of a run by which runs are filtered and sorted.
package enum RunValue: Equatable {
  /// A metric's figure.
  case metric(Double)
  /// An option's value, or the number of epochs.
  case option(OptionValue)
  case date(Date)
  case text(String)
}

extension RunHistory {
  /// The properties that every run has.
  package static let properties = ["run", "started", "epochs", "state"]

  /// The names of all properties of a run: the common ones, metrics and options.
  package var propertyNames: [String] {
    Self.properties + metrics.map(\.name) + settings.keys.sorted()
  }

  /// A property of the run; nil if it has none of that name.
  ///
  /// - Parameter name: One of ``properties``, or the name of a metric or an option.
  package subscript(name: String) -> RunValue? {
    switch name {
    case "run": .text(self.name)
    case "started": .date(record.started)
    case "epochs": .option(.int(epochs))
    case "state": .text(state.rawValue)
    default:
      metrics.contains(Scalar(name))
        ? figure(Scalar(name)).map { .metric($0) } : settings[name].map { .option($0) }
    }
  }

  /// Throws if no run has a property.
  ///
  /// - Parameters:
  ///   - name: The property's name.
  ///   - option: The option of the command line that names it.
  ///   - runs: All runs.
  static func check(_ name: String, of option: String, in runs: [RunHistory]) throws {
    let names = Set(runs.flatMap(\.propertyNames))
    guard !names.contains(name) else { return }
    let hint =
      nearestName(to: name, in: names.sorted()).map { "did you mean \($0)?" }
      ?? "lab runs --json shows their names"
    throw TrainingError(
      "\(option): expected a metric or an option of the runs, or "
        + "\(properties.dropLast().joined(separator: ", ")) or \(properties.last ?? ""), got "
        + "\(printable(name)); \(hint)")
  }
}

/// A name as options spell it: `--max-epochs` is `max_epochs`.
private func spelled(_ name: Substring) -> String {
  String(name.drop { $0 == "-" }).replacing("-", with: "_")
}

/// A condition on runs, such as `val_acc>0.7` or `model_class=CNN`.
///
/// A run that lacks the property meets no condition but `!=`.
package struct RunCondition {
  private enum Comparison: String, CaseIterable {
    case atMost = "<="
    case atLeast = ">="
    case unequal = "!="
    case same = "=="
    case equal = "="
    case less = "<"
    case greater = ">"

    var isOrder: Bool { [.atMost, .atLeast, .less, .greater].contains(self) }

    /// Whether two values compare like this.
    func holds<Value: Comparable>(_ a: Value, _ b: Value) -> Bool {
      switch self {
      case .atMost: a <= b
      case .atLeast: a >= b
      case .unequal: a != b
      case .same, .equal: a == b
      case .less: a < b
      case .greater: a > b
      }
    }
  }

  /// The condition as typed.
  package let text: String
  private let name: String
  private let comparison: Comparison
  private let value: String

  /// - Parameter text: A name, one of `>`, `>=`, `<`, `<=`, `=`, `!=`, and a value.
  /// - Throws: ``TrainingError`` if it is something else.
  package init(_ text: String) throws {
    let trimmed = text.trimmingCharacters(in: .whitespaces)
    let start = trimmed.firstIndex { "<>=!".contains($0) }
    let comparison = start.flatMap { start in
      Comparison.allCases.first { trimmed[start...].hasPrefix($0.rawValue) }
    }
    let name = trimmed[..<(start ?? trimmed.endIndex)].trimmingCharacters(in: .whitespaces)
    guard let start, let comparison, !name.isEmpty else {
      throw TrainingError(
        "--where: expected a name, one of > >= < <= = != and a value, such as 'val_acc>0.7', got "
          + "\(trimmed.isEmpty ? "nothing" : printable(trimmed))")
    }
    self.text = trimmed
    self.name = spelled(name[...])
    self.comparison = comparison
    value = trimmed[start...].dropFirst(comparison.rawValue.count)
      .trimmingCharacters(in: .whitespaces)
    guard !value.isEmpty else {
      throw TrainingError("--where: expected a value after \(printable(trimmed)), got nothing")
    }
  }

  /// Throws if no run has the property, or if its values cannot be compared with the condition's.
  package func check(_ runs: [RunHistory]) throws {
    try RunHistory.check(name, of: "--where", in: runs)
    for run in runs { _ = try isMet(by: run) }
  }

  /// Whether a run meets the condition.
  ///
  /// - Throws: ``TrainingError`` if its value cannot be compared.
  package func isMet(by run: RunHistory) throws -> Bool {
    guard let own = run[name] else { return comparison == .unequal }
    switch own {
    case .metric(let figure):
      let number = try number()
      // What is shown as the same number is equal.
      return comparison.isOrder
        ? comparison.holds(figure, number)
        : comparison.holds(RunTable.text(of: figure), RunTable.text(of: number))
    case .date(let date): return try holds(for: date)
    case .text(let text):
      guard !comparison.isOrder else { throw expected("one of = and !=", for: name) }
      let states = RunHistory.State.allCases.map(\.rawValue)
      guard name != "state" || states.contains(value) else {
        throw expected(
          "one of \(states.joined(separator: ", "))", for: "state\(comparison.rawValue)")
      }
      return comparison.holds(text, value)
    case .option(let option):
      if let own = option.number, name == "epochs" || comparison.isOrder {
        return comparison.holds(own, try number())
      }
      guard !comparison.isOrder else {
        // Another run may have a number there, which the value must be.
        _ = try number()
        return false
      }
      return comparison.holds("\(option)", "\(OptionValue(typed: value))")
    }
  }

  private func number() throws -> Double {
    guard let number = OptionValue(typed: value).number else {
      throw expected("a number", for: "\(name)\(comparison.rawValue)")
    }
    return number
  }

  /// Compares days if the value is a day, else moments. Both are in UTC, as in the list.
  private func holds(for date: Date) throws -> Bool {
    if value.wholeMatch(of: /\d{4}-\d\d-\d\d/) != nil {
      return comparison.holds(RunTable.day(of: date), value)
    }
    guard let moment = try? Date(value, strategy: .iso8601) else {
      throw expected(
        "a date such as 2026-11-23 or 2026-11-23T09:30:00Z", for: "\(name)\(comparison.rawValue)")
    }
    return comparison.holds(date, moment)
  }

  private func expected(_ what: String, for place: String) -> TrainingError {
    TrainingError("--where: expected \(what) after \(place), got \(printable(text))")
  }
}

/// An order of runs, such as that of `--sort=-val_acc`.
package struct RunOrder {
  private let name: String
  private let isDescending: Bool

  /// - Parameters:
  ///   - text: The name of a property; a `-` before it reverses the order.
  ///   - isDescending: Whether the order is reversed in any case.
  /// - Throws: ``TrainingError`` if there is no name.
  package init(_ text: String, isDescending: Bool) throws {
    let trimmed = text.trimmingCharacters(in: .whitespaces)
    name = spelled(trimmed[...])
    self.isDescending = isDescending || (trimmed.hasPrefix("-") && !trimmed.hasPrefix("--"))
    guard !name.isEmpty else {
      throw TrainingError(
        "--sort: expected the name of a metric or an option, such as val_acc, got "
          + "\(trimmed.isEmpty ? "nothing" : printable(trimmed))")
    }
  }

  /// Throws if no run has the property.
  package func check(_ runs: [RunHistory]) throws {
    try RunHistory.check(name, of: "--sort", in: runs)
  }

  /// Sorts runs: numbers before texts, and at the end those that lack the property. Runs with equal
  /// values stay in their order.
  package func sorted(_ runs: [RunHistory]) -> [RunHistory] {
    let entries = runs.enumerated().map {
      (index: $0.offset, run: $0.element, key: $0.element[name])
    }
    return entries.sorted { a, b in
      guard let first = a.key, let second = b.key else {
        return (a.key == nil ? 1 : 0, a.index) < (b.key == nil ? 1 : 0, b.index)
      }
      let order = isDescending ? Self.order(second, first) : Self.order(first, second)
      return order == .orderedSame ? a.index < b.index : order == .orderedAscending
    }.map(\.run)
  }

  private static func order(_ a: RunValue, _ b: RunValue) -> ComparisonResult {
    func order<Value: Comparable>(_ a: Value, _ b: Value) -> ComparisonResult {
      a < b ? .orderedAscending : a == b ? .orderedSame : .orderedDescending
    }
    switch (number(a), number(b)) {
    case (let a?, let b?): return order(a, b)
    case (_?, nil): return .orderedAscending
    case (nil, _?): return .orderedDescending
    case (nil, nil): return text(a).compare(text(b), options: .numeric)
    }
  }

  private static func number(_ value: RunValue) -> Double? {
    switch value {
    case .metric(let figure): figure
    case .option(let option): option.number
    case .date(let date): date.timeIntervalSinceReferenceDate
    case .text: nil
    }
  }

  private static func text(_ value: RunValue) -> String {
    switch value {
    case .option(let option): "\(option)"
    case .text(let text): text
    case .metric, .date: ""
    }
  }
}
