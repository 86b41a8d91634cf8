import Foundation
import Literate
import Testing

struct TranslationTests {
  private let english = """
    // # Look at the data
    //
    // What it is
    // about.

    import Lab

    // First paragraph
    // of the cell.
    //
    // ```swift
    // let a = 1
    //
    // let b = 2
    // ```
    //
    // See `data` and [it](main.swift).
    cell("The data")
    print(1)

    cell("No prose")
    print(2)
    """

  private var source: NotebookSource { NotebookSource(english, name: "01-a") }

  private func source(replacing text: String, with other: String) -> NotebookSource {
    NotebookSource(english.replacing(text, with: other), name: "01-a")
  }

  /// A translation of every piece: `ko(English)`.
  private func translated(_ source: NotebookSource) throws -> TranslationFile {
    var file = try TranslationFile("", named: "main.ko.md").updated(for: source.originalPieces)
    for index in file.entries.indices {
      let (kind, text) = (file.entries[index].kind, file.entries[index].text)
      let words = text.drop { $0 == "#" || $0 == " " }
      file.entries[index].text =
        kind == .title ? "# 제목" : kind == .cell ? "## 셀 \(words)" : "번역: \(words)"
    }
    return try TranslationFile(
      file.updated(for: source.originalPieces).text, named: "main.ko.md")
  }

  private func problems(_ file: TranslationFile, _ source: NotebookSource) -> [String] {
    file.problems(
      for: source.originalPieces, of: "Notebooks/01-a/main.swift",
      named: "Notebooks/01-a/main.ko.md", command: "lab notebooks translate 01-a")
  }

  @Test func piecesHaveTheirLines() {
    let pieces = source.originalPieces
    #expect(pieces.map(\.kind) == [.title, .text, .cell, .text, .text, .text, .cell])
    #expect(pieces.map(\.line) == [1, 3, 18, 8, 11, 17, 21])
    #expect(pieces[3].text == "First paragraph\nof the cell.")
    // Fenced code is one piece, with its empty lines.
    #expect(pieces[4].text.hasSuffix("let b = 2\n```"))
    #expect(pieces[4].place == "The data")
  }

