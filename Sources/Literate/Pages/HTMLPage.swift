import CEmbeddedFiles
import Foundation

/// A page as a single HTML file with embedded figures.
struct HTMLPage {
  private let page: Page
  private let figures: FigureFiles
  private let place: PagePlace
  private let language: Language
  /// Rules that follow those of all pages.
  private let style: String
  /// The anchors of the cells.
  private var anchors: [String] = []
  private var identifiers = Identifiers(reserved: ["contents", "facts", "cells"])

  init(_ page: Page, _ figures: FigureFiles, place: PagePlace, style: String = "") {
    self.page = page.withoutRepeatedWarnings
    self.style = style
    self.figures = figures
    self.place = place
    language = place.language
    // Cells choose their identifiers before the headings in their prose, so that links to them last.
    anchors = page.cells.map { identifiers.next(for: $0.id) }
  }

  /// The HTML of the page.
  var text: String {
    var identifiers = identifiers
    let introduction = Markdown(page.introduction).html(below: 1, &identifiers, in: place)
    let cells = zip(page.cells, anchors).map { cell, anchor in
      HTMLCell(cell, anchor: anchor, figures, place: place).html(&identifiers)
    }
    return htmlDocument(
      title: page.title, in: language,
      body: """
        <a class="skip" href="#cells">\(language[.skipToNotebook])</a>
        <div class="page\(hasContents ? " with-contents" : "")">
        \(banner)\(otherRun)<header>
        <nav class="files" aria-label="\(language[.pages])">
        \(gallery)\(neighbors { _ in "" })<span class="downloads">
        \(languageLinks(to: place.otherLanguages))\
        <a href="\(linkAddress(language.file(page.name, "md")))" download>\(language[.markdown])</a>
        <a href="\(linkAddress(language.file(page.name, "ipynb")))" download>\
        \(language[.jupyterNotebook])</a>
        </span>
        </nav>
        <h1>\(page.title)</h1>
        <p class="status">\(StateLabel(page.state).html(in: language))\(syntheticLabel)\(time)</p>
        </header>
        \(contents)<main id="cells">
        <div class="prose">\(introduction)</div>
        \(facts)\(setup)\(cells.joined(separator: "\n"))
        </main>
        <footer>
        \(footerNeighbors)<p>\(madeFrom)</p>
        </footer>
        </div>
        """, style: style)
  }

  private var gallery: HTML {
    place.isAlone ? "" : "<a href=\"\(place.gallery)\">\(language[.allNotebooks])</a>\n"
  }

  /// Links to the notebooks before and after this one.
  ///
  /// - Parameter title: What follows the word on the link.
  private func neighbors(_ title: (String) -> HTML) -> HTML {
    let (previous, next) = place.neighbors { _, language in language.indexFile }
    var links: HTML = ""
    if let previous {
      links = """
        <a rel="prev" href="\(previous.address)" title="\(previous.title)">\
        <span>\(language[.previous])</span>\
        \(title(previous.title))</a>

        """
    }
    if let next {
      links = """
        \(links)<a rel="next" href="\(next.address)" title="\(next.title)">\
        <span>\(language[.next])</span>\
        \(title(next.title))</a>

        """
    }
    return links
  }

  private var footerNeighbors: HTML {
    let links = neighbors { " <strong>\($0)</strong>" }
    guard !links.text.isEmpty else { return "" }
    return """
      <nav class="neighbors" aria-label="\(language[.otherNotebooks])">
      \(links)</nav>

      """
  }

  private var madeFrom: HTML {
    let parts = language[.madeFrom].split(separator: "{1}", omittingEmptySubsequences: false)
      .map { part -> HTML in "\(String(part))" }
    return parts.joined(separator: sourceLink)
  }

  private var sourceLink: HTML {
    let path = place.source(of: page.name)
    let name: HTML = "<code>\(path)</code>"
    return place.address(ofFile: path).map { "<a href=\"\($0)\">\(name)</a>" } ?? name
  }

