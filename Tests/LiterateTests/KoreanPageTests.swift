import Foundation
import Literate
import Plot
import Testing

struct WordTests {
  /// The compiler asks for a text in each language; here they are compared.
  @Test(arguments: Word.allCases)
  func textsHaveTheSamePlaces(word: Word) {
    let (english, korean) = word.texts
    func places(_ text: String) -> [String] {
      text.matches(of: /\{[0-9]\}/).map { String($0.0) }.sorted()
    }
    #expect(!english.isEmpty && !korean.isEmpty)
    #expect(places(english) == places(korean))
    #expect(korean.contains { ("가"..."힣").contains($0) }, "\(korean)")
    // A quotation mark would end the value in the style sheet.
    if word == .scrollHint { #expect(!english.contains("'") && !korean.contains("'")) }
  }

  @Test func valuesTakeTheirPlaces() {
    #expect(Language.english[.failedInCellAtLine, "A {2}", "7"] == "Failed in “A {2}”, line 7.")
    #expect(Language.korean[.runningCell, "2", "5", "데이터"] == "셀 5개 중 2번째 실행 중: 데이터")
    #expect(Language.korean.duration(3725) == "1시간 2분")
    #expect(Language.korean.duration(0.834) == "0.83초")
  }

  @Test(arguments: [("", Language.english), ("en", .english), ("ko", .korean)])
  func languageOfACode(code: String, language: Language) {
    #expect((Language(rawValue: code) ?? .english) == language)
  }
}

struct KoreanPageTests {
  private static let cells = [
    "passed": "통과한 셀", "expected": "예상한 오류", "failed": "실패한 셀", "not-run": "남은 셀",
  ]

  /// A page with all outputs and states, whose own words are not English.
  private static var page: Page {
    let lines = (1...60).map { "출력 \($0)\n" }.joined()
    let code = (1...40).map { "let 값\($0) = 0" }.joined(separator: "\n")
    return Page(
      name: "공책", title: "제목", introduction: "소개입니다.", setup: "import 값",
      cells: [
        .init(
          id: "passed", title: "통과한 셀", line: 3, prose: "설명입니다.", code: code,
          outputs: [
            .text(lines, stream: .standardOutput), .text("경고문\n", stream: .standardError),
            .times("1 2 3\n"),
            .figure(.init(file: "없음.png", alternativeText: "그림", width: 4, height: 2)),
            .cached(.init(name: "값", time: 0, seconds: 75)),
            .check(.init(name: "검사", points: 2, earned: 1, message: "이유")),
            .inspection(
              .init(
                name: "값",
                facts: ["type", "shape", "min", "max", "mean", "std", "count", "value"].map {
                  .init($0, "1")
                } + [.init("shape", "a single number"), .init("NaN", "none")],
                figure: .init(
                  file: "inspect-값.png", alternativeText: "값 as images", width: 4, height: 2))),
          ], state: .passed, seconds: 1.5, peakMemory: 2_000_000),
        .init(
          id: "expected", title: "예상", line: 9, code: "오류()",
          state: .failedAsExpected(message: "오류")),
        .init(
          id: "failed", title: "실패", line: 12, code: "오류()",
          outputs: [.text("오류문\n", stream: .standardError)],
          state: .failed(message: "오류", line: 13)),
        .init(id: "not-run", title: "나머지", line: 15, code: "끝()"),
      ], state: .failed(message: "오류", line: 13),
      facts: ["Seed", "Data", "Processor", "Threads", "Kernels", "Swift", "Commit"].map {
        .init($0, "1")
      } + [
        .init("Parameters", "none"), .init("Data", "SYNTHETIC 값"), .init("Points", "1 / 2"),
        .init("값: images per class", "3"),
      ], seconds: 78)
  }

  /// Writes the English and the Korean page and gallery.
  private func written(_ page: Page = page) throws -> [String: String] {
    try withSampleFolder(figures: false) { folder in
      let notebook = folder.appending(path: page.name)
      try PageWriter(page, language: .korean, among: [.english, .korean]).write(to: notebook)
      try PageWriter(page, language: .english, among: [.english, .korean]).write(to: notebook)
      try GalleryWriter(
        [page], translations: [.korean: [page.name: page]], command: "랩"
      ).write(to: folder)
      var texts: [String: String] = [:]
      for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
        texts[path] = try? String(contentsOf: folder.appending(path: path), encoding: .utf8)
      }
      return texts
    }
  }

