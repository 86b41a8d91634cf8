/// Numbers as Python prints a tuple: `(1, 28, 28)`, `(128,)`.
package func pythonTuple(_ numbers: [Int]) -> String {
  let list = numbers.map(String.init).joined(separator: ", ")
  return numbers.count == 1 ? "(\(list),)" : "(\(list))"
}

/// A string as Python prints it in a list: in single quotes, unless it has some itself.
package func pythonLiteral(_ text: String) -> String {
  let escaped = text.replacing("\\", with: "\\\\")
  guard text.contains("'") else { return "'\(escaped)'" }
  return text.contains("\"") ? "'\(escaped.replacing("'", with: "\\'"))'" : "\"\(escaped)\""
}