  var syntheticLabel: HTML {
    page.isSynthetic ? "<span class=\"label synthetic\">\(language[.syntheticData])</span>" : ""
  }

  var banner: HTML {
    guard case .failed(let message, _) = page.state else { return "" }
    let failed = zip(page.cells, anchors).first { $0.0 == page.failedCell }
    let link: HTML =
      failed.map { " <a href=\"\(anchorAddress($0.1))\">\(language[.goToCell])</a>" } ?? ""
    return """
      <div class="banner" role="alert">
      <p><strong>\(page.placeOfFailure(in: language))</strong>\(link)</p>
      <pre>\(plainText(message))</pre>
      </div>

      """
  }

  /// The link to the page of the other run.
  private var otherRun: HTML {
    guard let (sentence, link, address) = place.other(\.indexFile) else { return "" }
    return """
      <p class="other-run">\(sentence) <a href="\(address)">\(link)</a></p>

      """
  }

  var time: HTML {
    page.seconds.map { "<span>\(language.duration($0))</span>" } ?? ""
  }

  /// Pages with few cells need no contents list.
  var hasContents: Bool { page.cells.count > 3 }

  var contents: HTML {
    guard hasContents else { return "" }
    let items = zip(page.cells, anchors).map { cell, anchor -> HTML in
      let label = StateLabel(cell.state)
      let mark: HTML = label.isWorthSaying ? " <small>\(label.html(in: language))</small>" : ""
      return "<li><a href=\"\(anchorAddress(anchor))\">\(cell.title)</a>\(mark)</li>"
    }
    return """
      <nav class="contents" aria-labelledby="contents">
      <h2 id="contents">\(language[.contents])</h2>
      <ol>
      \(items.joined(separator: "\n"))
      </ol>
      </nav>

      """
  }

  var facts: HTML {
    guard !page.facts.isEmpty else { return "" }
    let facts = page.facts.map { factHTML($0, in: language) }
    return """
      <section class="facts" aria-labelledby="facts">
      <h2 id="facts">\(language[.thisRun])</h2>
      <dl>
      \(facts.joined(separator: "\n"))
      </dl>
      </section>

      """
  }

  /// The code before the first cell, folded: it is the same in most notebooks. If it failed, it is open.
  var setup: HTML {
    guard !page.setup.isEmpty else { return "" }
    let isOpen = if case .failed = page.state { page.failedCell == nil } else { false }
    let lines = language.count(lineCount(of: page.setup), .setUpLine, .setUpLines)
    return """
      <details class="fold setup"\(isOpen ? " open" : "")>
      <summary>\(lines)</summary>
      \(codeBox(page.setup, isFolded: false, in: language))
      </details>

      """
  }
}

/// A cell of an HTML page.
struct HTMLCell {
  let cell: Page.Cell
  let anchor: String
  private let figures: FigureFiles
  private let place: PagePlace
  private let language: Language
  /// What a live page shows between code and outputs, such as the compiler's errors; there each output
  /// is in an element of its own, so that others can be added.
  var beforeOutputs: HTML?

  init(
    _ cell: Page.Cell, anchor: String, _ figures: FigureFiles,
    place: PagePlace = .current(hasLastPassed: false)
  ) {
    self.cell = cell
    self.anchor = anchor
    self.figures = figures
    self.place = place
    language = place.language
  }

  func html(_ identifiers: inout Identifiers) -> HTML {
    let label = StateLabel(cell.state)
    let title = identifiers.next(for: "\(anchor)-title")
    let parts: [HTML] = [
      """
      <section class="cell \(label.style)" id="\(anchor)" aria-labelledby="\(title)">
      <h2 id="\(title)"><a href="\(anchorAddress(anchor))">\(cell.title)</a></h2>
      """,
      label.isWorthSaying ? "<p class=\"status\">\(label.html(in: language))</p>" : "",
      prose(&identifiers),
      "<div class=\"run\">",
      cell.code.isEmpty ? "" : codeBox(cell.code, in: language),
      amounts,
      outputs,
      message,
      "</div>\n</section>",
    ]
    return parts.filter { !$0.text.isEmpty }.joined(separator: "\n")
  }

