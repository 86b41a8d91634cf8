import Foundation
import Literate
import Plot
import Testing

struct GalleryTests {
  private func gallery(_ pages: [Page]) throws -> String {
    try withSampleFolder { folder in
      let figures = folder.appending(path: SamplePage.page.name)
      try FileManager.default.createDirectory(at: figures, withIntermediateDirectories: true)
      try SamplePage.writeFigures(to: figures)
      try GalleryWriter(pages).write(to: folder)
      return try String(contentsOf: folder.appending(path: "index.html"), encoding: .utf8)
    }
  }

  @Test func cardNamesTheNotebook() throws {
    let html = try gallery([SamplePage.page])
    #expect(html.contains("<p class=\"quiet\">1 notebook, 1 failed. One shows <strong>SYNTHETIC"))
    #expect(
      html.contains(
        "<a href=\"03-sample/index.html\">Everything &lt;at&gt; once &amp; &quot;more&quot;</a>"))
    #expect(
      html.contains(
        "<p>EMNIST is MNIST’s bigger sibling: next to the ten digits it has letters.</p>"))
    #expect(
      html.contains(
        "<span class=\"label failed\">Failed</span>"
          + "<span class=\"label synthetic\">SYNTHETIC data</span><span>1 min 18 s</span>"))
    #expect(html.contains("<p class=\"failure\">Failed in “Train”, line 33.</p>"))
    #expect(html.contains("<a href=\"03-sample/03-sample.md\" download>"))
    #expect(html.contains("<a href=\"03-sample/03-sample.ipynb\" download>"))
  }

  @Test func thumbnailIsTheLastFigureShrunk() throws {
    let html = try gallery([SamplePage.page])
    let image = try #require(
      html.firstMatch(of: /<img src="data:image\/png;base64,([^"]*)" (alt[^>]*)>/))
    #expect(image.2 == "alt=\"Colors\" width=\"640\" height=\"400\"")
    let png = try #require(Data(base64Encoded: String(image.1)))
    let small = try decodeImage(Array(png), named: "thumbnail", channels: 3)
    #expect(small.width == 640)
    #expect(small.height == 400)
    // 800 × 500 pixels became 640 × 400: the last one is the mean of the last 2 × 2.
    let large = try #require(SamplePage.figures["colors.png"])
    let last = (0..<3).map { channel in
      [(499, 799), (499, 798), (498, 799), (498, 798)].reduce(2) { sum, place in
        sum + Int(large.bytes[(place.0 * 800 + place.1) * 3 + channel])
      } / 4
    }
    #expect(small.bytes.suffix(3).map(Int.init) == last)
  }

  @Test func smallFiguresAreShownUnchanged() throws {
    var page = SamplePage.page
    page.cells.remove(at: 1)
    let gray = try encodePNG(#require(SamplePage.figures["gray.png"]))
    #expect(try gallery([page]).contains(Data(gray).base64EncodedString()))
  }

  @Test func notebookWithoutFigure() throws {
    let html = try gallery([Page(name: "a", title: "A", state: .passed)])
    #expect(html.contains("<div class=\"picture none\">No figure</div>"))
    #expect(html.contains("<p class=\"quiet\">1 notebook.</p>"))
    #expect(!html.contains("class=\"failure\""))
    #expect(!html.contains("SYNTHETIC"))
    #expect(!html.contains("What next"))
  }

  @Test func tellsHowToGoOn() throws {
    let html = try withSampleFolder(figures: false) { folder in
      let pages = [
        Page(name: "01-a", title: "A", state: .passed), Page(name: "02-b", title: "B"),
        Page(name: "03-c", title: "C"),
      ]
      try GalleryWriter(pages, command: "my notebooks").write(to: folder)
      return try String(contentsOf: folder.appending(path: "index.html"), encoding: .utf8)
    }
    #expect(html.contains("<p class=\"quiet\">3 notebooks, 2 not run yet.</p>"))
    // The first one that was not run.
    #expect(html.contains("<dt><code>my notebooks watch 02-b</code></dt>"))
    // A notebook without a page has no link, but a command.
    #expect(!html.contains("href=\"02-b/"))
    #expect(html.contains("<code>my notebooks run 03-c</code>"))
    #expect(html.contains("id=\"notebook-03-c\""))
  }
}
