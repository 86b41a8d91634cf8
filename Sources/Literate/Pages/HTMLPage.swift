import Foundation

/// A page as a single HTML file with embedded figures.
struct HTMLPage {
  private let page: Page
  private let figures: FigureFiles
  private let place: PagePlace
  /// The anchors of the cells.
  private var anchors: [String] = []
  private var identifiers = Identifiers(reserved: ["contents", "facts", "cells"])

  init(_ page: Page, _ figures: FigureFiles, place: PagePlace) {
    self.page = page
    self.figures = figures
    self.place = place
    // Cells choose their identifiers before the headings in their prose, so that links to them last.
    anchors = page.cells.map { identifiers.next(for: $0.id) }
  }

  /// The HTML of the page.
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
        \(banner)\(otherRun)<header>
        <nav class="files" aria-label="Files">
        <a href="\(place.gallery)">All notebooks</a>
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

  /// The link to the page of the other run.
  private var otherRun: HTML {
    guard let (sentence, link, address) = place.other("index.html") else { return "" }
    return """
      <p class="other-run">\(sentence) <a href="\(address)">\(link)</a></p>

      """
  }

  private var time: HTML {
    page.seconds.map { "<span>\(duration($0))</span>" } ?? ""
  }

  /// Pages with few cells need no contents list.
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

/// A cell of an HTML page.
struct HTMLCell {
  private let cell: Page.Cell
  private let anchor: String
  private let figures: FigureFiles

  init(_ cell: Page.Cell, anchor: String, _ figures: FigureFiles) {
    self.cell = cell
    self.anchor = anchor
    self.figures = figures
  }

  func html(_ identifiers: inout Identifiers) -> HTML {
    let label = StateLabel(cell.state)
    let title = identifiers.next(for: "\(anchor)-title")
    let parts: [HTML] = [
      """
      <section class="cell \(label.style)" id="\(anchor)" aria-labelledby="\(title)">
      <h2 id="\(title)"><a href="#\(anchor)">\(cell.title)</a></h2>
      """,
      label.isWorthSaying ? "<p class=\"status\">\(label.html)</p>" : "",
      cell.prose.isEmpty
        ? "" : "<div class=\"prose\">\(Markdown(cell.prose).html(below: 2, &identifiers))</div>",
      "<div class=\"run\">",
      cell.code.isEmpty ? "" : codeBox(cell.code),
      amounts,
      cell.shownOutputs.map(html(of:)).joined(separator: "\n"),
      message,
      "</div>\n</section>",
    ]
    return parts.filter { !$0.text.isEmpty }.joined(separator: "\n")
  }

  private var amounts: HTML {
    var amounts: [HTML] = ["<span>Line \(cell.line)</span>"]
    if let seconds = cell.seconds { amounts.append("<span>\(duration(seconds))</span>") }
    if let memory = cell.peakMemory {
      amounts.append("<span>\(amountOfMemory(memory)) peak</span>")
    }
    return "<p class=\"amounts\">\(amounts.joined())</p>"
  }

  private func html(of output: Page.Output) -> HTML {
    switch output {
    case .text(let text, .standardOutput): return textBox(text, "Output", style: "output")
    case .text(let text, .standardError):
      return """
        <p class="kind">Standard error</p>
        \(textBox(text, "Standard error", style: "errors"))
        """
    case .times(let text): return textBox(text, "Times", style: "output times")
    case .inspection(let inspection):
      let figure = inspection.figure.map { html(of: .figure($0)) } ?? ""
      return "\(textBox(inspection.line, "Value", style: "output"))\n\(figure)"
    case .cached(let cached): return "<p class=\"kind\">\(cached.sentence)</p>"
    case .figure(let figure):
      guard let png = figures.bytes(of: figure) else {
        return """
          <p class="missing">The figure \(figure.file) is missing. It shows: \
          \(figure.alternativeText)</p>
          """
      }
      return """
        <img src="\(HTML(trusted: png.pngAddress))" alt="\(figure.alternativeText)" \
        width="\(figure.width)" height="\(figure.height)">
        """
    }
  }

  private var message: HTML {
    switch cell.state {
    case .passed, .notRun: ""
    case .failedAsExpected(let message):
      textBox(plainText(message), "Message", style: "message expected")
    case .failed(let message, let line):
      """
      <p class="kind failed">Failed at line \(line ?? cell.line)</p>
      \(textBox(plainText(message), "Message", style: "message failed"))
      """
    }
  }
}

/// A box with Swift source.
func codeBox(_ code: String) -> HTML {
  let code = code.trimmingCharacters(in: .newlines)
  return """
    <pre class="code"\(focus(code, "Code"))><code>\(HTML(highlighting: code))</code></pre>
    """
}

/// A box with printed text.
private func textBox(_ text: String, _ name: String, style: String) -> HTML {
  let text = text.trimmingCharacters(in: .newlines)
  return "<pre class=\"\(style)\"\(focus(text, name))>\(text)</pre>"
}

/// The attributes that make a scrollable box reachable with the keyboard.
private func focus(_ text: String, _ name: String) -> HTML {
  let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  guard lines.count > 30 || lines.contains(where: { $0.count > 80 }) else { return "" }
  return " tabindex=\"0\" role=\"region\" aria-label=\"\(name)\""
}

/// A self-contained HTML file: the style sheet is embedded; scripts and requests are forbidden.
func htmlDocument(title: String, body: HTML) -> String {
  let style = HTML(trusted: String(decoding: PackageResources.page_css, as: UTF8.self))
  let document: HTML = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy" \
    content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
    <title>\(title)</title>
    <link rel="icon" href="data:,">
    <style>
    \(style)</style>
    </head>
    <body>
    \(body)
    </body>
    </html>

    """
  return document.text
}

/// The label of a state: words and a CSS class.
struct StateLabel {
  private let state: Page.State

  init(_ state: Page.State) {
    self.state = state
  }

  /// Whether to show the label: passed cells need none.
  var isWorthSaying: Bool { state != .passed }

  /// The CSS class.
  var style: String {
    switch state {
    case .passed: "passed"
    case .notRun: "not-run"
    case .failedAsExpected: "expected"
    case .failed: "failed"
    }
  }

  var words: String {
    switch state {
    case .passed: "Passed"
    case .notRun: "Not run"
    case .failedAsExpected: "Failed as expected"
    case .failed: "Failed"
    }
  }

  var html: HTML { "<span class=\"label \(style)\">\(words)</span>" }
}
