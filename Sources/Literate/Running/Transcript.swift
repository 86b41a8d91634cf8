/// Splits printed text into lines, and reduces a progress bar to its last state.
package struct Transcript {
  private var bytes: [UInt8] = []
  private var stream = Page.Stream.standardOutput

  package init() {}

  /// Reads bytes from a stream and returns the events they complete.
  package mutating func read(_ next: [UInt8], from stream: Page.Stream) -> [Event] {
    var events = stream == self.stream ? [] : flush()
    self.stream = stream
    bytes += next
    guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return events }
    let lines = bytes[...end].split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    events += lines.dropLast().compactMap { event($0, end: "\n") }
    bytes.removeSubrange(...end)
    return events
  }

  /// The event of an incomplete line.
  package mutating func flush() -> [Event] {
    defer { bytes = [] }
    return bytes.isEmpty ? [] : [event(bytes[...], end: "")].compactMap { $0 }
  }

  private func event(_ line: ArraySlice<UInt8>, end: String) -> Event? {
    let line = end.isEmpty ? line : Self.withoutReturns(line)
    let text = String(decoding: line, as: UTF8.self)
    guard line.contains(UInt8(ascii: "\r")) else {
      return .text(.init(stream: stream, text: text + end))
    }
    let states = Self.states(of: text)
    guard let last = states.last(where: { !$0.isBlank }) else { return nil }
    let isErased = end.isEmpty || states.last?.isBlank == true
    return .progress(.init(text: last, isErased: isErased ? true : nil))
  }

  /// Whether a line, with or without its end, is a progress bar that is redrawn. A line that only ends
  /// as on Windows is none.
  static func isBar(_ line: ArraySlice<UInt8>) -> Bool {
    guard line.last == UInt8(ascii: "\n") else { return line.contains(UInt8(ascii: "\r")) }
    return withoutReturns(line.dropLast()).contains(UInt8(ascii: "\r"))
  }

  /// The line without carriage returns at its end.
  private static func withoutReturns(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var line = line
    while line.last == UInt8(ascii: "\r") { line.removeLast() }
    return line
  }

  /// The last state of a progress bar that is redrawn on one line; `nil` if there is none.
  static func lastState(of line: String) -> String? { states(of: line).last { !$0.isBlank } }

  private static func states(of line: String) -> [String] {
    line.unicodeScalars.split(separator: "\r")
      .map { String($0).replacing("\u{1b}[K", with: "") }
  }
}

extension String {
  fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }
}

/// Removes the notice that Swift's runtime prints while it writes a crash report, with the empty lines
/// around it: it contains an address that differs from run to run.
package struct CrashNotice {
  private var emptyLines: [Event] = []
  private var wasSeen = false

  package init() {}

  /// The events to report after another event.
  package mutating func filter(_ event: Event) -> [Event] {
    if case .text(let line) = event, line.stream == .standardError {
      if line.text.hasPrefix("*** Signal "), line.text.contains(": Backtracing from 0x") {
        emptyLines = []
        wasSeen = true
        return []
      }
      if line.text == "\n" {
        if !wasSeen { emptyLines.append(event) }
        return []
      }
    }
    defer { emptyLines = [] }
    return emptyLines + [event]
  }
}
