/// Text as the course makes it of a corpus: tokens joined by a space, ASCII punctuation deleted, runs
/// of spaces made one.
///
/// ```swift
/// var text = CourseText()
/// for token in ["Don't", "--", "stop", "."] { text.append(token.utf8) }
/// String(decoding: text.bytes, as: UTF8.self)  // "Dont stop "
/// ```
package struct CourseText: Sendable {
  private static let space = UInt8(ascii: " ")

  /// The text so far, in ASCII.
  package private(set) var bytes: [UInt8] = []
  private var hasTokens = false

  package init() {}

  /// Adds a token.
  package mutating func append(_ token: some Sequence<UInt8>) {
    if hasTokens, bytes.last != Self.space { bytes.append(Self.space) }
    hasTokens = true
    for byte in token where !isPunctuation(byte) { bytes.append(byte) }
  }
}

/// Whether a byte is one of Python's `string.punctuation`.
private func isPunctuation(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e: true
  default: false
  }
}
