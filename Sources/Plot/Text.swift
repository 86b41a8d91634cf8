import Foundation

/// The text with `␣` in place of spaces that would be invisible.
///
/// Those are leading and trailing spaces and spaces that follow another one, so that the label " " is
/// readable alone and in `Correct:  , Pred: e`:
///
/// ```swift
/// showingSpaces(" ")                      // "␣"
/// showingSpaces("Correct:  , Pred:  ")    // "Correct: ␣, Pred: ␣"
/// ```
package func showingSpaces(_ text: String) -> String {
  let characters = Array(text)
  func isSpace(_ i: Int) -> Bool { characters[i].isWhitespace && !characters[i].isNewline }
  func isEdge(_ i: Int) -> Bool { !characters.indices.contains(i) || characters[i].isNewline }
  return String(
    characters.indices.map { i in
      guard isSpace(i) else { return characters[i] }
      return isEdge(i - 1) || isEdge(i + 1) || isSpace(i - 1) ? "␣" : " "
    })
}

/// A number with a fixed number of decimals and a typographic minus sign.
///
/// ```swift
/// decimal(-0.5, 2)    // "−0.50"
/// ```
package func decimal(_ value: Double, _ count: Int) -> String {
  let digits = String(format: "%.\(count)f", abs(value))
  // A number that is rounded to zero has no sign.
  return (value < 0 && digits.contains { ("1"..."9").contains($0) } ? "−" : "") + digits
}

/// Text wrapped into lines.
package struct Paragraph: Equatable {
  package private(set) var lines: [String] = []
  /// Whether a word was longer than a line.
  package private(set) var hasBrokenWords = false

  /// Wraps text at spaces, and inside words only if they are longer than a line.
  ///
  /// - Parameters:
  ///   - text: The text; its line breaks are kept. Empty text has no lines.
  ///   - width: The maximum width of a line, in any unit.
  ///   - measure: Returns the width of text in that unit.
  package init(_ text: String, width: Double, measure: (String) -> Double) {
    guard !text.isEmpty else { return }
    for part in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      var line = ""
      for word in part.split(separator: " ") {
        let longer = line.isEmpty ? String(word) : "\(line) \(word)"
        if measure(longer) <= width {
          line = longer
          continue
        }
        if !line.isEmpty { lines.append(line) }
        line = String(word)
        while measure(line) > width && line.count > 1 {
          hasBrokenWords = true
          var fitting = 1
          while measure(String(line.prefix(fitting + 1))) <= width { fitting += 1 }
          lines.append(String(line.prefix(fitting)))
          line.removeFirst(fitting)
        }
      }
      lines.append(line)
    }
  }

  /// Truncates the text to `count` lines and marks that with an ellipsis.
  package mutating func cut(to count: Int, width: Double, measure: (String) -> Double) {
    guard lines.count > count, count > 0 else { return }
    lines.removeLast(lines.count - count)
    while !lines[count - 1].isEmpty && measure(lines[count - 1] + "…") > width {
      lines[count - 1].removeLast()
    }
    lines[count - 1] += "…"
  }
}
