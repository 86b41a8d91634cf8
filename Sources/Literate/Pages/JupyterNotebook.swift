import Foundation

/// A page as a Jupyter notebook with embedded outputs and figures.
///
/// Prose becomes Markdown cells; code becomes code cells with execution counts in the order in which
/// they ran.
struct JupyterNotebook {
  private let figures: FigureFiles
  private let language: Language
  private var identifiers = Identifiers(isASCII: true)
  private var cells: [NotebookFile.Cell] = []
  private var executionCount = 0

  init(_ page: Page, _ figures: FigureFiles, place: PagePlace) {
    self.figures = figures
    language = place.language
    var page = page.withoutRepeatedWarnings
    addProse([page.markdownHeader("ipynb", at: place)], identifier: "introduction")
    addFacts(of: page)
    // Jupyter compiles a cell before those that follow.
    let code = inOrderOfUse([page.setup] + page.cells.map(\.code))
    page.setup = code[0]
    for index in page.cells.indices { page.cells[index].code = code[index + 1] }
    addSetup(of: page)
    for cell in page.cells { add(cell) }
  }

  /// The JSON of the notebook.
  var text: String {
    get throws { try jsonText(of: NotebookFile(cells: cells)) }
  }

  private mutating func addProse(_ blocks: [String], identifier: String) {
    cells.append(.markdown(id: identifiers.next(for: identifier), joinedBlocks(blocks)))
  }

  private mutating func addFacts(of page: Page) {
    let facts = page.markdownFacts(in: language)
    guard !facts.isEmpty else { return }
    addProse([facts], identifier: "facts")
  }

  private mutating func addSetup(of page: Page) {
    var outputs: [NotebookFile.Output] = []
    if case .failed(let message, _) = page.state, page.failedCell == nil {
      outputs.append(.error(name: page.placeOfFailure(in: language), message: plainText(message)))
    }
    guard !page.setup.isEmpty || !outputs.isEmpty else { return }
    addCode(
      page.setup, identifier: "setup", ran: page.state != .notRun, outputs: outputs, tags: [])
  }