  @Test func bothLanguagesOfAllFiles() throws {
    #expect(
      try written().keys.sorted() == [
        "index.html", "index.ko.html", "공책/index.html", "공책/index.ko.html", "공책/공책.ipynb",
        "공책/공책.ko.ipynb", "공책/공책.ko.md", "공책/공책.md",
      ])
  }

  /// The words that stand in the text of a page, or in attributes that are read out.
  private func shownText(_ html: String) -> String {
    let body = html.replacing(/<style>[\s\S]*?<\/style>/, with: "")
      .replacing(/<code>[\s\S]*?<\/code>/, with: "")
    let attributes = body.matches(of: /(?:aria-label|alt|title)="([^"]*)"/).map { String($0.1) }
    let hint = html.firstMatch(of: /--scroll-hint: '([^']*)'/).map { String($0.1) } ?? ""
    return ([body.replacing(/<[^>]*>/, with: "\n"), hint] + attributes).joined(separator: "\n")
  }

  @Test(arguments: ["공책/index.ko.html", "index.ko.html", "공책/공책.ko.md"])
  func noEnglishWordIsLeft(file: String) throws {
    let texts = try written()
    let korean = shownText(try #require(texts[file]))
    let english = shownText(try #require(texts[file.replacing(".ko", with: "")]))
    var found = 0
    for word in Word.allCases {
      for piece in word.texts.english.split(separator: /\{[0-9]\}/).map(String.init)
      where piece.count(where: \.isLetter) > 1 && !word.texts.korean.contains(piece) {
        // As a whole: “Next” is also the beginning of “Next cell”.
        let pattern = try Regex(
          "(^|[^A-Za-z])\(NSRegularExpression.escapedPattern(for: piece))([^A-Za-z]|$)")
        #expect(try pattern.firstMatch(in: korean) == nil, "\(piece) in \(file)")
        if try pattern.firstMatch(in: english) != nil { found += 1 }
      }
    }
    // The English page has them, or else this would say nothing.
    #expect(found > (file.hasSuffix(".html") && file.contains("/") ? 35 : 5), "\(found)")
    // What is left are names and code.
    let words = Set(korean.matches(of: /[A-Za-z]{2,}/).map { String($0.0) })
    let allowed: Set = [
      "English", "SYNTHETIC", "Notebooks", "main", "swift", "Swift", "let", "import", "UTC", "MB",
      "NaN", "png", "run", "watch", "all", "quick", "inspect", "ko", "md", "ipynb", "text", "html",
      "index", "EA", "EC", "CAUTION", "WARNING", "NOTE", "sub", "img", "src", "alt", "width",
    ]
    #expect(words.subtracting(allowed) == [], "\(file)")
  }

  @Test func pagesLinkToEachOther() throws {
    let texts = try written()
    func text(_ file: String) throws -> String { try #require(texts[file]) }
    for folder in ["", "공책/"] {
      #expect(try text("\(folder)index.html").contains("<html lang=\"en\""))
      #expect(try text("\(folder)index.ko.html").contains("<html lang=\"ko\""))
      #expect(
        try text("\(folder)index.html").contains(
          "<a href=\"index.ko.html\" hreflang=\"ko\" lang=\"ko\">한국어</a>"))
      #expect(
        try text("\(folder)index.ko.html").contains(
          "<a href=\"index.html\" hreflang=\"en\" lang=\"en\">English</a>"))
    }
    let name = try #require("공책".addingPercentEncoding(withAllowedCharacters: .urlPathAllowed))
    #expect(try text("공책/공책.md").contains("[한국어](\(name).ko.md)"))
    #expect(try text("공책/공책.ko.md").contains("[English](\(name).md)"))
    #expect(try text("공책/공책.ko.ipynb").contains("[English](\(name).ipynb)"))
    #expect(try text("공책/index.ko.html").contains("<a href=\"../index.ko.html\">모든 노트북</a>"))
    #expect(try text("index.ko.html").contains("href=\"\(name)/index.ko.html\""))
    #expect(try text("index.html").contains("href=\"\(name)/index.html\""))
  }

  @Test func anchorsAreTheSameInBothLanguages() throws {
    let texts = try written()
    func anchors(_ file: String) throws -> [String] {
      try #require(texts[file]).matches(of: /href="(#[^"]*)"/).map { String($0.1) }
    }
    #expect(try anchors("공책/index.html") == anchors("공책/index.ko.html"))
    #expect(try anchors("공책/index.html").contains("#not-run"))
  }

  @Test func galleryWithoutTranslationIsEnglish() throws {
    try withSampleFolder(figures: false) { folder in
      try GalleryWriter([Self.page]).write(to: folder)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(names == ["index.html"])
    }
  }
}

