import Foundation

/// What a live page shows: the source as it is now, the run so far, and below it the outputs of earlier
/// runs, until their cells have run again.
struct LivePage {
  let name: String
  /// The source as it is now.
  var source: NotebookSource {
    didSet { retranslate() }
  }
  /// The language of the page.
  let language: Language
  /// Reads the translation of a source; `nil` if there is none.
  private let translate: @Sendable (NotebookSource) -> Translation?
  private var translation: Translation?
  private(set) var phase = Phase.starting
  /// When the phase, or the cell that runs, began.
  private(set) var began = monotonicTime()
  /// The events of the run.
  private(set) var events: [Event] = []
  /// The lines of the cells' calls in the source that runs.
  private var lines: [Int]?
  /// The cells of earlier runs, by identifier.
  private var earlier: [String: Page.Cell] = [:]
  /// The compiler's errors.
  private(set) var errors: [BuildError] = []
  /// The path of the notebook's source as the compiler names it.
  let file: String
  private(set) var parameters = Event.Parameters(values: [])

  enum Phase: Equatable {
    case starting
    case building(waitsForAnother: Bool)
    case running, waiting
    /// Of an earlier run if nothing has changed since.
    case passed(isEarlier: Bool)
    case failed, stopped, notBuilt
    /// The notebook refused its parameters with this message.
    case refused(String)
    /// The notebook cannot be built or run for this reason.
    case broken(String)
  }

  init(
    name: String, source: NotebookSource, in language: Language,
    translate: @escaping @Sendable (NotebookSource) -> Translation?
  ) {
    self.name = name
    self.source = source
    self.language = language
    self.translate = translate
    translation = translate(source)
    file = "Notebooks/\(name)/main.swift"
  }

  /// Reads the translation again.
  mutating func retranslate() { translation = translate(source) }

  // MARK: What happens

  mutating func enter(_ phase: Phase) {
    guard phase != self.phase else { return }
    (self.phase, began) = (phase, monotonicTime())
  }

  /// The outputs so far belong to an earlier source or run from now on.
  mutating func outdate() {
    for cell in shownCells where !cell.cell.outputs.isEmpty || cell.cell.state != .notRun {
      earlier[cell.cell.id] = cell.cell
    }
    (events, lines, errors) = ([], nil, [])
  }

  /// A run of this source begins.
  mutating func begin(_ source: NotebookSource) {
    outdate()
    lines = source.cells.map(\.line)
    enter(.running)
    began = monotonicTime()
  }

  mutating func add(_ event: Event) {
    events.append(event)
    switch event {
    case .cell: began = monotonicTime()
    case .parameters(let parameters): self.parameters = parameters
    default: break
    }
  }

  mutating func fail(_ errors: [BuildError]) {
    self.errors = errors
    enter(.notBuilt)
  }

  /// Shows a run that has ended before.
  mutating func show(_ events: [Event], lines: [Int]?) {
    self.events = []
    self.lines = lines
    events.forEach { add($0) }
    enter(.passed(isEarlier: true))
  }

  /// Shows the outputs of an earlier run of another source.
  mutating func showOutdated(_ page: Page) {
    for cell in page.cells where !cell.outputs.isEmpty { earlier[cell.id] = cell }
  }

  // MARK: What is shown

  /// A cell as it is shown.
  struct CellView: Equatable {
    var cell: Page.Cell
    var errors: [BuildError] = []
    /// Whether the outputs are those of an earlier run.
    var isOutdated = false
    var isRunning = false
    var isWaiting = false
    /// The addresses of its figures, which change with the files.
    var figures: [String] = []
  }

  /// The page of the run so far, and the index of the cell that is running.
  var page: (page: Page, current: Int?) {
    var (page, current) = Page(name, source, []).replayed(events, lines: lines)
    if let translation { page = translation.page(page) }
    return (page, current)
  }

  /// The identifier of the cell that runs or waits.
  var currentCell: String? {
    let (page, current) = page
    return current.map { page.cells[$0].id }
  }

  var shownCells: [CellView] { views(of: page) }

  private var isUnderWay: Bool { phase == .running || phase == .waiting }

