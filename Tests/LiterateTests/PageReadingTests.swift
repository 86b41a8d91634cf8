import Foundation
import Literate
import Testing

/// What readers see of outputs: folded, in order, each warning once.
struct PageReadingTests {
  private func cell(
    _ outputs: [Page.Output], code: String = "", state: Page.State = .passed, title: String = "A"
  ) -> Page.Cell {
    .init(id: title, title: title, line: 1, code: code, outputs: outputs, state: state)
  }

  private func written(
    _ cells: [Page.Cell], setup: String = "", state: Page.State = .passed
  ) throws -> (html: String, markdown: String, notebook: String) {
    try withSampleFolder { folder in
      let page = Page(name: "n", title: "N", setup: setup, cells: cells, state: state)
      try PageWriter(page).write(to: folder)
      func text(_ file: String) throws -> String {
        try String(contentsOf: folder.appending(path: file), encoding: .utf8)
      }
      return (try text("index.html"), try text("n.md"), try text("n.ipynb"))
    }
  }

  // MARK: Outputs

  @Test func warningsAndTimesDoNotSplitTheOutput() throws {
    let (html, _, _) = try written([
      cell([
        .text("one\n", stream: .standardOutput), .text("Warning: slow\n", stream: .standardError),
        .text("two\n", stream: .standardOutput), .times("3 s\n"),
        .text("three\n", stream: .standardOutput),
      ])
    ])
    #expect(html.contains("<pre class=\"output\">one\ntwo\nthree</pre>"))
    let warning = """
      <aside class="notice">
      <p class="kind">Warning</p>
      <pre class="errors">Warning: slow</pre>
      </aside>
      """
    let times = """
      <div class="times">
      <p class="kind">Times</p>
      <pre class="output">3 s</pre>
      </div>
      """
    for block in [warning, times] { #expect(html.ranges(of: block).count == 1) }
    #expect(!html.contains("Standard error"))
  }

  @Test func figuresStayBetweenTheLinesAroundThem() throws {
    let figure = Page.Output.figure(
      .init(file: "gray.png", alternativeText: "F", width: 4, height: 2))
    let (html, _, _) = try written([
      cell([
        .text("one\n", stream: .standardOutput), figure, .text("two\n", stream: .standardOutput),
      ])
    ])
    let order = ["<pre class=\"output\">one</pre>", "<img ", "<pre class=\"output\">two</pre>"]
    let places = try order.map { try #require(html.firstRange(of: $0)).lowerBound }
    #expect(places == places.sorted())
  }

  /// A wide figure is not shrunk on a phone until its text cannot be read.
  @Test(arguments: [(600, nil), (900, "min-width: 540px")] as [(Int, String?)])
  func wideFiguresCanBeScrolled(width: Int, style: String?) throws {
    let figure = Page.Figure(file: "gray.png", alternativeText: "F", width: width, height: 2)
    let html = try written([cell([.figure(figure)])]).html
    let isWide = style != nil
    #expect(html.contains("<a class=\"figure wide-figure\" href=\"gray.png\">") == isWide)
    #expect(
      html.contains("width=\"\(width)\" height=\"2\"\(style.map { " style=\"\($0)\"" } ?? "")></a>")
    )
  }

  @Test func eachWarningIsShownOnceAPage() throws {
    let warning = "EMNIST: using SYNTHETIC data\n  because of this\n"
    let (html, markdown, notebook) = try written([
      cell([.text(warning + warning, stream: .standardError)]),
      cell([.text(warning + "other\r\n}\n}\n", stream: .standardError)], title: "B"),
      cell([.text("\n" + warning, stream: .standardError)], title: "C"),
    ])
    for text in [html, markdown, notebook] {
      #expect(text.ranges(of: "because of this").count == (text == notebook ? 2 : 1))
    }
    #expect(html.contains("<pre class=\"errors\">other\n}\n}</pre>"))
    #expect(html.ranges(of: "class=\"notice\"").count == 2)
    #expect(markdown.contains("> [!WARNING]\n> ```text\n> EMNIST: using SYNTHETIC data\n"))
    // Nothing is red in Jupyter.
    #expect(!notebook.contains("stderr"))
  }

  @Test func errorsOfAFailedCellAreRed() throws {
    let state = Page.State.failed(message: "no", line: 1)
    let (html, _, notebook) = try written(
      [cell([.text("why\nError: no\n", stream: .standardError)], state: state)], state: state)
    #expect(html.contains("<p class=\"kind\">Standard error</p>\n<pre class=\"errors\">why</pre>"))
    #expect(notebook.contains("\"stderr\""))
  }

  @Test func nothingIsShownOfEmptyOutputs() throws {
    let (html, markdown, _) = try written([
      cell([
        .text("", stream: .standardOutput), .text(" \n", stream: .standardError), .times(""),
        .text("\u{1B}[0m", stream: .standardOutput),
      ])
    ])
    for mark in ["class=\"output\"", "class=\"notice\"", "class=\"times\""] {
      #expect(!html.contains(mark))
    }
    #expect(markdown == "# N\n\n## A\n")
  }

