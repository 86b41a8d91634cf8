/// The first argument of a call: its source, and its value if it is a string literal without
/// interpolations.
struct SwiftArgument {
  /// The argument as written, such as `"Seed \(seed)"`.
  let source: String

  /// - Parameter tokens: The tokens of a call, from its name to its closing parenthesis.
  init(firstOf tokens: some Sequence<(token: SwiftToken, isInterpolated: Bool)>) {
    var text = ""
    var depth = 0
    reading: for (token, isInterpolated) in tokens {
      if token.kind == .comment { continue }
      guard token.kind == .plain, !isInterpolated else {
        if depth > 0 { text += token.text }
        continue
      }
      for character in token.text {
        if depth == 1, character == "," || character == ")" { break reading }
        if depth > 0 { text.append(character) }
        switch character {
        case "(", "[", "{": depth += 1
        case ")", "]", "}": depth -= 1
        default: break
        }
      }
    }
    source = String(text.drop(while: \.isWhitespace).trimmingEnd)
  }

  /// The title as far as the source shows it: the value of a literal, and of anything else the source
  /// without its quotation marks.
  var title: String {
    guard let literal = SwiftLiteral(source) else { return source }
    return literal.value ?? literal.contents
  }
}

/// A string literal of Swift, raw or not, of one line or of several.
struct SwiftLiteral {
  /// What is between the quotation marks.
  let contents: String
  private let marks: String
  private let isMultiline: Bool

  /// `nil` if the text is not a literal.
  init?(_ text: String) {
    marks = String(text.prefix { $0 == "#" })
    isMultiline = text.hasPrefix(marks + "\"\"\"")
    let quote = isMultiline ? "\"\"\"" : "\""
    let (start, end) = (marks + quote, quote + marks)
    guard text.hasPrefix(start), text.hasSuffix(end), text.count >= start.count + end.count else {
      return nil
    }
    contents = String(text.dropFirst(start.count).dropLast(end.count))
  }

  /// The value; `nil` if it is known only when the program runs.
  var value: String? {
    guard isMultiline else { return Self.unescaped(contents[...], marks: marks) }
    // The first line break and the last one do not belong to the text; the space before the closing
    // marks is missing in all lines.
    var lines = contents.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 2 else { return nil }
    let indentation = lines.removeLast()
    lines.removeFirst()
    let text = lines.map { $0.hasPrefix(indentation) ? $0.dropFirst(indentation.count) : "" }
      .joined(separator: "\n")
    return Self.unescaped(text[...], marks: marks)
  }

  private static func unescaped(_ text: Substring, marks: String) -> String? {
    let escape = "\\" + marks
    var (rest, value) = (text, "")
    while let next = rest.first {
      guard rest.hasPrefix(escape) else {
        value.append(next)
        rest.removeFirst()
        continue
      }
      rest = rest.dropFirst(escape.count)
      guard let kind = rest.popFirst() else { return nil }
      switch kind {
      case "n": value.append("\n")
      case "r": value.append("\r")
      case "t": value.append("\t")
      case "0": value.append("\0")
      case "\\", "\"", "'": value.append(kind)
      // A line of a multiline literal that goes on.
      case "\n": break
      case "u":
        guard let match = rest.prefixMatch(of: /\{([0-9A-Fa-f]{1,8})\}/),
          let scalar = UInt32(match.1, radix: 16).flatMap(Unicode.Scalar.init)
        else { return nil }
        value.unicodeScalars.append(scalar)
        rest = rest[match.range.upperBound...]
      default: return nil
      }
    }
    return value
  }
}

extension Substring {
  fileprivate var trimmingEnd: Substring {
    var text = self
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