  private func views(of run: (page: Page, current: Int?)) -> [CellView] {
    run.page.cells.enumerated().map { index, cell in
      let isCurrent = isUnderWay && index == run.current
      var view = CellView(cell: cell)
      view.isRunning = isCurrent && phase == .running
      view.isWaiting = isCurrent && phase == .waiting
      view.errors = errors.filter { self.cell(of: $0) == .some(index) }
      if cell.state == .notRun, !view.isRunning, cell.outputs.isEmpty,
        let earlier = earlier[cell.id]
      {
        view.cell.outputs = earlier.outputs
        view.cell.state = earlier.state
        (view.cell.seconds, view.cell.peakMemory) = (earlier.seconds, earlier.peakMemory)
        view.isOutdated = true
      }
      return view
    }
  }

  /// The cell of an error: `nil` if it is not in the notebook's source, -1 if it is above the cells.
  private func cell(of error: BuildError) -> Int? {
    guard error.file == file, let line = error.line else { return nil }
    return source.cells.lastIndex { $0.line <= line } ?? -1
  }

  // MARK: The state line

  /// The state in words, and what can be done.
  struct StateLine: Encodable, Equatable {
    var kind: String
    var text: String
    /// The fragment of the cell that the state is about.
    var cell: String?
    /// The time in seconds since the phase began; `nil` if it does not matter.
    var seconds: Double?
    /// The number of cells that have run, and of all.
    var done: Int
    var count: Int
    var canStop: Bool
    var title: String
  }

  var stateLine: StateLine { stateLine(of: page) }

  private func stateLine(of run: (page: Page, current: Int?)) -> StateLine {
    let (page, current) = run
    func text(_ word: Word, in cell: Word) -> String {
      guard let current else { return language[word] }
      let (number, count) = (current + 1, page.cells.count)
      return language[cell, "\(number)", "\(count)", page.cells[current].title]
    }
    var line = StateLine(
      kind: "", text: "", cell: current.map { fragmentID(page.cells[$0].id) },
      done: page.cells.count { $0.state != .notRun }, count: page.cells.count, canStop: false,
      title: page.title)
    let elapsed = monotonicTime() - began
    switch phase {
    case .starting: (line.kind, line.text) = ("building", language[.starting])
    case .building(let waits):
      (line.kind, line.text) = ("building", language[waits ? .waitingForBuild : .building])
      (line.seconds, line.canStop, line.cell) = (elapsed, true, nil)
    case .running:
      (line.kind, line.text) = ("running", text(.running, in: .runningCell))
      (line.seconds, line.canStop) = (elapsed, true)
    case .waiting:
      (line.kind, line.text) = ("waiting", text(.waiting, in: .waitingBeforeCell))
      line.canStop = true
    case .passed(let isEarlier):
      let passed = page.seconds.map { language[.passedIn, language.duration($0)] }
      (line.kind, line.cell) = ("passed", nil)
      line.text = isEarlier ? language[.passedEarlier] : passed ?? language[.passed]
    case .failed:
      (line.kind, line.text) = ("failed", text(.failed, in: .failedInPlace))
    case .stopped:
      (line.kind, line.text) = ("stopped", text(.stopped, in: .stoppedInPlace))
    case .notBuilt:
      line.kind = "failed"
      line.text = language.count(errors.count, .notBuiltError, .notBuiltErrors)
      line.cell = firstErrorFragment
    case .refused: (line.kind, line.text) = ("failed", language[.refusedParameters])
    case .broken: (line.kind, line.text) = ("failed", language[.notRun])
    }
    return line
  }

  private var firstErrorFragment: String? {
    guard let first = errors.first else { return nil }
    switch cell(of: first) {
    case nil: return "top"
    case -1: return "setup"
    case let index?: return fragmentID(source.cells[index].id)
    }
  }

  private func fragmentID(_ cell: String) -> String { "cell-\(cell)" }

  // MARK: Fragments

  /// A part of the page that is replaced as a whole.
  struct Fragment: Equatable {
    var id: String
    var html: HTML
    /// The CSS classes that tell its state.
    var style = ""
  }

  /// The fragments that were made last, so that only those are made again that have changed.
  struct Cache {
    fileprivate var views: [String: CellView] = [:]
    fileprivate var cells: [String: Fragment] = [:]
    fileprivate var prose: (text: String, html: HTML)?
  }

