/// Makes lines of what a program prints, and one last state of a progress bar's many.
package struct Transcript {
  private var bytes: [UInt8] = []
  private var stream = Page.Stream.standardOutput

  package init() {}

  /// The events that are complete with the next bytes of a stream.
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

  /// The event of a line that has not ended, as something else happens.
  package mutating func flush() -> [Event] {
    defer { bytes = [] }
    return bytes.isEmpty ? [] : [event(bytes[...], end: "")].compactMap { $0 }
  }

  private func event(_ line: ArraySlice<UInt8>, end: String) -> Event? {
    let text = String(decoding: line, as: UTF8.self)
    guard text.unicodeScalars.contains("\r") else {
      return .text(.init(stream: stream, text: text + end))
    }
    let states = Self.states(of: text)
    guard let last = states.last(where: { !$0.isBlank }) else { return nil }
    let isErased = end.isEmpty || states.last?.isBlank == true
    return .progress(.init(text: last, isErased: isErased ? true : nil))
  }

  /// The last state of a bar that is drawn over and over again on one line; nil if there is none.
  static func lastState(of line: String) -> String? { states(of: line).last { !$0.isBlank } }

  private static func states(of line: String) -> [String] {
    line.unicodeScalars.split(separator: "\r")
      .map { String($0).replacing("\u{1b}[K", with: "") }
  }
}

extension String {
  fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }
}