  func prose(_ identifiers: inout Identifiers) -> HTML {
    guard !cell.prose.isEmpty else { return "" }
    let prose = Markdown(cell.prose).html(below: 2, &identifiers, in: place)
    return "<div class=\"prose\">\(prose)</div>"
  }

  private var amounts: HTML {
    var amounts: [HTML] = ["<span>\(language[.line, "\(cell.line)"])</span>"]
    if let seconds = cell.seconds { amounts.append("<span>\(language.duration(seconds))</span>") }
    if let memory = cell.peakMemory {
      amounts.append("<span>\(language[.peak, amountOfMemory(memory)])</span>")
    }
    return "<p class=\"amounts\">\(amounts.joined())</p>"
  }

  var outputs: HTML {
    guard let beforeOutputs else {
      return cell.shownOutputs.map(html(of:)).joined(separator: "\n")
    }
    return "\(beforeOutputs)<div class=\"parts\">\(cell.shownOutputs.map(part(of:)).joined())</div>"
  }

  /// An output in an element of its own.
  func part(of output: Page.Output) -> HTML {
    "<div class=\"part\" data-kind=\"\(output.kind)\">\(html(of: output))</div>"
  }

  private func html(of check: Page.Check) -> HTML {
    let style = check.earned == check.points ? "passed" : check.earned > 0 ? "partial" : "failed"
    let message: HTML = check.message.map { "\n<pre>\($0)</pre>" } ?? ""
    return """
      <div class="check \(style)">
      <p><span class="mark" aria-hidden="true">\(check.mark)</span> <span class="name">\(check.name)</span> \
      <span class="points">\(check.amount(in: language))</span></p>\(message)
      </div>
      """
  }

  private func html(of output: Page.Output) -> HTML {
    switch output {
    case .text(let text, .standardOutput): box(text, .output, style: "output")
    case .text(let text, .standardError):
      """
      <aside class="notice">
      <p class="kind">\(language[cell.errorsTitle])</p>
      \(box(text, cell.errorsTitle, style: "errors"))
      </aside>
      """
    case .times(let text):
      """
      <div class="times">
      <p class="kind">\(language[.times])</p>
      \(box(text, .times, style: "output"))
      </div>
      """
    case .inspection(let inspection): html(of: inspection)
    case .cached(let cached): "<p class=\"kind cached\">\(cached.sentence(in: language))</p>"
    case .check(let check): html(of: check)
    case .figure(let figure): html(of: figure)
    }
  }

  /// The figure as a link to its file. On a narrow screen a wide one is not shrunk until its text cannot
  /// be read; it can be scrolled.
  private func html(of figure: Page.Figure) -> HTML {
    let text = figure.alternativeText(in: language)
    guard let address = figures.address(of: figure) else {
      return "<p class=\"missing\">\(language[.missingFigure, figure.file, text])</p>"
    }
    // Text of 12 points, 17 pixels, is at least 10 pixels high.
    let narrowest = figure.width * 3 / 5
    let isWide = narrowest > 360
    let size: HTML = isWide ? " style=\"min-width: \(narrowest)px\"" : ""
    let style: HTML = "figure\(isWide ? " wide-figure" : "")"
    let image: HTML = """
      <img src="\(HTML(trusted: address))" alt="\(text)" \
      width="\(figure.width)" height="\(figure.height)"\(size)>
      """
    guard let link = figures.link(to: figure) else {
      return "<div class=\"\(style)\">\(image)</div>"
    }
    return "<a class=\"\(style)\" href=\"\(HTML(trusted: link))\">\(image)</a>"
  }

