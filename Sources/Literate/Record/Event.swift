import Foundation

/// An event in a run of a notebook, reported by the notebook or observed by the runner.
///
/// The log has one event per line, in JSON:
///
/// ```text
/// {"event":"cell","title":"The data","line":12,…}
/// {"event":"text","stream":"standardOutput","text":"EMNIST Dataset\n"}
/// ```
package enum Event: Equatable, Sendable {
  /// The notebook has started and waits for the runner.
  case start(Start)
  /// The values of all parameters.
  case parameters(Parameters)
  /// The notebook reads data from a folder, on which its results depend.
  case data(Folder)
  case fact(Page.Fact)
  case cell(Opening)
  case text(Text)
  /// The last state of a progress bar.
  case progress(Progress)
  case figure(Page.Figure)
  /// A line about time, which differs from run to run.
  case time(Line)
  /// A value that the notebook shows.
  case inspection(Page.Inspection)
  /// The outputs that follow were computed by an earlier run.
  case cached(Page.Cached)
  /// A check begins.
  case checkStart(CheckStart)
  /// A check has ended.
  case check(CheckEnd)
  /// The notebook caught an error.
  case failure(Failure)
  case cellEnd(Cost)
  case end(Ending)

  package struct Start: Codable, Equatable, Sendable {}

  package struct Parameters: Codable, Equatable, Sendable {
    package var values: [Page.Fact]
    /// What each parameter accepts, for a form; `nil` in logs of older versions.
    package var declared: [ParameterDeclaration]?
  }

  package struct Folder: Codable, Equatable, Sendable {
    package var folder: String
  }

  /// A call of ``cell(_:expectedToFail:tolerance:ignoring:line:)``.
  package struct Opening: Codable, Equatable, Sendable {
    package var title: String
    package var line: Int
    package var expectedToFail = false
    package var tolerance = Tolerance.exact
    package var ignoring: [String] = []
    /// The time of the call and the peak resident memory so far, in bytes, which the runner logs with
    /// the previous cell.
    package var time: Double?
    package var peakMemory: Int?
  }

  package struct Text: Codable, Equatable, Sendable {
    package var stream: Page.Stream
    package var text: String
  }

  package struct Line: Codable, Equatable, Sendable {
    package var text: String
  }

  package struct Progress: Codable, Equatable, Sendable {
    package var text: String
    /// `true` if the bar was erased or its line did not end.
    package var isErased: Bool?
  }

  /// A call of ``check(key:_:points:timeLimit:line:_:)``.
  package struct CheckStart: Codable, Equatable, Sendable {
    package var name: String
    package var points: Double
    /// The time limit in seconds.
    package var timeLimit: Double
    package var line: Int
    /// The key of the call, by which a grader knows its own checks; not logged.
    package var key: String?
  }

  package struct CheckEnd: Codable, Equatable, Sendable {
    package var result: Page.Check
    /// The key of the call, as in ``CheckStart``.
    package var key: String?
  }

  package struct Failure: Codable, Equatable, Sendable {
    package var message: String
    package var line: Int?
  }

  /// The cost of a cell; empty if times are not recorded.
  package struct Cost: Codable, Equatable, Sendable {
    package var seconds: Double?
    /// The peak resident memory so far, in bytes.
    package var peakMemory: Int?
  }

  /// The end of the program.
  package struct Ending: Codable, Equatable, Sendable {
    /// The reason if the notebook failed.
    package var failure: Failure?
    package var seconds: Double?
  }
}

extension Event: Codable {
  private enum Name: String, Codable {
    case start, parameters, data, fact, cell, text, progress, figure, time, inspection, cached,
      checkStart, check, failure, cellEnd, end
  }

  private enum Key: CodingKey { case event }

  package init(from decoder: any Decoder) throws {
    let name = try decoder.container(keyedBy: Key.self).decode(Name.self, forKey: .event)
    self =
      switch name {
      case .start: .start(Start())
      case .parameters: .parameters(try Parameters(from: decoder))
      case .data: .data(try Folder(from: decoder))
      case .fact: .fact(try Page.Fact(from: decoder))
      case .cell: .cell(try Opening(from: decoder))
      case .text: .text(try Text(from: decoder))
      case .progress: .progress(try Progress(from: decoder))
      case .figure: .figure(try Page.Figure(from: decoder))
      case .time: .time(try Line(from: decoder))
      case .inspection: .inspection(try Page.Inspection(from: decoder))
      case .cached: .cached(try Page.Cached(from: decoder))
      case .checkStart: .checkStart(try CheckStart(from: decoder))
      case .check: .check(try CheckEnd(from: decoder))
      case .failure: .failure(try Failure(from: decoder))
      case .cellEnd: .cellEnd(try Cost(from: decoder))
      case .end: .end(try Ending(from: decoder))
      }
  }

  package func encode(to encoder: any Encoder) throws {
    let (name, contents): (Name, any Encodable) =
      switch self {
      case .start(let start): (.start, start)
      case .parameters(let values): (.parameters, values)
      case .data(let folder): (.data, folder)
      case .fact(let fact): (.fact, fact)
      case .cell(let opening): (.cell, opening)
      case .text(let text): (.text, text)
      case .progress(let progress): (.progress, progress)
      case .figure(let figure): (.figure, figure)
      case .time(let line): (.time, line)
      case .inspection(let inspection): (.inspection, inspection)
      case .cached(let cached): (.cached, cached)
      case .checkStart(let start): (.checkStart, start)
      case .check(let end): (.check, end)
      case .failure(let failure): (.failure, failure)
      case .cellEnd(let cost): (.cellEnd, cost)
      case .end(let ending): (.end, ending)
      }
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(name, forKey: .event)
    try contents.encode(to: encoder)
  }
}

extension Event {
  /// The event without the key of a check.
  var withoutKey: Event {
    switch self {
    case .checkStart(var start):
      start.key = nil
      return .checkStart(start)
    case .check(var end):
      end.key = nil
      return .check(end)
    default: return self
    }
  }

  /// The event as a line of JSON with sorted keys.
  ///
  /// - Throws: The encoder's error, such as for NaN.
  package var line: String {
    get throws { try jsonText(of: self, formatting: []) }
  }

  /// Decodes an event from a line of JSON.
  ///
  /// - Throws: The decoder's error.
  package init(line: some StringProtocol) throws {
    self = try JSONDecoder().decode(Event.self, from: Data(line.utf8))
  }
}

/// A value as JSON with sorted keys and a final line break.
///
/// - Parameters:
///   - value: The value.
///   - formatting: Further formatting options.
/// - Throws: The encoder's error, such as for NaN.
func jsonText(
  of value: some Encodable, formatting: JSONEncoder.OutputFormatting = .prettyPrinted
) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
  return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
}
