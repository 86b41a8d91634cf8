/// A piece of an English text that is translated as a whole: a title, a paragraph, or a section.
package struct OriginalPiece: Equatable, Sendable {
  package enum Kind: String, Sendable {
    /// The title of a notebook, or of a cell.
    case title, cell
    /// A paragraph.
    case text
    /// A section of a document, with its heading.
    case section
  }

  package var kind: Kind
  package var text: String
  /// The line of the source, counted from 1.
  package var line: Int
  /// The title of its cell or section; empty for what is before the first one.
  package var place: String
  /// The identifier of its cell; empty for what is before the first one.
  package var cell = ""

  /// The checksum that stands beside the translation.
  package var hash: String { Self.hash(of: text) }

  /// The checksum of a text: eight hexadecimal digits that do not depend on where its lines are broken.
  /// In fenced code they do.
  package static func hash(of text: String) -> String {
    var sum = Checksum()
    for block in paragraphs(of: text) {
      let words =
        block.isCode
        ? block.text.split(separator: "\n", omittingEmptySubsequences: false)
        : block.text.split(whereSeparator: \.isWhitespace)
      for word in words {
        sum.add(String(word))
        sum.add("\n")
      }
      sum.add("\n")
    }
    return String(sum.text.suffix(8))
  }
}

/// The paragraphs of a text: what is between empty lines, and fenced code as a whole.
///
/// - Returns: The text of each paragraph, the index of its first line, and whether it is fenced code.
package func paragraphs(of text: String) -> [(text: String, line: Int, isCode: Bool)] {
  var found: [(text: String, line: Int, isCode: Bool)] = []
  var lines: [Substring] = []
  var (first, fence) = (0, Substring())
  func flush() {
    if !lines.isEmpty {
      found.append((lines.joined(separator: "\n"), first, isFence(lines[0])))
    }
    lines = []
  }
  for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
    let isBlank = line.allSatisfy(\.isWhitespace)
    if isBlank, fence.isEmpty {
      flush()
      continue
    }
    if fence.isEmpty, isFence(line) {
      flush()
      fence = marks(of: line)
    } else if !fence.isEmpty, marks(of: line).hasPrefix(fence) {
      fence = ""
      if lines.isEmpty { first = index }
      lines.append(line)
      flush()
      continue
    }
    if lines.isEmpty { first = index }
    lines.append(line)
  }
  flush()
  return found
}

/// Whether a line starts or ends fenced code.
private func isFence(_ line: Substring) -> Bool { !marks(of: line).isEmpty }

/// The three or more backticks or tildes at the start of a line; empty if there are none.
private func marks(of line: Substring) -> Substring {
  let line = line.drop { $0 == " " }
  let marks = line.prefix { $0 == "`" || $0 == "~" }
  return marks.count >= 3 && Set(marks).count == 1 ? marks : ""
}

extension NotebookSource {
  /// What of a notebook is translated, in order: its title, its introduction, and the title and the
  /// prose of each cell.
  package var originalPieces: [OriginalPiece] {
    var pieces = [OriginalPiece(kind: .title, text: title, line: 1, place: "")]
    func add(_ prose: String, from line: Int, in cell: Cell?) {
      pieces += paragraphs(of: prose).map {
        OriginalPiece(
          kind: .text, text: $0.text, line: line + $0.line, place: cell?.title ?? "",
          cell: cell?.id ?? "")
      }
    }
    add(introduction, from: introductionLine, in: nil)
    for cell in cells {
      pieces.append(
        OriginalPiece(
          kind: .cell, text: cell.title, line: cell.line, place: cell.title, cell: cell.id))
      add(cell.prose, from: cell.proseLine, in: cell)
    }
    return pieces
  }
}

/// The sections of a Markdown document: what is before the first heading of the second level, and what
/// follows each of them.
package func sections(of text: String) -> [OriginalPiece] {
  var sections: [OriginalPiece] = []
  var (lines, start, place) = ([String](), 1, "")
  func flush() {
    let text = lines.joined(separator: "\n")
    if text.contains(where: { !$0.isWhitespace }) {
      sections.append(OriginalPiece(kind: .section, text: text, line: start, place: place))
    }
    lines = []
  }
  var fence = Substring()
  let all = withUnixLineEnds(text).split(separator: "\n", omittingEmptySubsequences: false)
  for (index, line) in all.enumerated() {
    if fence.isEmpty, line.hasPrefix("## ") {
      flush()
      (start, place) = (index + 1, String(line.dropFirst(3)))
    }
    let marks = marks(of: line)
    if fence.isEmpty {
      fence = marks
    } else if !marks.isEmpty, marks.hasPrefix(fence) {
      fence = ""
    }
    lines.append(String(line))
  }
  flush()
  return sections
}
