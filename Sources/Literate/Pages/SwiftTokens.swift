/// A token of Swift source for syntax highlighting.
package struct SwiftToken: Equatable, Sendable {
  package enum Kind: String, Sendable {
    case keyword, type, attribute, string, number, comment
    /// Names, operators, brackets and whitespace.
    case plain
  }

  package var kind: Kind
  package var text: String
}

/// The lexical structure of Swift source, as far as cells and their titles need it.
struct SwiftStructure {
  /// The tokens; those in an interpolation are apart from the string around it.
  let tokens: [(token: SwiftToken, isInterpolated: Bool)]
  /// For each line, whether it starts in a string, a comment or an interpolation.
  let startsInside: [Bool]

  init(_ source: String) {
    var reader = SwiftTokenReader(source, separatesInterpolations: true)
    reader.read(interpolated: false)
    tokens = Array(zip(reader.tokens, reader.areInterpolated))
    startsInside = reader.startsInside
  }
}

/// Splits Swift source into tokens, whose texts join to the source.
///
/// This is a heuristic for highlighting: a capitalized word is a type. Anything unknown is plain.
package func swiftTokens(of source: String) -> [SwiftToken] {
  var reader = SwiftTokenReader(source)
  reader.read(interpolated: false)
  return reader.tokens
}

private struct SwiftTokenReader {
  private let source: String
  private let separatesInterpolations: Bool
  private var place: String.Index
  /// The number of interpolations around the place.
  private var nesting = 0
  private(set) var tokens: [SwiftToken] = []
  private(set) var areInterpolated: [Bool] = []
  /// For each line so far, whether it starts in a string, a comment or an interpolation.
  private(set) var startsInside = [false]

  init(_ source: String, separatesInterpolations: Bool = false) {
    self.source = source
    self.separatesInterpolations = separatesInterpolations
    place = source.startIndex
  }

  private var rest: Substring { source[place...] }

  /// Reads to the end, or in a string interpolation to its closing parenthesis.
  mutating func read(interpolated: Bool) {
    var depth = 0
    while let next = rest.first {
      if interpolated, next == ")" {
        if depth == 0 { return }
        depth -= 1
      } else if next == "(" {
        depth += 1
      }
      readToken(next)
    }
  }