  @Test func inspectedValuesAreTables() throws {
    let value = Page.Inspection(
      name: "batch.x", facts: [.init("type", "Tensor"), .init("a|b", "<1>")],
      figure: .init(file: "gray.png", alternativeText: "x", width: 4, height: 2))
    let (html, markdown, notebook) = try written([cell([.inspection(value)])])
    #expect(
      html.contains(
        """
        <p class="kind"><code>batch.x</code></p>
        <dl>
        <div><dt>type</dt><dd>Tensor</dd></div>
        <div><dt>a|b</dt><dd>&lt;1&gt;</dd></div>
        </dl>
        <a class="figure" href="gray.png"><img 
        """))
    #expect(
      markdown.contains(
        """
        | **batch.x** | |
        | --- | --- |
        | type | Tensor |
        | a\\|b | \\<1\\> |

        [<img src="gray.png"
        """))
    #expect(notebook.contains("text/markdown"))
    #expect(notebook.contains("image/png"))
  }

  // MARK: Folding

  @Test(
    arguments: [(40, nil), (41, "17 more lines"), (1_025, "1,001 more lines")] as [(Int, String?)])
  func longOutputIsFolded(count: Int, summary: String?) throws {
    let lines = (1...count).map { "line \($0)" }
    let (html, markdown, _) = try written([
      cell([.text(lines.joined(separator: "\n") + "\n", stream: .standardOutput)])
    ])
    #expect(html.contains("<details class=\"fold\">") == (summary != nil))
    if let summary {
      #expect(html.contains("<summary>\(summary)</summary>"))
      // The beginning and the end are seen; nothing is missing or twice.
      #expect(html.contains("line 16</pre>\n<details"))
      #expect(html.contains("</details>\n<pre class=\"output\">line \(count - 7)\n"))
      let shown = html.matches(of: /line (\d+)/).map { Int($0.1) }
      #expect(shown == Array(1...count))
    }
    #expect(markdown.contains(lines.joined(separator: "\n")))
  }

  @Test func longCodeIsFolded() throws {
    // A string over the edge of what is seen.
    let code =
      (1...10).map { "let a\($0) = \($0)\n" }.joined()
      + "let text = \"\"\"\n" + (1...15).map { "  text \($0)\n" }.joined() + "  \"\"\"\n"
      + (1...5).map { "print(\($0))\n" }.joined()
    let (html, _, notebook) = try written([cell([], code: code)])
    #expect(html.contains("<summary>20 more lines</summary>"))
    let box = try #require(html.firstMatch(of: /(?s)<div class="code-box">(.*?)<\/div>/)).1
    let pieces = box.matches(of: /(?s)<pre[^>]*><code>(.*?)<\/code><\/pre>/).map {
      String($0.1).replacing(/<[^>]*>/, with: "").replacing("&quot;", with: "\"")
    }
    // A script that copies the code joins the pieces.
    #expect(pieces.joined(separator: "\n") == code.trimmingCharacters(in: .newlines))
    #expect(notebook.contains("print(5)"))
    let short = (1...30).map { "print(\($0))" }.joined(separator: "\n")
    #expect(!(try written([cell([], code: short)]).html.contains("<details")))
  }

  @Test func setupIsFoldedUnlessItFailed() throws {
    let setup = "import Lab\r\n\r\nlet a = 1"
    #expect(
      try written([cell([])], setup: setup).html.contains(
        "<details class=\"fold setup\">\n<summary>Set-up: 3 lines of Swift</summary>"))
    let failed = try written([], setup: setup, state: .failed(message: "no", line: nil))
    #expect(failed.html.contains("<details class=\"fold setup\" open>"))
  }

  /// Of a long output only few lines are laid out.
  @Test(.timeLimit(.minutes(1)))
  func manyLinesAreWrittenInSeconds() throws {
    let text = (1...100_000).map { "line \($0): 0.123456789 한글 and words\n" }.joined()
    let clock = ContinuousClock()
    var html = ""
    let time = try clock.measure {
      html = try written([cell([.text(text, stream: .standardOutput)])]).html
    }
    #expect(html.contains("<summary>99,976 more lines</summary>"))
    // Two seconds on an optimized build; the tests' other processes may slow it down.
    #if !DEBUG
      #expect(time < .seconds(8), "\(time)")
    #endif
  }

  // MARK: Anchors

  @Test func koreanTitlesHaveAnchors() throws {
    let source = "// 첫째.\ncell(\"데이터 보기\")\n\ncell(\"모델 보기\")\n\ncell(\"a\")\ncell(\"b\")\n"
    let page = Page("n", NotebookSource(source, name: "n"), [])
    #expect(page.cells.map(\.id).prefix(2) == ["데이터-보기", "모델-보기"])
    try withSampleFolder { folder in
      try PageWriter(page).write(to: folder)
      let html = try String(contentsOf: folder.appending(path: "index.html"), encoding: .utf8)
      #expect(html.contains("<section class=\"cell not-run\" id=\"데이터-보기\""))
      let link = "#%EB%8D%B0%EC%9D%B4%ED%84%B0-%EB%B3%B4%EA%B8%B0"
      // In the contents and in the title.
      #expect(html.ranges(of: "href=\"\(link)\"").count == 2)
    }
  }
}