  /// All fragments, in their order on the page.
  func fragments(_ cache: inout Cache, _ figures: LiveFigures) -> [Fragment] {
    let run = page
    var views = views(of: run)
    let files = FigureFiles(URL(filePath: "/")) { figures.address(of: $0) }
    for index in views.indices {
      views[index].figures = views[index].cell.figures.map { figures.address(of: $0) ?? "" }
    }
    let page = HTMLPage(run.page, files, place: place)
    var fragments = [
      Fragment(id: "top", html: top(run.page)),
      Fragment(id: "contents", html: contents(views)),
      Fragment(id: "introduction", html: introduction(run.page, &cache)),
      Fragment(id: "parameters", html: form),
      Fragment(id: "facts", html: page.facts),
      Fragment(id: "setup", html: "\(page.setup)\(html(of: errors.filter { cell(of: $0) == -1 }))"),
    ]
    var cells: [String: Fragment] = [:]
    for view in views {
      let id = view.cell.id
      if cache.views[id] == view, let fragment = cache.cells[id] {
        cells[id] = fragment
      } else {
        cells[id] = fragment(of: view, files)
      }
      fragments += cells[id].map { [$0] } ?? []
    }
    (cache.cells, cache.views) = (cells, [:])
    for view in views { cache.views[view.cell.id] = view }
    return fragments
  }

  private func fragment(of view: CellView, _ files: FigureFiles) -> Fragment {
    var cell = view.cell
    if view.isRunning || view.isWaiting { cell.state = .passed }
    var html = HTMLCell(cell, anchor: cell.id, files, place: place)
    html.beforeOutputs = self.html(of: view.errors)
    var identifiers = Identifiers(reserved: Set(source.cells.map(\.id)))
    let styles = [
      view.isOutdated ? "outdated" : nil, view.isRunning ? "running" : nil,
      view.isWaiting ? "waiting" : nil, view.errors.isEmpty ? nil : "broken",
    ]
    return Fragment(
      id: fragmentID(cell.id), html: html.html(&identifiers),
      style: styles.compactMap { $0 }.joined(separator: " "))
  }

  /// The HTML of an output that is added to a cell.
  func part(_ output: Page.Output, of cell: String, _ figures: LiveFigures) -> HTML {
    HTMLCell(
      Page.Cell(id: cell, title: "", line: 0), anchor: cell,
      FigureFiles(URL(filePath: "/")) { figures.address(of: $0) }, place: place
    ).part(of: output)
  }

  private var place: PagePlace {
    .current(hasLastPassed: false).of(language, among: [language])
  }

  private func introduction(_ page: Page, _ cache: inout Cache) -> HTML {
    let text = "\(page.title)\n\(page.introduction)"
    if let (known, html) = cache.prose, known == text { return html }
    var identifiers = Identifiers(reserved: Set(source.cells.map(\.id)))
    let prose = Markdown(page.introduction).html(below: 1, &identifiers)
    let html: HTML = "<h1>\(page.title)</h1>\n<div class=\"prose\">\(prose)</div>"
    cache.prose = (text, html)
    return html
  }

  private func contents(_ views: [CellView]) -> HTML {
    guard views.count > 3 else { return "" }
    let items = views.map { view -> HTML in
      let mark: HTML =
        if !view.errors.isEmpty {
          " <small><span class=\"label failed\">\(language[.errorLabel])</span></small>"
        } else if view.isRunning {
          " <small><span class=\"label running\">\(language[.running])</span></small>"
        } else if view.isWaiting {
          " <small><span class=\"label waiting\">\(language[.nextLabel])</span></small>"
        } else if case .failed = view.cell.state {
          " <small>\(StateLabel(view.cell.state).html(in: language))</small>"
        } else {
          ""
        }
      let style = view.cell.state == .notRun || view.isOutdated ? "not-run" : "done"
      return
        "<li class=\"\(style)\"><a href=\"#\(view.cell.id)\">\(view.cell.title)</a>\(mark)</li>"
    }
    return """
      <h2 id="contents">\(language[.contents])</h2>
      <ol>
      \(items.joined(separator: "\n"))
      </ol>
      """
  }

