import Foundation

/// A page as a Jupyter notebook, with outputs and figures inside.
///
/// Prose becomes Markdown cells, code becomes code cells that are counted in the order in which
/// they ran.
struct JupyterNotebook {
  private let figures: FigureFiles
  private var identifiers = Identifiers()
  private var cells: [NotebookFile.Cell] = []
  private var executionCount = 0

  init(_ page: Page, _ figures: FigureFiles) {
    self.figures = figures
    addProse([page.markdownHeader()], identifier: "introduction")
    addFacts(of: page)
    addSetup(of: page)
    for cell in page.cells { add(cell) }
  }

  /// The file's text.
  var text: String {
    get throws { try jsonText(of: NotebookFile(cells: cells)) }
  }

  private mutating func addProse(_ blocks: [String], identifier: String) {
    cells.append(.markdown(id: identifiers.next(for: identifier), joinedBlocks(blocks)))
  }

  private mutating func addFacts(of page: Page) {
    guard !page.markdownFacts.isEmpty else { return }
    addProse([page.markdownFacts], identifier: "facts")
  }

  private mutating func addSetup(of page: Page) {
    var outputs: [NotebookFile.Output] = []
    if case .failed(let message, _) = page.state, page.failedCell == nil {
      outputs.append(.error(name: page.placeOfFailure, message: plainText(message)))
    }
    guard !page.setup.isEmpty || !outputs.isEmpty else { return }
    addCode(
      page.setup, identifier: "setup", ran: page.state != .notRun, outputs: outputs, tags: [])
  }

  private mutating func add(_ cell: Page.Cell) {
    addProse(
      [
        "## \(escapedForMarkdown(cell.title))", cell.prose,
        cell.state == .notRun ? "*Not run.*" : "",
      ], identifier: "\(cell.id)-prose")
    var outputs = cell.shownOutputs.map(output(for:))
    var tags: [String] = []
    switch cell.state {
    case .passed, .notRun: break
    case .failedAsExpected(let message):
      outputs.append(.error(name: "Failed as expected", message: plainText(message)))
      // With it Jupyter goes on behind an error.
      tags = ["raises-exception"]
    case .failed(let message, let line):
      outputs.append(
        .error(name: "Failed at line \(line ?? cell.line)", message: plainText(message)))
    }
    addCode(
      cell.code, identifier: cell.id, ran: cell.state != .notRun, outputs: outputs, tags: tags)
  }

  private mutating func addCode(
    _ code: String, identifier: String, ran: Bool, outputs: [NotebookFile.Output], tags: [String]
  ) {
    if ran { executionCount += 1 }
    cells.append(
      .code(
        id: identifiers.next(for: identifier), code.trimmingCharacters(in: .newlines),
        executionCount: ran ? executionCount : nil, outputs: outputs, tags: tags))
  }

  private func output(for output: Page.Output) -> NotebookFile.Output {
    switch output {
    case .text(let text, let stream):
      .stream(name: stream == .standardOutput ? "stdout" : "stderr", text)
    case .figure(let figure): .figure(figure, png: figures.bytes(of: figure))
    }
  }
}