  private mutating func readToken(_ next: Character) {
    switch next {
    case "/" where rest.hasPrefix("//"): take(.comment, rest.prefix { !$0.isLineEnd }.count)
    case "/" where rest.hasPrefix("/*"): readBlockComment()
    case "/":
      // Between operands it is a division.
      let regex = startsExpression ? rest.prefixMatch(of: /\/[^\s\/](\\[^\r\n]|[^\/\r\n])*\//) : nil
      take(regex == nil ? .plain : .string, regex?.0.count ?? 1)
    case "\"", "#", "@":
      if let match = rest.prefixMatch(of: /(#*)("""|")/) {
        readString(marks: String(match.1), quote: String(match.2))
      } else if let match = rest.prefixMatch(of: /(#+)\/([^\r\n]*?|\s*\r?\n(?s:.*?))\/\1/) {
        take(.string, match.0.count)
      } else if let match = rest.prefixMatch(of: /[@#][\p{L}_][\p{L}\p{N}_]*/) {
        take(.attribute, match.0.count)
      } else {
        take(.plain, 1)
      }
    case "`": take(.plain, rest.prefixMatch(of: /`[^`\n]*`/)?.0.count ?? 1)
    case "0"..."9": take(.number, rest.prefixMatch(of: number)?.0.count ?? 1)
    case _ where next.isLetter || next == "_" || next == "$": readWord()
    default: take(.plain, 1)
    }
  }

  /// Block comments can be nested.
  private mutating func readBlockComment() {
    var depth = 0
    var end = place
    repeat {
      if source[end...].hasPrefix("/*") {
        depth += 1
        end = source.index(end, offsetBy: 2)
      } else if source[end...].hasPrefix("*/") {
        depth -= 1
        end = source.index(end, offsetBy: 2)
      } else {
        end = source.index(after: end)
      }
    } while depth > 0 && end < source.endIndex
    take(.comment, source.distance(from: place, to: end))
  }

  /// - Parameters:
  ///   - marks: The number signs before the string, which escapes inside need too.
  ///   - quote: One quotation mark, or three for a multiline string.
  private mutating func readString(marks: String, quote: String) {
    take(.string, marks.count + quote.count)
    while let next = rest.first {
      if rest.hasPrefix(quote + marks) {
        take(.string, quote.count + marks.count)
        return
      } else if rest.hasPrefix("\\" + marks + "(") {
        take(.string, marks.count + 2)
        nesting += 1
        read(interpolated: true)
        nesting -= 1
        if rest.first == ")" { take(.string, 1) }
      } else if rest.hasPrefix("\\" + marks) {
        take(.string, min(marks.count + 2, rest.count))
      } else if next.isLineEnd && quote.count == 1 {
        // An unterminated string ends with its line.
        return
      } else {
        take(.string, 1)
      }
    }
  }

  private mutating func readWord() {
    let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "$" }
    let isLabel = source[word.endIndex...].first == ":" && (before == "(" || before == ",")
    let isMember = source[..<place].last == "." && !source[..<place].hasSuffix("..")
    if keywords.contains(String(word)) && !isLabel && (!isMember || word == "self") {
      take(.keyword, word.count)
    } else if word.first?.isUppercase == true && !isLabel {
      take(.type, word.count)
    } else {
      take(.plain, word.count)
    }
  }

  /// The last character before, without whitespace and comments.
  private var before: Character? { lastToken?.last }

  /// The last token before with its last character, without whitespace and comments.
  private var lastToken: (kind: SwiftToken.Kind, last: Character)? {
    for token in tokens.reversed() where token.kind != .comment {
      if let last = token.text.last(where: { !$0.isWhitespace }) { return (token.kind, last) }
    }
    return nil
  }

  /// Whether an operand is expected, and no operator between two of them.
  private var startsExpression: Bool {
    guard let (kind, last) = lastToken else { return true }
    return kind == .keyword || kind == .plain && "(,=:[{;!&|?+-*<>~^%".contains(last)
  }

  private mutating func take(_ kind: SwiftToken.Kind, _ count: Int) {
    let end = source.index(place, offsetBy: count)
    let text = source[place..<end]
    place = end
    let isInside = kind == .string || kind == .comment || nesting > 0
    for character in text where character == "\n" || character == "\r\n" {
      startsInside.append(isInside)
    }
    let isInterpolated = nesting > 0
    if tokens.last?.kind == kind,
      !separatesInterpolations || areInterpolated.last == isInterpolated
    {
      tokens[tokens.count - 1].text += text
    } else {
      tokens.append(SwiftToken(kind: kind, text: String(text)))
      areInterpolated.append(isInterpolated)
    }
  }
}

extension Character {
  /// Whether the character ends a line of Swift; other characters of Unicode that end a line do not.
  fileprivate var isLineEnd: Bool { self == "\n" || self == "\r\n" || self == "\r" }
}

nonisolated(unsafe) private let number =
  /0x[0-9A-Fa-f_]+(\.[0-9A-Fa-f_]+)?(p[+-]?\d+)?|0[ob][0-7_]+|\d[\d_]*(\.\d[\d_]*)?([eE][+-]?\d+)?/

private let keywords: Set<String> = [
  "Any", "Self", "actor", "any", "as", "associatedtype", "async", "await", "borrowing", "break",
  "case", "catch", "class", "consuming", "continue", "convenience", "default", "defer", "deinit",
  "do", "else", "enum", "extension", "fallthrough", "false", "fileprivate", "final", "for", "func",
  "get", "guard", "if", "import", "in", "indirect", "infix", "init", "inout", "internal", "is",
  "isolated", "lazy", "let", "mutating", "nil", "nonisolated", "nonmutating", "open", "operator",
  "override", "package", "postfix", "precedencegroup", "prefix", "private", "protocol", "public",
  "repeat", "required", "rethrows", "return", "self", "set", "some", "static", "struct",
  "subscript",
  "super", "switch", "throw", "throws", "true", "try", "typealias", "unowned", "var", "weak",
  "where",
  "while",
]

extension HTML {
  /// Highlighted Swift source.
  package init(highlighting source: String) { self.init(swiftTokens(of: source)) }

  /// Highlighted tokens: each that is not plain is a `span` with its kind as class.
  init(_ tokens: [SwiftToken]) {
    self = tokens.map { token in
      token.kind == .plain
        ? "\(token.text)" : "<span class=\"\(token.kind.rawValue)\">\(token.text)</span>"
    }.joined()
  }
}