  private func box(_ text: String, _ name: Word, style: String) -> HTML {
    textBox(text, name, style: style, language)
  }

  private func html(of inspection: Page.Inspection) -> HTML {
    let facts = inspection.facts.map { factHTML($0, in: language) }
    let figure: HTML = inspection.figure.map { "\n\(html(of: $0))" } ?? ""
    return """
      <div class="inspection">
      <p class="kind"><code>\(inspection.name)</code></p>
      <dl>
      \(facts.joined(separator: "\n"))
      </dl>\(figure)
      </div>
      """
  }

  var message: HTML {
    switch cell.state {
    case .passed, .notRun: ""
    case .failedAsExpected(let message):
      box(plainText(message), .message, style: "message expected")
    case .failed(let message, let line):
      """
      <p class="kind failed">\(language[.failedAtLine, "\(line ?? cell.line)"])</p>
      \(box(plainText(message), .message, style: "message failed"))
      """
    }
  }
}

private func factHTML(_ fact: Page.Fact, in language: Language) -> HTML {
  "<div><dt>\(language.factName(fact.name))</dt><dd>\(language.factValue(fact))</dd></div>"
}

/// Links to a page or a gallery in other languages, each in a line.
func languageLinks(to languages: [Language]) -> HTML {
  languages.map { other -> HTML in
    """
    <a href="\(other.indexFile)" hreflang="\(other.rawValue)" lang="\(other.rawValue)">\
    \(other.name)</a>

    """
  }.joined()
}

/// A box with Swift source. All `pre` in a `div` of the class `code-box` together are the code: a script
/// can add a button there that copies it.
///
/// - Parameters:
///   - code: The code.
///   - isFolded: Whether to fold what follows the first lines of long code.
///   - language: The language of the page.
func codeBox(_ code: String, isFolded: Bool = true, in language: Language) -> HTML {
  let code = code.trimmingCharacters(in: .newlines)
  let count = lineCount(of: code)
  let tokens = swiftTokens(of: code)
  guard isFolded, count > FoldedText.codeLimit else {
    return "<div class=\"code-box\">\(codeLines(tokens, language))</div>"
  }
  let (first, rest) = parts(of: tokens, firstLines: FoldedText.codeHead)
  return """
    <div class="code-box">\(codeLines(first, language))
    \(foldedLines(count - FoldedText.codeHead, codeLines(rest, language), language))</div>
    """
}

private func codeLines(_ tokens: [SwiftToken], _ language: Language) -> HTML {
  let focus = focus(tokens.map(\.text).joined(), language[.code])
  return "<pre class=\"code\"\(focus)><code>\(HTML(tokens))</code></pre>"
}

/// The first lines, without the line break at their end, and the other ones.
private func parts(
  of tokens: [SwiftToken], firstLines count: Int
) -> (first: [SwiftToken], rest: [SwiftToken]) {
  var left = count
  for (index, token) in tokens.enumerated() {
    guard token.text.contains("\n") else { continue }
    for place in token.text.indices where token.text[place] == "\n" {
      left -= 1
      guard left == 0 else { continue }
      let (before, after) = (token.text[..<place], token.text[token.text.index(after: place)...])
      let pieces = [before, after].map { SwiftToken(kind: token.kind, text: String($0)) }
      return (
        tokens[..<index] + [pieces[0]], [pieces[1]] + tokens[(index + 1)...]
      )
    }
  }
  return (tokens, [])
}

/// A box with printed text, of which the middle is folded if it is long: what comes first and what comes
/// last says the most.
private func textBox(
  _ text: String, _ name: Word, style: String, _ language: Language
) -> HTML {
  let text = text.trimmingCharacters(in: .newlines)
  let parts = FoldedText(text)
  func lines(_ text: Substring) -> HTML {
    "<pre class=\"\(style)\"\(focus(text, language[name]))>\(String(text))</pre>"
  }
  guard parts.foldedCount > 0 else { return lines(text[...]) }
  return """
    <div class="long">
    \(lines(parts.head))
    \(foldedLines(parts.foldedCount, lines(parts.folded), language))
    \(lines(parts.tail))
    </div>
    """
}

