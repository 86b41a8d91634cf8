import Foundation
import Lab

/// What `lab runs --json` and `lab runs show --json` print.
indirect enum RunsJSON: Encodable {
  case null
  case bool(Bool)
  case int(Int)
  case unsigned(UInt64)
  case double(Double)
  case text(String)
  case list([RunsJSON])
  case object([String: RunsJSON])

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .int(let value): try container.encode(value)
    case .unsigned(let value): try container.encode(value)
    case .double(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    case .object(let values): try container.encode(values)
    }
  }

  /// A number, or null if JSON has none for it.
  static func figure(_ value: Double?) -> RunsJSON {
    value.flatMap { $0.isFinite ? .double($0) : nil } ?? .null
  }

  static func option(_ value: OptionValue) -> RunsJSON {
    switch value {
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .double(let value): figure(value)
    case .text(let value): .text(value)
    }
  }

  /// Prints a value, with the names of objects in alphabetical order.
  static func print(_ value: RunsJSON) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    if case .list(let values) = value, values.isEmpty { return Swift.print("[]") }
    Swift.print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  /// What is known of a run without looking at single epochs.
  static func summary(of run: RunHistory) -> [String: RunsJSON] {
    let record = run.record
    let figures = run.metrics.map { ($0.name, figure(run.figure($0))) }
    return [
      "run": .text(run.name), "folder": .text(run.folder.relativePath),
      "state": .text(run.state.rawValue),
      "started": .text(record.started.formatted(.iso8601)), "epochs": .int(run.epochs),
      "model_class": .text(record.modelClass), "data_class": .text(record.dataClass),
      "synthetic": .bool(record.isSynthetic), "seed": .unsigned(record.seed),
      "parameters": .int(record.parameters),
      "metrics": .object(Dictionary(figures) { first, _ in first }),
      "options": .object(run.settings.mapValues(option)),
    ]
  }
}