/// Runs of a notebook that has a translation.
struct TranslatedRunTests {
  private func translated() throws -> TestNotebook {
    let notebook = try TestNotebook()
    let file = notebook.program.file.deletingLastPathComponent().appending(path: "main.ko.md")
    _ = try notebook.program.updateTranslation(into: .korean)
    var text = try String(contentsOf: file, encoding: .utf8)
    text = text.replacing(#/(## )(.*)/#) { "## 셀 \($0.2)" }.replacing(
      #/(?m)^# .*/#, with: "# 시험 노트북")
    try text.write(to: file, atomically: true, encoding: .utf8)
    return notebook
  }

  private func text(_ notebook: TestNotebook, _ file: String) throws -> String {
    try String(contentsOf: notebook.program.folder.appending(path: file), encoding: .utf8)
  }

  @Test func oneRunGivesTwoPages() throws {
    let notebook = try translated()
    try notebook.run(["end=thrown"])
    #expect(try text(notebook, "index.ko.html").contains("<h1>시험 노트북</h1>"))
    #expect(try text(notebook, "index.ko.html").contains("에서 실패했습니다."))
    try notebook.run()
    #expect(try text(notebook, "index.ko.html").contains("통과"))
    #expect(try !text(notebook, "index.html").contains("시험 노트북"))
    let record = try text(notebook, "record.json")
    for name in ["index.ko.html", "page.ko.json", "test-notebook.ko.md", "test-notebook.ko.ipynb"] {
      #expect(record.contains("\"\(name)\""))
    }
    #expect(notebook.program.page(in: .korean).lastPathComponent == "index.ko.html")

    // The page that passed is kept in both languages.
    try notebook.run(["end=thrown"])
    #expect(try text(notebook, "last-passed/index.ko.html").contains("이전 실행의 결과입니다"))
    #expect(try text(notebook, "last-passed/index.ko.html").contains("href=\"../index.ko.html\""))
    #expect(
      try text(notebook, "index.ko.html").contains(
        "<a href=\"last-passed/index.ko.html\">그 페이지 보기</a>"))

    // A new word needs no run.
    let file = notebook.program.file.deletingLastPathComponent().appending(path: "main.ko.md")
    let korean = try String(contentsOf: file, encoding: .utf8)
    try korean.replacing("시험 노트북", with: "새 제목").write(to: file, atomically: true, encoding: .utf8)
    try notebook.program.render()
    #expect(try text(notebook, "index.ko.html").contains("<h1>새 제목</h1>"))

    // Without a translation there is no page, and the link is gone too.
    try FileManager.default.removeItem(at: file)
    try notebook.program.render()
    let names = try FileManager.default.contentsOfDirectory(atPath: notebook.program.folder.path)
    #expect(!names.contains { $0.contains(".ko.") })
    #expect(try !text(notebook, "index.html").contains("한국어"))
    #expect(try !text(notebook, "record.json").contains(".ko."))
    #expect(notebook.program.page(in: .korean).lastPathComponent == "index.html")
  }

  @Test func damagedTranslationIsAWarningAndTheRunGoesOn() throws {
    let notebook = try translated()
    let file = notebook.program.file.deletingLastPathComponent().appending(path: "main.ko.md")
    try "<!-- text x -->\n".write(to: file, atomically: true, encoding: .utf8)
    #expect(try notebook.run() == .passed)
    let names = try FileManager.default.contentsOfDirectory(atPath: notebook.program.folder.path)
    #expect(names.contains("index.html") && !names.contains("index.ko.html"))
    #expect(throws: NotebookError.self) { try notebook.program.translationProblems() }
    #expect(throws: NotebookError.self) { try notebook.program.updateTranslation(into: .korean) }
    #expect(try String(contentsOf: file, encoding: .utf8) == "<!-- text x -->\n")
  }

  @Test func galleryHasTheTitlesOfNotebooksThatWereNotRun() throws {
    let notebook = try translated()
    #expect(try notebook.folders.writeGallery(in: .korean).lastPathComponent == "index.ko.html")
    let html = try String(
      contentsOf: notebook.folders.output.appending(path: "index.ko.html"), encoding: .utf8)
    #expect(html.contains("<h2>시험 노트북</h2>"))
    #expect(html.contains("실행하지 않음"))
  }

  @Test func checkNamesWhatIsMissingOrHasChanged() throws {
    let notebook = try translated()
    let parameters = ["seed=9"]
    #expect(try notebook.program.accept(notebook.options(parameters)) == [])
    // The titles are translated, the paragraphs are not.
    let missing = try notebook.program.check(notebook.options(parameters))
    #expect(!missing.isEmpty && missing.allSatisfy { $0.contains(": not translated yet: ") })
    #expect(try notebook.program.translationProblems() == missing)
    try notebook.edit("cell(\"Streams\")", to: "cell(\"Both streams\")")
    let changed = try notebook.program.translationProblems().filter { $0.contains("has changed") }
    #expect(changed.count == 1)
    let hash = OriginalPiece.hash(of: "Both streams")
    #expect(
      changed[0].hasSuffix(
        "“Both streams”: the English has changed: “Both streams”; revise the translation, then "
          + "my notebooks translate test-notebook --renew=\(hash)"))
    #expect(changed[0].hasPrefix("Notebooks/test-notebook/main.ko.md:"))
    _ = try notebook.program.updateTranslation(into: .korean, renewed: [hash])
    #expect(try notebook.program.translationProblems().allSatisfy { !$0.contains("has changed") })
  }

  @Test func unknownChecksumsAreRefused() throws {
    let notebook = try translated()
    #expect {
      try notebook.program.updateTranslation(into: .korean, renewed: ["0123abcd"])
    } throws: {
      "\($0)" == "--renew: expected the checksum of the English of now or all, got 0123abcd"
    }
  }
}
