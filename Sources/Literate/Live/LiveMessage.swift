import Foundation

/// A message to the pages in browsers, which `Sources/NotebookServer/Client/live.js` carries out.
enum LiveMessage {
  /// The state line.
  case state(LivePage.StateLine)
  /// A part of the page is replaced.
  case fragment(LivePage.Fragment)
  /// All parts of the page are replaced.
  case page(HTML)
  /// An output is added to a cell.
  case part(id: String, HTML)
  /// Text is added to the last output of a kind.
  case text(id: String, kind: String, String)
  /// What stands below the outputs of a cell that runs: a line that has not ended, and a progress bar.
  case tail(id: String, LiveTail)
  /// The server ends.
  case end

  /// The message in JSON, on one line.
  var json: String {
    var fields = Fields()
    switch self {
    case .state(let line): (fields.act, fields.state) = ("state", line)
    case .fragment(let fragment):
      (fields.act, fields.id) = ("fragment", fragment.id)
      (fields.html, fields.style) = (fragment.html.text, fragment.style)
    case .page(let html): (fields.act, fields.html) = ("page", html.text)
    case .part(let id, let html): (fields.act, fields.id, fields.html) = ("part", id, html.text)
    case .text(let id, let kind, let text):
      (fields.act, fields.id, fields.kind, fields.text) = ("text", id, kind, text)
    case .tail(let id, let tail):
      (fields.act, fields.id, fields.text) = ("tail", id, tail.text)
      (fields.label, fields.fraction) = (tail.bar?.label, tail.bar?.fraction)
    case .end: fields.act = "end"
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    // Texts, finite numbers and truth values can always be encoded.
    return (try? encoder.encode(fields)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  private struct Fields: Encodable {
    var act = ""
    var id: String?
    var html: String?
    var style: String?
    var kind: String?
    var text: String?
    var label: String?
    var fraction: Double?
    var state: LivePage.StateLine?
  }
}
