import Foundation

/// What a notebook's `main.swift` says: a title and an introduction, code before the cells, cells.
///
/// ```swift
/// // # Look at the data                        the title
/// //
/// // What this is about, in *Markdown*.        the introduction
///
/// import Lab                                   the setup
///
/// // What the cell shows.                      the first cell's prose
/// cell("The first batch")
/// print(batch)                                 its code
/// ```
package struct NotebookSource: Sendable {
  package var title: String
  package var introduction: String
  package var setup: String
  package var cells: [Cell]

  /// A cell as the source has it.
  package struct Cell: Sendable {
    package var id: String
    package var title: String
    /// The line of the call `cell(…)`, counted from 1.
    package var line: Int
    package var prose: String
    /// Without the call.
    package var code: String
  }

  /// - Parameters:
  ///   - text: The text of `main.swift`.
  ///   - name: The notebook's name, for one without a title.
  package init(_ text: String, name: String) {
    let lines = SourceLine.lines(of: text)
    let opening = lines.prefix { $0.isProse }
    var markdown = opening.map(\.markdown)
    title = name
    if let first = markdown.first, first.hasPrefix("# ") {
      title = String(first.dropFirst(2))
      markdown.removeFirst()
    }
    introduction = trimmed(markdown)

    let calls = lines.indices.filter { lines[$0].isCell }
    // A cell begins with its prose, right above its call.
    let starts = calls.map { call in
      let prose = lines[opening.count..<call].reversed().prefix { $0.isProse }
      return call - prose.count
    }
    setup = trimmed(lines[opening.count..<(starts.first ?? lines.count)].map(\.text))
    // A check keeps a run's parameters under this name, beside the cells' output.
    var identifiers = Identifiers(reserved: ["parameters"])
    cells = []
    for (place, call) in calls.enumerated() {
      let end = place + 1 < starts.count ? starts[place + 1] : lines.count
      let (title, callEnd) = Self.call(in: lines[call..<end])
      cells.append(
        Cell(
          id: identifiers.next(for: title), title: title, line: call + 1,
          prose: trimmed(lines[starts[place]..<call].map(\.markdown)),
          code: trimmed(lines[callEnd..<end].map(\.text))))
    }
  }

  /// The title in a call, and the line behind the call.
  private static func call(in lines: ArraySlice<SourceLine>) -> (title: String, end: Int) {
    var title: String?
    var literal = ""
    var (depth, isLiteral, isEscaped) = (0, false, false)
    for index in lines.indices {
      for character in lines[index].text {
        switch character {
        case _ where isEscaped:
          literal.append(character)
          isEscaped = false
        case "\\" where isLiteral: isEscaped = true
        case "\"":
          if isLiteral, title == nil { title = literal }
          isLiteral.toggle()
        case _ where isLiteral: literal.append(character)
        case "(": depth += 1
        case ")": depth -= 1
        default: break
        }
      }
      if depth == 0 { return (title ?? "", index + 1) }
    }
    return (title ?? "", lines.endIndex)
  }

  /// All code, without the comments that are prose: what decides on the results.
  package var code: String { ([setup] + cells.map { "\($0.title)\n\($0.code)" }).joined() }
}

/// A line of Swift.
private struct SourceLine {
  let text: String
  /// Whether the line stands in a text of several lines, where `//` begins no comment.
  let isInString: Bool

  static func lines(of text: String) -> [SourceLine] {
    var isInString = false
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      defer {
        if (line.components(separatedBy: "\"\"\"").count - 1) % 2 == 1 { isInString.toggle() }
      }
      return SourceLine(text: String(line), isInString: isInString)
    }
  }

  /// A comment of its own at the left edge, which is not a declaration's documentation.
  var isProse: Bool {
    !isInString && text.hasPrefix("//") && !text.hasPrefix("///")
  }

  var isCell: Bool { !isInString && text.hasPrefix("cell(") }

  /// The comment's text.
  var markdown: String {
    let comment = text.dropFirst(2)
    return String(comment.first == " " ? comment.dropFirst() : comment)
  }
}

/// The lines as one text, without empty ones at its start and end.
private func trimmed(_ lines: some BidirectionalCollection<String>) -> String {
  let isEmpty = { (line: String) in line.allSatisfy(\.isWhitespace) }
  var lines = lines.drop(while: isEmpty).map { $0 }
  while let last = lines.last, isEmpty(last) { lines.removeLast() }
  return lines.joined(separator: "\n")
}
