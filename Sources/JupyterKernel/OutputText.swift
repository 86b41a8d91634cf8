import Literate

/// Collects what a program prints until it is sent: many short texts become few.
///
/// A progress bar is redrawn in its line with a carriage return, which front ends understand, and erased
/// with a sequence of terminals, which they do not: spaces replace it. Bars go to standard output,
/// because front ends show standard error in red.
package struct OutputText {
  /// A text that is ready.
  package struct Piece: Equatable {
    package var name: String
    package var text: String
  }

  private var pieces: [Piece] = []
  /// Bytes of an incomplete character or escape sequence, by stream.
  private var rests: [Page.Stream: [UInt8]] = [:]
  /// The state of the bar; `nil` outside a line that is redrawn.
  private var bar: String?
  /// Whether the state was not yet sent.
  private var isBarNew = false
  /// The number of characters of the bar that are shown.
  private var shown = 0
  private var hasJustErased = false

  package init() {}

  /// The number of bytes that wait.
  package private(set) var size = 0
  package var isEmpty: Bool { pieces.isEmpty && !isBarNew }
  /// Whether nothing but a bar waits.
  package var isOnlyBar: Bool { pieces.isEmpty && isBarNew }

  package mutating func add(_ bytes: [UInt8], _ stream: Page.Stream) {
    let all = (rests[stream] ?? []) + bytes
    let end = Self.completeCount(all)
    rests[stream] = Array(all[end...])
    let text = String(decoding: all[..<end], as: UTF8.self)
    if stream == .standardOutput { append(text, "stdout") } else { addErrors(text) }
  }

  /// Removes the line of an error at the end of the text: it is shown as an error.
  package mutating func removeLast(_ line: String) {
    guard let last = pieces.last, last.name == "stderr", last.text.hasSuffix(line) else { return }
    pieces[pieces.count - 1].text.removeLast(line.count)
    if pieces[pieces.count - 1].text.isEmpty { pieces.removeLast() }
  }

  /// Everything that is ready.
  ///
  /// - Parameter isLast: Whether no more follows.
  package mutating func take(isLast: Bool = false) -> [Piece] {
    sendBar()
    var (ready, held) = (pieces, [Piece]())
    // The notice of a crash ends when the report is written, maybe a second later.
    if !isLast, let last = ready.last, last.name == "stderr",
      let start = last.text.firstRange(of: /\n*\*\*\* Signal [^\n]*$/)?.lowerBound
    {
      held = [Piece(name: last.name, text: String(last.text[start...]))]
      ready[ready.count - 1].text = String(last.text[..<start])
    }
    (pieces, size) = (held, held.reduce(0) { $0 + $1.text.utf8.count })
    return ready.compactMap { piece in
      let text =
        piece.name == "stderr"
        ? piece.text.replacing(Self.notice, with: "").replacing(Self.fatalError, with: "")
        : piece.text
      return text.isEmpty ? nil : Piece(name: piece.name, text: text)
    }
  }

  /// What Swift's runtime prints while it writes a crash report.
  private static var notice: Regex<Substring> {
    /\n*\*\*\* Signal [0-9]+: Backtracing from 0x[^\n]*\n+/
  }

  /// What Swift prints before it traps, with a line of the program: the error has the cell's.
  private static var fatalError: Regex<Substring> {
    /[^\n ]*main\.swift:[0-9]+: Fatal error: [^\n]*\n?/
  }

  /// The number of bytes up to an incomplete character or escape sequence at the end.
  private static func completeCount(_ bytes: [UInt8]) -> Int {
    let tail = bytes.suffix(16)
    if let escape = tail.lastIndex(of: 0x1b) {
      let after = bytes[(escape + 1)...]
      let isOver =
        after.first.map { $0 != 0x5b } == true
        || after.dropFirst().contains { (0x40...0x7e).contains($0) }
      if !isOver { return escape }
    }
    var start = bytes.endIndex
    while start > 0, bytes.endIndex - start < 4 {
      start -= 1
      let byte = bytes[start]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return start + length > bytes.endIndex ? start : bytes.endIndex
    }
    return bytes.endIndex
  }

  private mutating func append(_ text: String, _ name: String) {
    guard !text.isEmpty else { return }
    sendBar()
    // What follows a bar on its line overwrites it.
    if text.contains("\n") { shown = 0 }
    hasJustErased = false
    put(text, name)
  }

  private mutating func put(_ text: String, _ name: String) {
    size += text.utf8.count
    if pieces.last?.name == name {
      pieces[pieces.count - 1].text += text
    } else {
      pieces.append(Piece(name: name, text: text))
    }
  }

  private mutating func addErrors(_ text: String) {
    var plain = ""
    var rest = Substring(text).unicodeScalars
    func flushed() -> String {
      defer { plain = "" }
      return plain
    }
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\r" where rest.first == "\n": continue
      case "\r":
        append(flushed(), "stderr")
        bar = ""
        isBarNew = true
      case "\n":
        if let last = bar {
          bar = nil
          if !last.allSatisfy(\.isWhitespace) {
            redraw(last)
            put("\n", "stdout")
          }
          (isBarNew, shown) = (false, 0)
        } else if !hasJustErased {
          plain += "\n"
        }
        hasJustErased = false
      case "\u{1b}" where rest.first == "[":
        let sequence = rest.prefix { !("A"..."Z").contains($0) && !("a"..."z").contains($0) }
        rest = rest.dropFirst(sequence.count)
        guard let end = rest.popFirst() else { break }
        if bar == nil {
          plain.unicodeScalars += [scalar] + Array(sequence) + [end]
        } else if end == "K", bar == "" {
          eraseBar()
        }
      default:
        hasJustErased = false
        if bar == nil {
          plain.unicodeScalars.append(scalar)
        } else {
          bar?.unicodeScalars.append(scalar)
        }
      }
    }
    append(flushed(), "stderr")
  }

  private mutating func eraseBar() {
    if shown > 0 { put("\r\(String(repeating: " ", count: shown))\r", "stdout") }
    (bar, isBarNew, shown, hasJustErased) = (nil, false, 0, true)
  }

  private mutating func sendBar() {
    guard isBarNew, let bar else { return }
    redraw(bar)
    isBarNew = false
  }

  private mutating func redraw(_ state: String) {
    put("\r\(state)\(String(repeating: " ", count: max(0, shown - state.count)))", "stdout")
    shown = state.count
  }
}
