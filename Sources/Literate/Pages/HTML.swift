/// A piece of HTML. Interpolated text is escaped.
///
/// ```swift
/// let title = "a < b"
/// let heading: HTML = "<h1>\(title)</h1>"  // <h1>a &lt; b</h1>
/// ```
///
/// Interpolated HTML is not escaped again. Only ``init(trusted:)`` converts text to HTML without
/// escaping.
package struct HTML: Equatable, Sendable {
  package private(set) var text = ""

  /// HTML that is known to be safe: the output of cmark-gfm, or our own style sheet.
  package init(trusted text: String) {
    self.text = text
  }
}

extension HTML: ExpressibleByStringInterpolation {
  package init(stringLiteral literal: String) {
    text = literal
  }

  package init(stringInterpolation interpolation: StringInterpolation) {
    text = interpolation.text
  }

  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    package init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    package mutating func appendLiteral(_ literal: String) {
      text += literal
    }

    package mutating func appendInterpolation(_ html: HTML) {
      text += html.text
    }

    package mutating func appendInterpolation(_ number: Int) {
      text += String(number)
    }

    package mutating func appendInterpolation(_ text: String) {
      self.text += escaped(text)
    }
  }
}

extension Sequence<HTML> {
  package func joined(separator: HTML = "") -> HTML {
    HTML(trusted: map(\.text).joined(separator: separator.text))
  }
}

/// Escapes text for use between tags and in quoted attributes. Control characters, which HTML does not
/// allow, are left out.
private func escaped(_ text: String) -> String {
  let special = text.utf8.contains {
    $0 == 0x26 || $0 == 0x3C || $0 == 0x3E || $0 == 0x22 || $0 == 0xC2
      || $0 < 0x20 && $0 != 0x09 && $0 != 0x0A || $0 == 0x7F
  }
  guard special else { return text }
  var escaped = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": escaped += "&amp;"
    case "<": escaped += "&lt;"
    case ">": escaped += "&gt;"
    case "\"": escaped += "&quot;"
    case "\n", "\t": escaped.unicodeScalars.append(scalar)
    case _ where scalar.properties.generalCategory == .control: break
    default: escaped.unicodeScalars.append(scalar)
    }
  }
  return escaped
}