  /// What stands above the page: errors outside the notebook's source, and why it is not run.
  private func top(_ page: Page) -> HTML {
    let outside = errors.filter { cell(of: $0) == nil }
    switch phase {
    case .broken(let message): return banner(language[.cannotBeRun], message)
    case .failed where page.failedCell == nil:
      if case .failed(let message, _) = page.state {
        return banner(page.placeOfFailure(in: language), message)
      }
      return ""
    default: return html(of: outside)
    }
  }

  private func banner(_ title: String, _ message: String) -> HTML {
    """
    <div class="banner" role="alert"><p><strong>\(title)</strong></p>
    <pre>\(plainText(message))</pre></div>
    """
  }

  private func html(of errors: [BuildError]) -> HTML {
    errors.map { error -> HTML in
      let place = [error.line, error.column].compactMap { $0.map(String.init) }
        .joined(separator: ":")
      let file =
        error.file.map { $0 == self.file ? language[.line, place] : "\($0):\(place)" }
        ?? language[.buildError]
      let excerpt: HTML = error.excerpt.isEmpty ? "" : "\n<pre>\(error.excerpt)</pre>"
      return """
        <div class="compile-error" role="alert"><p><strong>\(file)</strong> \(error.message)</p>\
        \(excerpt)</div>
        """
    }.joined(separator: "\n")
  }

  // MARK: The form of the parameters

  private var form: HTML {
    guard let declared = parameters.declared, !declared.isEmpty else { return refusal }
    let values = Dictionary(
      parameters.values.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    let changed = declared.filter { values[$0.name] != $0.standard }
      .map { "\($0.name)=\(values[$0.name] ?? "")" }
    let fields = declared.map { field(for: $0, value: values[$0.name]) }
    return """
      <details class="parameters"\(refusal.text.isEmpty ? "" : " open")>
      <summary>\(language[.parametersFact])\(changed.isEmpty ? "" : ": \(changed.joined(separator: ", "))")</summary>
      \(refusal)<form class="parameter-form">
      \(fields.joined(separator: "\n"))
      <p class="buttons"><button type="submit">\(language[.runWithThese])</button>
      <button type="button" class="plain" data-defaults>\(language[.defaults])</button></p>
      </form></details>
      """
  }

  private var refusal: HTML {
    guard case .refused(let message) = phase else { return "" }
    return "<pre class=\"refusal\" role=\"alert\">\(message)</pre>\n"
  }

  private func field(for parameter: ParameterDeclaration, value: String?) -> HTML {
    let name = parameter.name
    let standard: HTML =
      parameter.standard.map { " data-default=\"\($0)\"" } ?? " data-default=\"\""
    let help: HTML = parameter.help.map { "<small>\($0)</small>" } ?? ""
    let control: HTML
    switch parameter.kind {
    case .flag:
      let checked: HTML = value == "true" ? " checked" : ""
      control = "<input type=\"checkbox\" name=\"\(name)\"\(standard)\(checked)>"
    case .choice:
      let options = (parameter.choices ?? []).map { choice -> HTML in
        "<option\(choice == value ? " selected" as HTML : "")>\(choice)</option>"
      }
      control = "<select name=\"\(name)\"\(standard)>\(options.joined())</select>"
    case .number, .text:
      let mode: HTML = parameter.kind == .number ? " inputmode=\"decimal\"" : ""
      control = """
        <input type="text" name="\(name)" value="\(value ?? "")"\(standard)\(mode) \
        autocomplete="off" spellcheck="false">
        """
    }
    return "<label><span>\(name)</span>\(control)\(help)</label>"
  }
}

extension Page.Cell {
  /// The figures among the outputs.
  var figures: [Page.Figure] {
    outputs.compactMap { output in
      switch output {
      case .figure(let figure): figure
      case .inspection(let inspection): inspection.figure
      case .text, .times, .cached, .check: nil
      }
    }
  }
}

extension Page.Output {
  /// The kind of an output on a live page. Text is added to the last output of its kind.
  var kind: String {
    switch self {
    case .text(_, .standardOutput): "output"
    case .text(_, .standardError): "errors"
    case .times: "times"
    case .figure: "figure"
    case .inspection: "inspection"
    case .cached: "cached"
    case .check: "check"
    }
  }
}
