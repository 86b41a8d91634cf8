import Foundation

/// A Jupyter notebook as the beginning of a notebook in Swift: its prose as it is, its code as comments to
/// translate. Outputs and images are left out.
package struct JupyterSource {
  private var title: String?
  private var introduction: [String] = []
  private var cells: [Cell] = []
  private let language: String

  private struct Cell {
    var title: String
    var prose: [String]
    /// The lines of the original's code, and notes about what was left out.
    var code: [String]
  }

  /// - Parameters:
  ///   - data: The bytes of an `.ipynb` file, in format 4.
  ///   - name: The file's name in errors.
  /// - Throws: ``NotebookError`` if it is none.
  package init(_ data: Data, named name: String) throws {
    let file: JupyterFile
    do {
      file = try JSONDecoder().decode(JupyterFile.self, from: data)
    } catch {
      throw NotebookError(
        "\(name): expected a Jupyter notebook, got a file that is none or is damaged")
    }
    guard file.nbformat == 4, let cells = file.cells else {
      throw NotebookError(
        "\(name): expected a Jupyter notebook of format 4, got format \(file.nbformat ?? 0); open it in "
          + "Jupyter and save it")
    }
    language = plainText(file.language ?? "Python")
    var titles: Set<String> = []
    var prose: [String] = []
    for cell in cells {
      let text = lines(of: cell.source)
      switch cell.kind {
      case "code":
        guard text.contains(where: { !$0.isBlank }) else { continue }
        let images = cell.hasImages ? ["", "(The original shows an image here.)"] : []
        add(text + images, after: &prose, &titles)
      case "markdown":
        let text = withoutImages(text)
        if title == nil, introduction.isEmpty, self.cells.isEmpty, prose.isEmpty {
          introduction = text
          title = takeHeading(from: &introduction, last: false)
        } else {
          prose += (prose.isEmpty ? [] : [""]) + text
        }
      case "raw": prose += (prose.isEmpty ? [] : [""]) + ["```text"] + text + ["```"]
      default:
        prose += (prose.isEmpty ? [] : [""]) + ["(A cell of the kind “\(cell.kind)” was left out.)"]
      }
    }
    if prose.contains(where: { !$0.isBlank }) { add([], after: &prose, &titles) }
  }

  /// Adds a cell with the prose before it.
  private mutating func add(
    _ code: [String], after prose: inout [String], _ titles: inout Set<String>
  ) {
    let heading = takeHeading(from: &prose, last: true)
    if title == nil, cells.isEmpty, let heading { title = heading }
    let first = code.first { !$0.isBlank }.map {
      $0.drop { $0 == "#" || $0.isWhitespace }.prefix(60).description
    }
    let name = [heading, first].compactMap(\.self).first { !$0.isBlank } ?? "The end"
    var title = name
    var count = 1
    while !titles.insert(title).inserted {
      count += 1
      title = "\(name) (\(count))"
    }
    cells.append(Cell(title: title, prose: prose, code: code))
    prose = []
  }

  /// The text of `main.swift`.
  ///
  /// - Parameters:
  ///   - setup: The code before the first cell.
  ///   - title: The title if the original has no heading.
  package func text(setup: String, title: String) -> String {
    let head = ["# \(self.title ?? title)"] + (introduction.isEmpty ? [] : [""] + introduction)
    let body = cells.map { cell in
      let code = ["To translate from \(language):", ""] + cell.code
      return comment(cell.prose) + "cell(\(literal(cell.title)))\n"
        + (cell.code.isEmpty ? "" : "\n" + comment(code))
    }
    return ([comment(head), setup] + body).joined(separator: "\n")
  }
}

/// The parts of an `.ipynb` file that are used.
private struct JupyterFile: Decodable {
  var nbformat: Int?
  var cells: [Cell]?
  var metadata: Metadata?

  var language: String? { metadata?.language_info?.name ?? metadata?.kernelspec?.language }