private func foldedLines(_ count: Int, _ lines: HTML, _ language: Language) -> HTML {
  """
  <details class="fold">
  <summary>\(language.count(count, .moreLine, .moreLines))</summary>
  \(lines)
  </details>
  """
}

private func lineCount(of text: String) -> Int { text.utf8.count { $0 == 0x0A } + 1 }

/// A text whose middle is folded if it is long.
package struct FoldedText {
  /// Code is folded if it has more lines.
  package static let codeLimit = 30
  /// The number of lines of folded code that are seen.
  package static let codeHead = 12
  /// Printed text is folded if it has more lines.
  package static let limit = 40
  private static let (headLines, tailLines) = (16, 8)

  /// The lines before the folded ones; the whole text if it is not long.
  package let head: Substring
  package let folded: Substring
  /// The number of folded lines.
  package let foldedCount: Int
  /// The lines after the folded ones.
  package let tail: Substring

  package init(_ text: String) {
    // Bytes are many times faster than characters, of which a long output has millions.
    let bytes = text.utf8
    let ends = bytes.indices.filter { bytes[$0] == 0x0A }
    guard ends.count >= Self.limit else {
      (head, folded, foldedCount, tail) = (text[...], "", 0, "")
      return
    }
    let (first, last) = (ends[Self.headLines - 1], ends[ends.count - Self.tailLines])
    head = text[..<first]
    folded = text[bytes.index(after: first)..<last]
    foldedCount = ends.count + 1 - Self.headLines - Self.tailLines
    tail = text[bytes.index(after: last)...]
  }
}

/// The attributes that make a scrollable box reachable with the keyboard.
private func focus(_ text: some StringProtocol, _ name: String) -> HTML {
  let lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
  // Bytes are counted first: characters take many times as long.
  guard
    lines.count > 30
      || lines.contains(where: { $0.count > 80 && String(decoding: $0, as: UTF8.self).count > 80 })
  else { return "" }
  return " tabindex=\"0\" role=\"region\" aria-label=\"\(name)\""
}

/// A self-contained HTML file: the style sheet is embedded; requests and other scripts are forbidden.
///
/// - Parameters:
///   - title: The title.
///   - language: Its language.
///   - body: The contents.
///   - style: Rules that follow those of all pages.
///   - script: The only script, and the digest by which the browser knows it.
func htmlDocument(
  title: String, in language: Language, body: HTML, style: String = "", script: PageScript? = nil
) -> String {
  let style = HTML(trusted: String(cString: embedded_file("page.css")) + style)
  let permission: HTML = script.map { "; script-src '\($0.source)'" } ?? ""
  let element: HTML = script.map { "\n<script>\(HTML(trusted: $0.text))</script>" } ?? ""
  let document: HTML = """
    <!DOCTYPE html>
    \(htmlTag(in: language))
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy" \
    content="default-src 'none'; img-src data:; style-src 'unsafe-inline'\(permission)">
    <title>\(title)</title>
    <link rel="icon" href="data:,">
    <style>
    \(style)</style>
    </head>
    <body>
    \(body)\(element)
    </body>
    </html>

    """
  return document.text
}

/// The start of a document in a language, with the words that its style sheet shows.
package func htmlTag(in language: Language) -> HTML {
  "<html lang=\"\(language.rawValue)\" style=\"--scroll-hint: '\(language[.scrollHint])'\">"
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

  private var word: Word {
    switch state {
    case .passed: .passed
    case .notRun: .notRun
    case .failedAsExpected: .failedAsExpected
    case .failed: .failed
    }
  }

  func html(in language: Language) -> HTML {
    "<span class=\"label \(style)\">\(language[word])</span>"
  }
}
