import Foundation
import Literate
import Testing

struct SlidesTests {
  /// The slides of the sample page.
  private func text(_ page: Page = SamplePage.page) throws -> String {
    try withSampleFolder { try Slides(page, figuresIn: $0).text }
  }

  @Test func thereIsATitleAndASlideForEachCell() throws {
    let text = try text()
    let slides = text.matches(of: /<section class="slide(?: title)?" id="(\d+)" tabindex="-1">/)
    #expect(slides.map { String($0.1) } == ["1", "2", "3", "4", "5"])
    #expect(text.contains("<h1>Everything &lt;at&gt; once &amp; &quot;more&quot;</h1>"))
    let titles = text.matches(of: /<h2 id="([^"]*)">([^<]*)<\/h2>/).map { "\($0.1): \($0.2)" }
    #expect(
      titles.prefix(4) == [
        "facts: This run", "look-at-the-data: Look at the data",
        "look-at-the-data-2: Look at the data", "train: Train",
      ])
    // Prose, code, output, figures, states and messages.
    for part in [
      "<p>EMNIST is MNIST’s bigger sibling", "<th align=\"right\">Images</th>",
      "<span class=\"keyword\">let</span> data", "260212 &lt;images&gt;\nand more", "```slow```",
      "alt=\"A &quot;gray&quot; ramp\"", "<span class=\"label expected\">Failed as expected</span>",
      "linear: expected x of shape [rows, 3]", "no space left\non the device",
      "<span class=\"label synthetic\">SYNTHETIC data</span>", "Set-up: 3 lines of Swift",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(text.matches(of: /<div class="columns two">/).count == 3)
  }

  @Test func textIsNeverMarkup() throws {
    #expect(try !text().contains("<script>alert"))
    #expect(try !text().contains("HTML(text"))
  }

  @Test func thePolicyPermitsTheScriptAlone() throws {
    #expect(try PageScript("").source == "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    let text = try text()
    let scripts = text.matches(of: /<script>([\s\S]*?)<\/script>/)
    #expect(scripts.count == 1)
    let source = try PageScript(String(try #require(scripts.first).1)).source
    let policy = """
      content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '\(source)'">
      """
    #expect(text.contains(policy))
  }

  @Test func linksLeadNowhereBesideTheFile() throws {
    var page = SamplePage.page
    page.introduction =
      "See [the model](../../Sources/CNN.swift), [below](#train), [home](https://a.b)."
    let text = try text(page)
    let links = text.matches(of: /(?:href|src)="([^"]{1,12})/).map { String($0.1) }
    #expect(
      links.allSatisfy { $0.hasPrefix("data:") || $0.hasPrefix("#") || $0.hasPrefix("https:") },
      "\(links)")
    #expect(text.contains("See the model, <a href=\"#train\">below</a>"))
  }

  @Test func theSamePageGivesTheSameBytes() throws {
    #expect(try text() == text())
  }

  /// Presses keys, and gives the numbers of the slide that is shown after each.
  private static let keys = """
    const shown = () => Array.from(frame.document.querySelectorAll(".slide"))
      .filter(slide => slide.getClientRects().length).map(slide => slide.id).join("+")
      + frame.location.hash + " " + frame.document.getElementById("number").textContent
    const press = (key, rest) => (frame.document.activeElement || frame.document.body).dispatchEvent(
      new frame.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...rest }))
    const seen = [shown()]
    const add = step => { step(); seen.push(shown()) }
    """

  private func shown(_ script: String, at hash: String = "", width: Int = 1280, height: Int = 720)
    throws -> [String]
  {
    let browser = try #require(Browser.installed)
    return try withSampleFolder { folder in
      let file = folder.appending(path: "slides.html")
      try Data(Slides(SamplePage.page, figuresIn: folder).text.utf8).write(to: file)
      return try browser.evaluate(
        file.absoluteString + hash, width: width, height: height,
        "\(Self.keys)\n\(script)\nreturn seen.join('|')"
      ).split(separator: "|").map(String.init)
    }
  }

  @Test(.enabled(if: Browser.installed != nil, "Chromium is not installed"))
  func keysButtonsAndTheAddressMove() throws {
    let seen = try shown(
      """
      for (const key of ["ArrowRight", "PageDown", "ArrowLeft", "End", "ArrowRight", "Home", "PageUp"])
        add(() => press(key))
      add(() => press("ArrowRight", { ctrlKey: true }))
      add(() => frame.document.getElementById("next").click())
      add(() => frame.document.getElementById("previous").click())
      """)
    #expect(
      seen == [
        "1#1 1 / 5", "2#2 2 / 5", "3#3 3 / 5", "2#2 2 / 5", "5#5 5 / 5", "5#5 5 / 5", "1#1 1 / 5",
        "1#1 1 / 5", "1#1 1 / 5", "2#2 2 / 5", "1#1 1 / 5",
      ])
  }

  @Test(.enabled(if: Browser.installed != nil, "Chromium is not installed"))
  func addressesAndSwipesMove() throws {
    #expect(try shown("", at: "#4") == ["4#4 4 / 5"])
    // The heading of a cell leads to its slide.
    #expect(try shown("", at: "#look-at-the-data-2") == ["3#3 3 / 5"])
    #expect(try shown("", at: "#9") == ["1#1 1 / 5"])
    let seen = try shown(
      """
      const swipe = (x, y) => {
        const target = frame.document.querySelector(".slide.current h1, .slide.current h2")
        const touch = (clientX, clientY) =>
          new frame.Touch({ identifier: 1, target, clientX, clientY })
        const send = (type, touches, changedTouches) => target.dispatchEvent(
          new frame.TouchEvent(type, { touches, changedTouches, bubbles: true }))
        send("touchstart", [touch(200, 300)], [])
        send("touchend", [], [touch(200 + x, 300 + y)])
      }
      add(() => swipe(-120, 10))
      add(() => swipe(-20, 0))
      add(() => swipe(-60, 200))
      add(() => swipe(120, 0))
      """, width: 390)
    #expect(seen == ["1#1 1 / 5", "2#2 2 / 5", "2#2 2 / 5", "2#2 2 / 5", "1#1 1 / 5"])
  }

  /// The space bar first scrolls a slide that is longer than the screen.
  @Test(.enabled(if: Browser.installed != nil, "Chromium is not installed"))
  func theSpaceBarScrollsToTheEndFirst() throws {
    let seen = try shown(
      """
      const slide = frame.document.querySelector(".slide.current")
      const isLong = slide.scrollHeight > slide.clientHeight
      let count = 0
      while (frame.location.hash === "#2" && count < 20) { press(" "); count += 1 }
      seen.push(`${isLong}`, `${count > 1}`)
      add(() => press(" ", { shiftKey: true }))
      """, at: "#2", width: 390, height: 300)
    #expect(seen == ["2#2 2 / 5", "true", "true", "2#2 2 / 5"])
  }

  /// A script that is not the one of the digest does not run, and the slides are below one another.
  @Test(.enabled(if: Browser.installed != nil, "Chromium is not installed"))
  func withoutTheScriptAllSlidesAreSeen() throws {
    let browser = try #require(Browser.installed)
    let count = try withSampleFolder { folder in
      let file = folder.appending(path: "slides.html")
      let text = try Slides(SamplePage.page, figuresIn: folder).text
        .replacing("\"use strict\"", with: "\"use strict\";")
      try Data(text.utf8).write(to: file)
      return try browser.evaluate(
        file.absoluteString,
        """
        return Array.from(frame.document.querySelectorAll(".slide"))
          .filter(slide => slide.getClientRects().length).length
        """)
    }
    #expect(count == "5")
  }
}