  @Test func hashDoesNotDependOnLineBreaks() {
    let hash = OriginalPiece.hash(of: "First paragraph\nof the cell.")
    #expect(hash.wholeMatch(of: /[0-9a-f]{8}/) != nil)
    #expect(OriginalPiece.hash(of: "First  paragraph of\n   the cell.") == hash)
    #expect(OriginalPiece.hash(of: "First paragraph of the cells.") != hash)
    #expect(OriginalPiece.hash(of: "Firstparagraph of the cell.") != hash)
    // In code, they matter.
    #expect(
      OriginalPiece.hash(of: "```\na\nb\n```") != OriginalPiece.hash(of: "```\na b\n```"))
  }

  @Test func newFileIsUntranslatedEnglish() throws {
    let file = try TranslationFile("", named: "main.ko.md").updated(for: source.originalPieces)
    #expect(file.text.contains(#/<!-- cell [0-9a-f]{8} untranslated -->\n## The data\n/#))
    let problems = problems(file, source)
    #expect(problems.count == 7)
    // Written and read again, it is the same.
    let again = try TranslationFile(file.text, named: "main.ko.md")
    #expect(again.text == file.text)
    #expect(again.updated(for: source.originalPieces).text == file.text)
    #expect(self.problems(again, source).count == 7)
    #expect(
      self.problems(again, source)[1]
        == "Notebooks/01-a/main.ko.md:4: the beginning: not translated yet: “What it is about.”; "
        + "translate it there")
  }

  @Test func completeTranslationHasNoProblems() throws {
    let file = try translated(source)
    #expect(file.entries.allSatisfy { $0.state == .translated })
    #expect(problems(file, source) == [])
    let korean = Translation(file, in: .korean, of: source).source(source)
    #expect(korean.title == "제목")
    #expect(korean.introduction == "번역: What it is\nabout.")
    #expect(korean.cells.map(\.title) == ["셀 The data", "셀 No prose"])
    #expect(korean.cells.map(\.id) == ["the-data", "no-prose"])
    #expect(korean.cells[0].prose.hasPrefix("번역: First paragraph"))
    // A paragraph wrapped anew is the same.
    let wrapped = self.source(
      replacing: "First paragraph\n// of the cell.", with: "First\n// paragraph of the cell.")
    #expect(problems(file, wrapped) == [])
  }

  @Test func changedEnglishIsNamedUntilRenewed() throws {
    let file = try translated(source)
    let changed = source(replacing: "of the cell.", with: "of this cell.")
    let hash = OriginalPiece.hash(of: "First paragraph of this cell.")
    let line = try #require(file.entries.first { $0.text.contains("First paragraph") }).line
    let problem =
      "Notebooks/01-a/main.ko.md:\(line): “The data”: the English has changed: “First paragraph of this "
      + "cell.”; revise the translation, then lab notebooks translate 01-a --renew=\(hash)"
    #expect(problems(file, changed) == [problem])
    // The page still has the old translation.
    #expect(
      Translation(file, in: .korean, of: changed).source(changed).cells[0].prose
        .contains("번역: First paragraph"))

    let marked = try TranslationFile(
      file.updated(for: changed.originalPieces).text, named: "main.ko.md")
    #expect(
      marked.text.contains(" changed \(hash)\nFirst paragraph\nof this cell.\n-->\n번역: First"))
    #expect(problems(marked, changed).count == 1)
    #expect(marked.updated(for: changed.originalPieces).text == marked.text)

    let renewed = marked.updated(for: changed.originalPieces, renewed: [hash])
    #expect(problems(renewed, changed) == [])
    #expect(renewed.text.contains("<!-- text \(hash) -->\n번역: First paragraph"))
    #expect(
      marked.updated(for: changed.originalPieces, renewed: ["all"]).text == renewed.text)
    // When the English is again what it was, so is the translation.
    #expect(marked.updated(for: source.originalPieces).text == file.text)
  }

  @Test func newParagraphsAreMissing() throws {
    let file = try translated(source)
    let longer = source(
      replacing: "// See `data`", with: "// A new one.\n//\n// See `data`")
    #expect(
      problems(file, longer) == [
        "Notebooks/01-a/main.swift:17: “The data”: not translated: “A new one.”; add it with "
          + "lab notebooks translate 01-a"
      ])
    // Until then its page has it in English.
    let prose = Translation(file, in: .korean, of: longer).source(longer).cells[0].prose
    #expect(prose.contains("\n\nA new one.\n\n번역: See `data`"))
    let updated = file.updated(for: longer.originalPieces)
    #expect(updated.entries.count == file.entries.count + 1)
    #expect(updated.entries[5].text == "A new one.")
    #expect(updated.entries[5].state == .untranslated)
  }

  @Test func cellsMayMoveAndChangeTheirNames() throws {
    let file = try translated(source)
    let cell = "cell(\"No prose\")\nprint(2)"
    let moved = NotebookSource(
      english.replacing("\n\(cell)", with: "")
        .replacing("// First paragraph", with: "\(cell)\n\n// First paragraph"), name: "01-a")
    #expect(moved.cells.map(\.title) == ["No prose", "The data"])
    #expect(problems(file, moved) == [])
    let order = file.updated(for: moved.originalPieces).entries.map(\.kind)
    #expect(order == [.title, .text, .cell, .cell, .text, .text, .text])

    let renamed = source(replacing: "The data", with: "All the data")
    #expect(problems(file, renamed).count == 1)
    #expect(problems(file, renamed)[0].contains("“All the data”: the English has changed"))
    let korean = Translation(file, in: .korean, of: renamed).source(renamed)
    #expect(korean.cells[0].title == "셀 The data")
    #expect(korean.cells[0].id == "all-the-data")
  }

  @Test func nothingOfATranslatorIsLost() throws {
    var file = try translated(source)
    file.head = "<!-- mine -->"
    let shorter = NotebookSource("// # Look at the data\n\ncell(\"No prose\")\n", name: "01-a")
    let updated = file.updated(for: shorter.originalPieces)
    for entry in file.entries { #expect(updated.text.contains(entry.text)) }
    #expect(updated.text.hasPrefix("<!-- mine -->\n"))
    #expect(updated.entries.count { $0.state == .gone } == 5)
    let problems = problems(updated, shorter)
    #expect(problems.count == 5)
    #expect(problems.allSatisfy { $0.hasSuffix(" is gone; delete it or use it elsewhere") })
    // Pages do not show it.
    let korean = Translation(updated, in: .korean, of: shorter).source(shorter)
    #expect(korean.introduction.isEmpty && korean.cells[0].prose.isEmpty)
    // English that nobody has translated is no translator's.
    let fresh = try TranslationFile("", named: "a").updated(for: source.originalPieces)
    #expect(fresh.updated(for: shorter.originalPieces).entries.count == 2)
    // And back.
    let back = updated.updated(for: source.originalPieces)
    #expect(back.text == "<!-- mine -->\n\n" + (try translated(source)).text)
  }

  @Test func codeAndLinksMustStay() throws {
    var file = try translated(source)
    let index = try #require(file.entries.firstIndex { $0.text.contains("See") })
    file.entries[index].text = "[그것](main.swift)을 보세요."
    #expect(problems(file, source).count == 1)
    #expect(problems(file, source)[0].hasSuffix("expected `data` as in the English, found none"))
    // The words in code may be translated.
    let code = try #require(file.entries.firstIndex { $0.text.contains("```") })
    file.entries[code].text = "```swift\nlet 가 = 1\n```"
    #expect(problems(file, source).count == 1)
    file.entries[index].text = "`data`를 보세요."
    #expect(
      problems(file, source)[0].hasSuffix("expected main.swift as in the English, found none"))
  }

  @Test(arguments: [
    "<!-- text 1234 -->\nx", "<!-- text 0123abcd changd -->\nx", "<!-- text 0123abcd",
    "<!-- cell 0123abcd untranslated\nx\n-->\n## x",
  ])
  func damagedCommentsAreNamed(text: String) {
    let start = text.split(separator: "\n")[0]
    #expect {
      try TranslationFile("# a\n\(text)", named: "main.ko.md")
    } throws: { error in
      "\(error)".hasPrefix("main.ko.md:2: expected a comment such as <!-- ")
        && "\(error)".hasSuffix(", got \(start)")
    }
  }

  @Test func englishWithTheEndOfACommentStaysInIt() throws {
    let file = try translated(source)
    let changed = source(replacing: "of the cell.", with: "of --> the cell.")
    let marked = try TranslationFile(
      file.updated(for: changed.originalPieces).text, named: "main.ko.md")
    #expect(marked.entries.count == file.entries.count)
    #expect(problems(marked, changed).count == 1)
  }

  @Test func windowsLineEndsAreRead() throws {
    let file = try translated(source)
    let windows = file.text.replacing("\n", with: "\r\n")
    #expect(try TranslationFile(windows, named: "a").text == file.text)
  }

  @Test func sectionsOfADocument() throws {
    let text = "# Title\n\nAbout.\n\n## One\n\n```sh\n## no heading\n```\n\n## Two\n\ntwo\n"
    let pieces = sections(of: text)
    #expect(pieces.map(\.place) == ["", "One", "Two"])
    #expect(pieces.map(\.line) == [1, 5, 11])
    var file = try TranslationFile("", named: "README.ko.md").updated(for: pieces)
    for index in file.entries.indices { file.entries[index].text = "번역 \(index)" }
    file = try TranslationFile(file.updated(for: pieces).text, named: "README.ko.md")
    func problems(_ text: String) -> [String] {
      file.problems(
        for: sections(of: text), of: "README.md", named: "README.ko.md", command: "translate")
    }
    #expect(problems(text) == [])
    #expect(problems(text.replacing("two\n", with: "2\n")).count == 1)
    #expect(
      problems(text.replacing("two\n", with: "2\n"))[0].contains("“Two”: the English has changed"))
    #expect(problems(text + "\n## Three\n")[0].hasPrefix("README.md:15: “Three”: not translated"))
  }
}
