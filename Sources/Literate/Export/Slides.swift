import CEmbeddedFiles
import Foundation

/// A page as slides in a single HTML file: the title, then a slide for each cell.
///
/// A small script shows one slide at a time; without it, the slides are below one another.
package struct Slides {
  private let page: Page
  private let figures: FigureFiles
  private let language: Language

  package init(_ page: Page, figuresIn folder: URL, in language: Language = .english) {
    self.page = page.withoutRepeatedWarnings
    self.language = language
    figures = FigureFiles(folder, areLinked: false)
  }

  private var place: PagePlace { .alone.of(language, among: [language]) }

  /// The HTML of the slides.
  ///
  /// - Throws: An error if the digest of the script cannot be computed.
  package var text: String {
    get throws {
      let numbers = (1...page.cells.count + 1).map(String.init)
      var identifiers = Identifiers(
        reserved: Set(["facts", "previous", "next", "number", "controls"] + numbers))
      // Cells choose their identifiers before the headings in their prose, so that links to them last.
      let anchors = page.cells.map { identifiers.next(for: $0.id) }
      let slides =
        [title(&identifiers)]
        + zip(page.cells, anchors).map { cell, anchor in
          HTMLCell(cell, anchor: anchor, figures, place: place).slide(&identifiers, in: language)
        }
      let numbered = slides.enumerated().map { index, slide -> HTML in
        """
        <section class="slide\(index == 0 ? " title" : "")" id="\(index + 1)" tabindex="-1">
        \(slide)
        </section>
        """
      }
      return htmlDocument(
        title: page.title, in: language,
        body: """
          <main class="slides">
          \(numbered.joined(separator: "\n"))
          </main>
          <nav id="controls" class="controls" aria-label="\(language[.slides])" hidden>
          <button type="button" id="previous" aria-label="\(language[.previousSlide])">←</button>
          <span id="number" role="status"></span>
          <button type="button" id="next" aria-label="\(language[.nextSlide])">→</button>
          </nav>
          """,
        style: String(cString: embedded_file("slides.css")),
        script: try PageScript(String(cString: embedded_file("slides.js"))))
    }
  }

  private func title(_ identifiers: inout Identifiers) -> HTML {
    let page = HTMLPage(self.page, figures, place: place)
    let introduction = Markdown(self.page.introduction).html(below: 1, &identifiers, in: place)
    return """
      <h1>\(self.page.title)</h1>
      <p class="status">\(StateLabel(self.page.state).html(in: language))\(page.syntheticLabel)\(page.time)</p>
      <div class="prose">\(introduction)</div>
      \(page.facts)\(page.setup)
      """
  }
}

extension HTMLCell {
  /// The cell as the contents of a slide: prose and code on the left, what it printed and drew on the
  /// right.
  fileprivate func slide(_ identifiers: inout Identifiers, in language: Language) -> HTML {
    let label = StateLabel(cell.state)
    let shown = [outputs, message].filter { !$0.text.isEmpty }
    let source = [prose(&identifiers), cell.code.isEmpty ? "" : codeBox(cell.code, in: language)]
      .filter { !$0.text.isEmpty }
    let columns = [("source", source), ("results", shown)].filter { !$0.1.isEmpty }
      .map { name, parts -> HTML in
        """
        <div class="\(name)">
        \(parts.joined(separator: "\n"))
        </div>
        """
      }
    let status: HTML =
      label.isWorthSaying ? "<p class=\"status\">\(label.html(in: language))</p>\n" : ""
    return """
      <h2 id="\(anchor)">\(cell.title)</h2>
      \(status)<div class="columns\(columns.count == 2 ? " two" : "")">
      \(columns.joined(separator: "\n"))
      </div>
      """
  }
}
