import Foundation

/// A cell in a page of HTML.
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

/// Swift source in a box.
func codeBox(_ code: String) -> HTML {
  let code = code.trimmingCharacters(in: .newlines)
  return """
    <pre class="code"\(focus(code, "Code"))><code>\(HTML(highlighting: code))</code></pre>
    """
}

/// What was printed, in a box.
private func textBox(_ text: String, _ name: String, style: String) -> HTML {
  let text = text.trimmingCharacters(in: .newlines)
  return "<pre class=\"\(style)\"\(focus(text, name))>\(text)</pre>"
}

/// A box that may have to be scrolled can be reached with the keyboard.
private func focus(_ text: String, _ name: String) -> HTML {
  let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  guard lines.count > 30 || lines.contains(where: { $0.count > 80 }) else { return "" }
  return " tabindex=\"0\" role=\"region\" aria-label=\"\(name)\""
}
