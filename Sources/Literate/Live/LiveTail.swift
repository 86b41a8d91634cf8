/// The end of what a cell has printed so far: lines that are not complete, such as a progress bar that
/// moves.
struct LiveTail: Equatable {
  /// A progress bar.
  struct Bar: Equatable {
    /// The text without the bar's own drawing.
    var label: String
    /// From 0 to 1; `nil` if the text has no percentage.
    var fraction: Double?
  }

  private var lines: [Page.Stream: [UInt8]] = [:]

  /// The most bytes of a line that are kept.
  private static let limit = 1 << 12

  mutating func read(_ bytes: [UInt8], _ stream: Page.Stream) {
    var line = lines[stream] ?? []
    if let end = bytes.lastIndex(of: UInt8(ascii: "\n")) {
      line = Array(bytes[(end + 1)...])
    } else {
      line += bytes
    }
    // Of a bar only the last state counts.
    if let start = line.lastIndex(of: UInt8(ascii: "\r")) { line.removeSubrange(..<start) }
    lines[stream] = line.count > Self.limit ? Array(line.prefix(Self.limit)) : line
  }

  /// The progress bar; `nil` if there is none.
  var bar: Bar? {
    for stream in [Page.Stream.standardError, .standardOutput] {
      guard let line = lines[stream], line.first == UInt8(ascii: "\r") else { continue }
      let text = plainText(String(decoding: line.dropFirst(), as: UTF8.self))
      if text.contains(where: { !$0.isWhitespace }) { return Bar(text) }
    }
    return nil
  }

  /// A line that has not ended yet; `nil` if there is none.
  var text: String? {
    for stream in [Page.Stream.standardOutput, .standardError] {
      guard let line = lines[stream], !line.isEmpty, line.first != UInt8(ascii: "\r") else {
        continue
      }
      let text = plainText(String(decoding: line, as: UTF8.self))
      if !text.isEmpty { return text }
    }
    return nil
  }
}

extension LiveTail.Bar {
  /// `Epoch 0:  42%|█████     | 855/2033 [0:39<0:54]` becomes `Epoch 0: 42%, 855/2033 [0:39<0:54]`.
  init(_ text: String) {
    fraction = text.firstMatch(of: /([0-9]{1,3}(?:\.[0-9]+)?) ?%/).flatMap { Double($0.1) }
      .map { min(max($0 / 100, 0), 1) }
    label = text.replacing(/%\|[^|]*\| */) { _ in "%, " }
      .split(separator: " ").joined(separator: " ")
  }
}
