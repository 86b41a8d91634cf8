import Foundation

/// The parsed source of a notebook's `main.swift`: title, introduction, setup code and cells.
///
/// ```swift
/// // # Look at the data                       the title
/// //
/// // An overview, in *Markdown*.              the introduction
///
/// import Lab                                  the setup
///
/// // About the cell.                          the prose of the first cell
/// cell("The first batch")
/// print(batch)                                its code
/// ```
package struct NotebookSource: Sendable {
  package var title: String
  package var introduction: String
  /// The line where the introduction starts, counted from 1.
  package var introductionLine: Int
  package var setup: String
  package var cells: [Cell]

  /// A cell of the source.
  package struct Cell: Sendable {
    package var id: String
    /// The title as far as the source shows it; the program reports it in full.
    package var title: String
    /// The line of the call `cell(…)`, counted from 1.
    package var line: Int
    package var prose: String
    /// The line where the prose starts, counted from 1.
    package var proseLine: Int
    /// The code without the call.
    package var code: String
  }

  /// - Parameters:
  ///   - text: The text of `main.swift`.
  ///   - name: The name of the notebook, which is the default title.
  package init(_ text: String, name: String) {
    let lines = SourceLine.lines(of: withUnixLineEnds(text))
    let opening = lines.prefix { $0.isProse }
    var markdown = opening.map(\.markdown)
    title = name
    if let first = markdown.first, first.hasPrefix("# ") {
      title = String(first.dropFirst(2))
      markdown.removeFirst()
    }
    introduction = trimmed(markdown)
    introductionLine = 1 + opening.count - markdown.drop(while: \.isBlank).count

    let calls = lines.indices.filter { lines[$0].isCell }
    // A cell starts with its prose, directly above its call.
    let starts = calls.map { call in
      let prose = lines[opening.count..<call].reversed().prefix { $0.isProse }
      return call - prose.count
    }
    setup = trimmed(lines[opening.count..<(starts.first ?? lines.count)].map(\.text))
    // A check stores the parameters under this name, beside the output of cells.
    var identifiers = Identifiers(reserved: ["parameters"])
    cells = []
    for (index, call) in calls.enumerated() {
      let end = index + 1 < starts.count ? starts[index + 1] : lines.count
      let (title, lineCount) = Self.call(in: lines[call..<end])
      let prose = lines[starts[index]..<call].map(\.markdown)
      cells.append(
        Cell(
          id: identifiers.next(for: title), title: title, line: call + 1,
          prose: trimmed(prose), proseLine: call + 1 - prose.drop(while: \.isBlank).count,
          code: trimmed(lines[(call + lineCount)..<end].map(\.text))))
    }
  }

  /// The title in a call, and the number of lines of the call.
  private static func call(in lines: ArraySlice<SourceLine>) -> (title: String, lineCount: Int) {
    let structure = SwiftStructure(lines.map(\.text).joined(separator: "\n"))
    let title = SwiftArgument(firstOf: structure.tokens).title
    var (depth, lineCount) = (0, 1)
    for (token, isInterpolated) in structure.tokens {
      for character in token.text {
        if character == "\n" { lineCount += 1 }
        guard token.kind == .plain, !isInterpolated else { continue }
        if character == "(" { depth += 1 }
        if character == ")" { depth -= 1 }
        if character == ")", depth == 0 { return (title, lineCount) }
      }
    }
    return (title, lines.count)
  }

  /// The cell that a program reports; `nil` if its call is not at the left edge of the source.
  package func cell(for opening: Event.Opening) -> Cell? {
    cells.first { $0.line == opening.line } ?? cells.first { $0.title == opening.title }
  }

  /// All code without prose: the part of the source that results depend on.
  package var code: String { ([setup] + cells.map { "\($0.title)\n\($0.code)" }).joined() }
}

/// Whether a text can be the whole of a cell: no bracket, string or comment goes on after its end.
package func isCompleteSwift(_ code: String) -> Bool {
  // A line that follows starts inside of what is not closed.
  let structure = SwiftStructure(code + "\n")
  if structure.startsInside.last == true { return false }
  var depth = 0
  for (token, _) in structure.tokens where token.kind == .plain {
    for character in token.text {
      if "([{".contains(character) { depth += 1 }
      if ")]}".contains(character) { depth -= 1 }
    }
  }
  return depth <= 0
}

/// A line of Swift.
private struct SourceLine {
  let text: String
  /// Whether the line starts in a string or in a comment, where there are neither cells nor prose.
  let startsInside: Bool

  static func lines(of text: String) -> [SourceLine] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return zip(lines, SwiftStructure(text).startsInside).map {
      SourceLine(text: String($0), startsInside: $1)
    }
  }

  /// Whether the line is a comment at the left edge that is not documentation.
  var isProse: Bool {
    !startsInside && text.hasPrefix("//") && !text.hasPrefix("///")
  }

  var isCell: Bool { !startsInside && text.hasPrefix("cell(") }

  /// The comment's text.
  var markdown: String {
    let comment = text.dropFirst(2)
    return String(comment.first == " " ? comment.dropFirst() : comment)
  }
}

/// The lines as text, without leading and trailing empty lines.
private func trimmed(_ lines: some BidirectionalCollection<String>) -> String {
  var lines = lines.drop(while: \.isBlank).map { $0 }
  while let last = lines.last, last.isBlank { lines.removeLast() }
  return lines.joined(separator: "\n")
}

extension String {
  fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }
}
