import Foundation

/// A page as one file of HTML, with its figures inside.
struct HTMLPage {
  private let page: Page
  private let figures: FigureFiles
  /// Of the cells, in their order.
  private var anchors: [String] = []
  private var identifiers = Identifiers(reserved: ["contents", "facts", "cells"])

  init(_ page: Page, _ figures: FigureFiles) {
    self.page = page
    self.figures = figures
    // Links to cells are to last, so cells choose before the headings in their prose.
    anchors = page.cells.map { identifiers.next(for: $0.id) }
  }

  /// The file's text.
  var text: String {
    var identifiers = identifiers
    let introduction = Markdown(page.introduction).html(below: 1, &identifiers)
    let cells = zip(page.cells, anchors).map { cell, anchor in
      HTMLCell(cell, anchor: anchor, figures).html(&identifiers)
    }
    return htmlDocument(
      title: page.title,
      body: """
        <a class="skip" href="#cells">Skip to the notebook</a>
        <div class="page\(hasContents ? " with-contents" : "")">
        \(banner)<header>
        <nav class="files" aria-label="Files">
        <a href="../index.html">All notebooks</a>
        <a href="\(linkAddress("\(page.name).md"))" download>Markdown</a>
        <a href="\(linkAddress("\(page.name).ipynb"))" download>Jupyter notebook</a>
        </nav>
        <h1>\(page.title)</h1>
        <p class="status">\(StateLabel(page.state).html)\(time)</p>
        </header>
        \(contents)<main id="cells">
        <div class="prose">\(introduction)</div>
        \(facts)\(setup)\(cells.joined(separator: "\n"))
        </main>
        <footer><p>Made from <code>Notebooks/\(page.name)/main.swift</code>.</p></footer>
        </div>
        """)
  }

  private var banner: HTML {
    guard case .failed(let message, _) = page.state else { return "" }
    let failed = zip(page.cells, anchors).first { $0.0 == page.failedCell }
    let link: HTML = failed.map { " <a href=\"#\($0.1)\">Go to the cell</a>" } ?? ""
    return """
      <div class="banner" role="alert">
      <p><strong>\(page.placeOfFailure)</strong>\(link)</p>
      <pre>\(plainText(message))</pre>
      </div>

      """
  }

  private var time: HTML {
    page.seconds.map { "<span>\(duration($0))</span>" } ?? ""
  }

  /// A few cells are seen at a glance.
  private var hasContents: Bool { page.cells.count > 3 }

  private var contents: HTML {
    guard hasContents else { return "" }
    let items = zip(page.cells, anchors).map { cell, anchor -> HTML in
      let label = StateLabel(cell.state)
      let mark: HTML = label.isWorthSaying ? " <small>\(label.html)</small>" : ""
      return "<li><a href=\"#\(anchor)\">\(cell.title)</a>\(mark)</li>"
    }
    return """
      <nav class="contents" aria-labelledby="contents">
      <h2 id="contents">Contents</h2>
      <ol>
      \(items.joined(separator: "\n"))
      </ol>
      </nav>

      """
  }

  private var facts: HTML {
    guard !page.facts.isEmpty else { return "" }
    let facts = page.facts.map { fact -> HTML in
      "<div><dt>\(fact.name)</dt><dd>\(fact.value)</dd></div>"
    }
    return """
      <section class="facts" aria-labelledby="facts">
      <h2 id="facts">This run</h2>
      <dl>
      \(facts.joined(separator: "\n"))
      </dl>
      </section>

      """
  }

  private var setup: HTML {
    guard !page.setup.isEmpty else { return "" }
    return "\(codeBox(page.setup))\n"
  }
}
