/// What happens in a run of a notebook: told by the notebook, or seen by the runner.
///
/// The record has an event a line, in JSON:
///
/// ```text
/// {"event":"cell","title":"The data","line":12,…}
/// {"event":"text","stream":"standardOutput","text":"EMNIST Dataset\n"}
/// ```
package enum Event: Equatable, Sendable {
  /// The command line was understood; the notebook waits until the record is ready.
  case start(Start)
  /// All parameters have these values.
  case parameters(Parameters)
  /// The data in a folder are read: when they change, results may.
  case data(Folder)
  case fact(Page.Fact)
  case cell(Opening)
  case text(Text)
  /// The last state of a progress bar.
  case progress(Progress)
  case figure(Page.Figure)
  /// The notebook caught an error.
  case failure(Failure)
  case cellEnd(Cost)
  case end(Ending)

  package struct Start: Codable, Equatable, Sendable {}

  package struct Parameters: Codable, Equatable, Sendable {
    package var values: [Page.Fact]
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
    /// The time of the call and the largest resident memory so far, in bytes; the record has what
    /// they say with the cell before.
    package var time: Double?
    package var peakMemory: Int?
  }

  package struct Text: Codable, Equatable, Sendable {
    package var stream: Page.Stream
    package var text: String
  }

  package struct Progress: Codable, Equatable, Sendable {
    package var text: String
    /// `true` if no line ended behind the bar, or it was erased before.
    package var isErased: Bool?
  }

  package struct Failure: Codable, Equatable, Sendable {
    package var message: String
    package var line: Int?
  }

  /// What a cell took; nothing where times are not to be told.
  package struct Cost: Codable, Equatable, Sendable {
    package var seconds: Double?
    /// The largest resident memory so far, in bytes.
    package var peakMemory: Int?
  }

  /// How the program ended.
  package struct Ending: Codable, Equatable, Sendable {
    /// Why the notebook did not come to its end; nothing if it did.
    package var failure: Failure?
    package var seconds: Double?
  }
}

extension Event: Codable {
  private enum Name: String, Codable {
    case start, parameters, data, fact, cell, text, progress, figure, failure, cellEnd, end
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
      case .failure(let failure): (.failure, failure)
      case .cellEnd(let cost): (.cellEnd, cost)
      case .end(let ending): (.end, ending)
      }
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(name, forKey: .event)
    try contents.encode(to: encoder)
  }
}
