import Foundation

/// The prose of a notebook in another language; what has no translation is in English.
package struct Translation: Sendable {
  package let language: Language
  private var title = ""
  private var introduction = ""
  /// The cells, by identifier.
  private var cells: [String: (title: String, prose: String)] = [:]
  /// The titles of the cells, by those in English.
  private var titles: [String: String] = [:]

  /// - Parameters:
  ///   - file: The translation.
  ///   - language: Its language.
  ///   - source: The source of the notebook.
  package init(_ file: TranslationFile, in language: Language, of source: NotebookSource) {
    self.language = language
    let pieces = source.originalPieces
    for (piece, index) in zip(pieces, file.indices(of: pieces)) {
      let entry = index.map { file.entries[$0] }.flatMap { $0.isShown ? $0 : nil }
      let text = entry?.content ?? piece.text
      let rest = entry?.rest ?? ""
      switch piece.kind {
      case .title: (title, introduction) = (text, rest)
      case .cell:
        cells[piece.cell] = (text, rest)
        titles[piece.text] = text
      case .text, .section:
        if piece.cell.isEmpty {
          introduction = joinedBlocks([introduction, text])
        } else {
          let prose = joinedBlocks([cells[piece.cell]?.prose ?? "", text])
          cells[piece.cell]?.prose = prose
        }
      }
    }
  }

  /// The translation beside a source file; `nil` if one of them cannot be read.
  init?(beside file: URL, in language: Language) {
    let name = language.file(file.deletingPathExtension().lastPathComponent, "md")
    let other = file.deletingLastPathComponent().appending(path: name)
    guard let text = try? String(contentsOf: file, encoding: .utf8),
      let translation = try? TranslationFile(at: other, named: name)
    else { return nil }
    self.init(translation, in: language, of: NotebookSource(text, name: ""))
  }

  /// The title of a cell that has this title in English.
  package func title(of cell: String) -> String { titles[cell] ?? cell }

  /// The notebook with the translated prose; identifiers stay.
  package func source(_ source: NotebookSource) -> NotebookSource {
    var source = source
    (source.title, source.introduction) = (title, introduction)
    for index in source.cells.indices {
      guard let cell = cells[source.cells[index].id] else { continue }
      (source.cells[index].title, source.cells[index].prose) = cell
    }
    return source
  }

  /// The page with the translated prose; anchors and figures stay.
  package func page(_ page: Page) -> Page {
    var page = page
    (page.title, page.introduction) = (title, introduction)
    for index in page.cells.indices {
      guard let cell = cells[page.cells[index].id] else { continue }
      (page.cells[index].title, page.cells[index].prose) = cell
    }
    return page
  }
}