  struct Metadata: Decodable {
    var language_info: Name?
    var kernelspec: Language?
  }

  struct Name: Decodable { var name: String? }
  struct Language: Decodable { var language: String? }

  struct Cell: Decodable {
    var kind: String
    var source: String
    var hasImages: Bool

    private enum Key: String, CodingKey { case cell_type, source, outputs }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: Key.self)
      kind = try fields.decode(String.self, forKey: .cell_type)
      // A text, or its lines with their ends.
      if let text = try? fields.decode(String.self, forKey: .source) {
        source = text
      } else {
        source = (try fields.decodeIfPresent([String].self, forKey: .source) ?? []).joined()
      }
      let outputs = (try? fields.decodeIfPresent([Output].self, forKey: .outputs)) ?? []
      hasImages = outputs.contains { $0.kinds.contains { $0.hasPrefix("image/") } }
    }
  }

  struct Output: Decodable {
    var kinds: [String]

    private struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: Key.self)
      let data = try? fields.nestedContainer(keyedBy: Key.self, forKey: Key(stringValue: "data"))
      kinds = data?.allKeys.map(\.stringValue) ?? []
    }
  }
}

/// The lines of a text without control characters, which Swift's sources must not have, and without empty
/// lines around them.
private func lines(of text: String) -> [String] {
  let text = plainText(withUnixLineEnds(text).replacing("\r", with: "\n"))
  var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    .drop { $0.isBlank }
  while let last = lines.last, last.isBlank { lines.removeLast() }
  return Array(lines)
}

/// The lines with a note in the place of each image that is part of the file, or that only HTML shows.
private func withoutImages(_ lines: [String]) -> [String] {
  lines.map { line in
    guard line.contains("![") || line.contains("<img") else { return line }
    return
      line
      .replacing(/!\[([^\]]*)\]\((?:data|attachment):[^)]*\)/) { note(image: String($0.1)) }
      .replacing(/<img\b[^>]*>/.ignoresCase()) { match in
        note(image: match.0.firstMatch(of: /alt="([^"]*)"/).map { String($0.1) } ?? "")
      }
  }
}

private func note(image text: String) -> String {
  text.isBlank ? "(An image was left out.)" : "(An image was left out: \(text).)"
}

/// Takes the first or the last heading out of prose; `nil` if there is none outside code.
private func takeHeading(from prose: inout [String], last: Bool) -> String? {
  var isCode = false
  var found: (range: Range<Int>, text: String)?
  for (index, line) in prose.enumerated() {
    if line.hasPrefix("```") || line.hasPrefix("~~~") { isCode.toggle() }
    guard !isCode, found == nil || last else { continue }
    if let match = line.wholeMatch(of: #/ {0,3}\#{1,6}\s+(.*?)[\s\#]*/#), !match.1.isEmpty {
      found = (index..<index + 1, String(match.1))
    } else if index > 0, line.wholeMatch(of: /=+\s*/) != nil, !prose[index - 1].isBlank {
      found = (index - 1..<index + 1, prose[index - 1])
    }
  }
  guard let found else { return nil }
  prose.removeSubrange(found.range)
  let place = found.range.lowerBound
  if place > 0, place < prose.count, prose[place - 1].isBlank, prose[place].isBlank {
    prose.remove(at: place)
  }
  while prose.first?.isBlank == true { prose.removeFirst() }
  while prose.last?.isBlank == true { prose.removeLast() }
  // A title is no Markdown.
  return found.text.replacing(/\[([^\]]*)\]\([^)]*\)/) { String($0.1) }
    .filter { $0 != "`" && $0 != "*" }.trimmingCharacters(in: .whitespaces)
}

/// The lines as a comment.
private func comment(_ lines: [String]) -> String {
  lines.map { $0.isBlank ? "//\n" : "// \($0)\n" }.joined()
}

/// A string literal of Swift.
private func literal(_ text: String) -> String {
  "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
}

extension String {
  fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }
}
