import Foundation
import Literate
import Plot
import Testing

struct PageWriterTests {
  /// The three files of a page.
  private func written(
    _ page: Page = SamplePage.page, figures: Bool = true
  ) throws -> (html: String, markdown: String, notebook: String) {
    try withSampleFolder(figures: figures) { folder in
      try PageWriter(page).write(to: folder)
      func text(_ file: String) throws -> String {
        try String(contentsOf: folder.appending(path: file), encoding: .utf8)
      }
      return (try text("index.html"), try text("\(page.name).md"), try text("\(page.name).ipynb"))
    }
  }

  @Test func isReproducible() throws {
    let (first, second) = (try written(), try written())
    #expect(first.html == second.html)
    #expect(first.markdown == second.markdown)
    #expect(first.notebook == second.notebook)
  }

  @Test func printedTextIsEscaped() throws {
    let html = try written().html
    #expect(!html.contains("<script"))
    #expect(!html.contains("\u{1B}"))
    let shown = "&lt;script&gt;alert('&amp;amp;')&lt;/script&gt; ``` | *a* ]( &quot;x&quot; --&gt;"
    // In the banner, the facts, prose, the output, the message, and a title and the contents
    #expect(html.ranges(of: shown).count == 7)
  }

  @Test func identifiersAreUnique() throws {
    let html = try written().html
    let identifiers = html.matches(of: /\sid="([^"]*)"/).map { String($0.1) }
    #expect(Set(identifiers).count == identifiers.count)
    for anchor in ["look-at-the-data", "look-at-the-data-2", "train", "predict"] {
      #expect(identifiers.contains(anchor))
    }
    let links = html.matches(of: /href="#([^"]*)"/).map { String($0.1) }
    #expect(Set(links).isSubset(of: identifiers))
  }

  @Test func figuresAreEmbedded() throws {
    let (html, markdown, _) = try written()
    let gray = try encodePNG(#require(SamplePage.figures["gray.png"]))
    let address = "data:image/png;base64,\(Data(gray).base64EncodedString())"
    #expect(
      html.contains(
        "<img src=\"\(address)\" alt=\"A &quot;gray&quot; ramp\" width=\"4\" height=\"2\">"))
    #expect(html.contains("<a class=\"figure\" href=\"gray.png\"><img "))
    #expect(
      markdown.contains(
        "[<img src=\"gray.png\" alt=\"A &quot;gray&quot; ramp\" width=\"4\">](gray.png)"))
  }

  @Test func missingFigureIsNamed() throws {
    let (html, _, notebook) = try written(figures: false)
    #expect(html.contains("The figure gray.png is missing. It shows: A &quot;gray&quot; ramp"))
    #expect(!html.contains("<img"))
    #expect(!notebook.contains("image/png"))
  }

  @Test func failuresAreShownAtTheTop() throws {
    let (html, markdown, _) = try written()
    let banner = try #require(html.firstRange(of: "<div class=\"banner\""))
    let title = try #require(html.firstRange(of: "<h1>"))
    #expect(banner.lowerBound < title.lowerBound)
    #expect(html.contains("<strong>Failed in “Train”, line 33.</strong> <a href=\"#train\">"))
    #expect(markdown.contains("> [!CAUTION]\n> **Failed in “Train”, line 33.**\n>\n> ````text\n"))
    #expect(html.contains("<section class=\"cell failed\" id=\"train\""))
    #expect(html.contains("<section class=\"cell not-run\" id=\"predict\""))
    #expect(html.contains("<section class=\"cell expected\" id=\"look-at-the-data-2\""))
  }

  @Test func failureOutsideTheCells() throws {
    let page = Page(
      name: "a", title: "A", setup: "let x = try y()",
      cells: [.init(id: "b", title: "B", line: 9)],
      state: .failed(message: "no y", line: nil))
    let (html, markdown, notebook) = try written(page)
    #expect(html.contains("<strong>Failed outside the cells.</strong></p>\n<pre>no y</pre>"))
    #expect(markdown.contains("> **Failed outside the cells.**\n>\n> ```text\n> no y\n> ```"))
    #expect(notebook.contains("\"evalue\" : \"no y\""))
  }

  @Test func passedPagesHaveNoBanner() throws {
    let page = Page(
      name: "a", title: "A", cells: [.init(id: "b", title: "B", line: 9, state: .passed)],
      state: .passed)
    let (html, markdown, _) = try written(page)
    #expect(!html.contains("class=\"banner\""))
    #expect(!html.contains("Failed"))
    #expect(html.contains("<span class=\"label passed\">Passed</span>"))
    // No time in any unit.
    #expect(!html.contains(" s</span>"))
    #expect(markdown == "# A\n\n## B\n")
  }

  @Test func errorsNameTheFolder() throws {
    try withSampleFolder { folder in
      let file = folder.appending(path: "file")
      try Data().write(to: file)
      let reason = "Not a directory"
      let folder = file.appending(path: "in").path
      #expect {
        try PageWriter(SamplePage.page).write(to: file.appending(path: "in"))
      } throws: { error in
        "\(error)" == "cannot write \(folder)/index.html: folder \(folder): \(reason)"
      }
    }
  }
}