  private mutating func add(_ cell: Page.Cell) {
    addProse(
      [
        "## \(escapedForMarkdown(cell.title))", cell.prose,
        cell.state == .notRun ? "*\(language[.notRun]).*" : "",
      ], identifier: "\(cell.id)-prose")
    var outputs = cell.shownOutputs.flatMap { self.outputs(for: $0, in: cell) }
    var tags: [String] = []
    switch cell.state {
    case .passed, .notRun: break
    case .failedAsExpected(let message):
      outputs.append(.error(name: language[.failedAsExpected], message: plainText(message)))
      // With this tag Jupyter continues after an error.
      tags = ["raises-exception"]
    case .failed(let message, let line):
      outputs.append(
        .error(
          name: language[.failedAtLine, "\(line ?? cell.line)"], message: plainText(message)))
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

  /// The outputs; only what a cell that failed has printed on standard error is red.
  private func outputs(
    for output: Page.Output, in cell: Page.Cell
  ) -> [NotebookFile.Output] {
    switch output {
    case .times(let text): return [.stream(name: "stdout", text)]
    case .inspection(let inspection):
      return [
        .display(
          plain: inspection.line(in: language), markdown: inspection.markdown(in: language))
      ] + [inspection.figure.map(figureOutput)].compactMap(\.self)
    case .cached(let cached):
      return [.stream(name: "stdout", cached.sentence(in: language) + "\n")]
    case .check(let check):
      return [.display(plain: check.text(in: language), markdown: check.markdown(in: language))]
    case .text(let text, .standardOutput): return [.stream(name: "stdout", text)]
    case .text(let text, .standardError):
      if case .failed = cell.state { return [.stream(name: "stderr", text)] }
      let title = language[cell.errorsTitle]
      return [
        .display(
          plain: "\(title)\n\(text.trimmingCharacters(in: .newlines))",
          markdown: quoted(["**\(title)**", fenced(text, as: "text")]))
      ]
    case .figure(let figure): return [figureOutput(figure)]
    }
  }

  private func figureOutput(_ figure: Page.Figure) -> NotebookFile.Output {
    var figure = figure
    figure.alternativeText = figure.alternativeText(in: language)
    return .figure(figure, png: figures.bytes(of: figure))
  }
}

/// A Jupyter notebook file in format 4.5.
///
/// Source: [The notebook file format](https://nbformat.readthedocs.io/en/latest/format_description.html)
struct NotebookFile: Encodable {
  private let nbformat = 4
  private let nbformat_minor = 5
  private let metadata = Metadata()
  let cells: [Cell]

  private struct Metadata: Encodable {
    let kernelspec = ["display_name": "Swift", "language": "swift", "name": "swift"]
    let language_info = [
      "file_extension": ".swift", "mimetype": "text/x-swift", "name": "swift",
    ]
  }

  enum Cell: Encodable {
    case markdown(id: String, String)
    /// The execution count is `nil` for a cell that did not run.
    case code(id: String, String, executionCount: Int?, outputs: [Output], tags: [String])

    func encode(to encoder: any Encoder) throws {
      var fields = encoder.container(keyedBy: Field.self)
      switch self {
      case .markdown(let id, let text):
        try fields.encode("markdown", forKey: "cell_type")
        try fields.encode(id, forKey: "id")
        try fields.encode([String: String](), forKey: "metadata")
        try fields.encode(lines(of: text), forKey: "source")
      case .code(let id, let text, let executionCount, let outputs, let tags):
        try fields.encode("code", forKey: "cell_type")
        // The format requires null instead of a missing field.
        try fields.encode(executionCount, forKey: "execution_count")
        try fields.encode(id, forKey: "id")
        try fields.encode(tags.isEmpty ? [:] : ["tags": tags], forKey: "metadata")
        try fields.encode(outputs, forKey: "outputs")
        try fields.encode(lines(of: text), forKey: "source")
      }
    }
  }

  enum Output: Encodable {
    /// The name is `stdout` or `stderr`.
    case stream(name: String, String)
    /// A text with an optional form in Markdown.
    case display(plain: String, markdown: String)
    /// Without a file, only the alternative text.
    case figure(Page.Figure, png: Data?)
    case error(name: String, message: String)

    func encode(to encoder: any Encoder) throws {
      var fields = encoder.container(keyedBy: Field.self)
      switch self {
      case .stream(let name, let text):
        try fields.encode("stream", forKey: "output_type")
        try fields.encode(name, forKey: "name")
        try fields.encode(lines(of: text), forKey: "text")
      case .display(let plain, let markdown):
        try fields.encode("display_data", forKey: "output_type")
        try fields.encode(
          ["text/markdown": lines(of: markdown), "text/plain": lines(of: plain)], forKey: "data")
        try fields.encode([String: String](), forKey: "metadata")
      case .figure(let figure, let png):
        try fields.encode("display_data", forKey: "output_type")
        var data = ["text/plain": [plainText(figure.alternativeText)]]
        if let png { data["image/png"] = [png.base64EncodedString()] }
        try fields.encode(data, forKey: "data")
        try fields.encode(png == nil ? [:] : ["image/png": Size(figure)], forKey: "metadata")
      case .error(let name, let message):
        try fields.encode("error", forKey: "output_type")
        try fields.encode(name, forKey: "ename")
        try fields.encode(message, forKey: "evalue")
        try fields.encode(
          [name] + withUnixLineEnds(message).split(separator: "\n").map(String.init),
          forKey: "traceback")
      }
    }
  }

  private struct Size: Encodable {
    let alt: String
    let width: Int
    let height: Int

    init(_ figure: Page.Figure) {
      alt = plainText(figure.alternativeText)
      width = figure.width
      height = figure.height
    }
  }

  private struct Field: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringLiteral name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}

/// Text in the form of the format: lines that include their line breaks.
private func lines(of text: String) -> [String] {
  var lines = withUnixLineEnds(text).split(separator: "\n", omittingEmptySubsequences: false)
    .map { "\($0)\n" }
  let last = lines.removeLast().dropLast()
  return last.isEmpty ? lines : lines + [String(last)]
}
