/// Numbers as Python prints a tuple: `(1, 28, 28)`, `(128,)`.
package func pythonTuple(_ numbers: [Int]) -> String {
  let list = numbers.map(String.init).joined(separator: ", ")
  return numbers.count == 1 ? "(\(list),)" : "(\(list))"
}

/// A string as Python prints it in a list: in single quotes, unless it has some itself. Characters
/// that cannot be printed, with which a name could control a terminal, are escaped.
///
/// ```swift
/// pythonLiteral("\u{1b}[2J")   // '\x1b[2J'
/// ```
package func pythonLiteral(_ text: String) -> String {
  let escaped = text.unicodeScalars.map(pythonEscape).joined()
  guard text.contains("'") else { return "'\(escaped)'" }
  return text.contains("\"") ? "'\(escaped.replacing("'", with: "\\'"))'" : "\"\(escaped)\""
}

/// A character in a literal. Source: Python's `repr` and `str.isprintable`.
private func pythonEscape(_ scalar: Unicode.Scalar) -> String {
  func hexadecimal(_ prefix: String, _ digits: Int) -> String {
    let number = String(scalar.value, radix: 16)
    return prefix + String(repeating: "0", count: digits - number.count) + number
  }
  switch scalar {
  case "\\": return "\\\\"
  case "\n": return "\\n"
  case "\r": return "\\r"
  case "\t": return "\\t"
  case " ": return " "
  default: break
  }
  switch scalar.properties.generalCategory {
  case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
    .paragraphSeparator, .spaceSeparator:
    if scalar.value < 0x100 { return hexadecimal("\\x", 2) }
    return scalar.value < 0x10000 ? hexadecimal("\\u", 4) : hexadecimal("\\U", 8)
  default: return String(scalar)
  }
}
