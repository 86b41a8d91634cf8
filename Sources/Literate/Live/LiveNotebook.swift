import Foundation
import Synchronization

/// A notebook that is built and run whenever its source is saved, and tells what happens.
///
/// Three threads work on it: one looks at the files, one builds and runs, and one makes the messages for
/// the pages in browsers, every 50 ms at most.
package final class LiveNotebook: Sendable {
  private let notebook: NotebookProgram
  private let state: Mutex<State>
  /// Wakes the thread that builds and runs, and the one that makes messages.
  private let work = DispatchSemaphore(value: 0)
  private let news = DispatchSemaphore(value: 0)
  private let threads = DispatchGroup()
  private let report: @Sendable (String) -> Void

  /// The messages for pages.
  package let feed = LiveFeed()
  package let figures = LiveFigures()

  /// The pause between two messages in seconds.
  private static let pause = 0.05

  /// What a reader asks for.
  package enum Action: Equatable, Sendable {
    /// Runs the next cell; while cells are running, stops before the next one.
    case nextCell
    case runAll
    /// Runs all cells up to this one and including it.
    case runTo(cell: String)
    case stop
    /// Runs with these values of parameters, by name.
    case run(parameters: [String: String])
  }

  /// How far a run goes by itself.
  fileprivate enum Goal: Equatable {
    case end
    case through(String)
    /// This many cells more.
    case cells(Int)
  }

  fileprivate enum Stop {
    /// By the reader, by a newer source or parameters, by the end of the server.
    case reader, restart, close
  }

  fileprivate struct State {
    var page: LivePage
    var options: NotebookProgram.Options
    var goal: Goal
    /// The cell whose opening has been seen, whether it may run, and the last one that ran.
    var opened: (id: String, mayRun: Bool)?
    var lastRun: String?
    /// The cells that have been reached in this run.
    var reached: Set<String> = []
    /// Whether another run has been asked for.
    var isAskedToRun = false
    var stop: Stop?
    var isBusy = false
    var isClosing = false
    /// The form that is or was built last.
    var built: NotebookProgram.Form?
    /// What the notebook wrote to standard error before it started.
    var earlyErrors: [UInt8] = []

    // What pages do not have yet.
    var hasNews = false
    var isRedrawn = true
    var pieces: [Page.Output] = []
    /// The kinds of text that the cell that runs has since its last figure.
    var kinds: Set<String> = []
    var running: String?
    var tail = LiveTail()
    var sentTail = LiveTail()
    var cache = LivePage.Cache()
    var sent: [LivePage.Fragment] = []
    var sentLine: LivePage.StateLine?
    var isSent = false
    var document: (number: Int, html: HTML, line: LivePage.StateLine)?
  }

  /// - Parameters:
  ///   - notebook: The notebook.
  ///   - options: The options of its runs.
  ///   - stepping: Whether to wait before the first cell.
  ///   - report: Called with a line about what happens, from any thread.
  /// - Throws: ``NotebookError`` if the source cannot be read.
  package init(
    _ notebook: NotebookProgram, _ options: NotebookProgram.Options, stepping: Bool = false,
    report: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    self.notebook = notebook
    self.report = report
    state = Mutex(
      State(
        page: LivePage(name: notebook.name, source: try notebook.source()), options: options,
        goal: stepping ? .cells(0) : .end, isAskedToRun: true))
  }

  /// The name of the notebook.
  package var name: String { notebook.name }

  /// Whether the notebook is being built or run, and does not wait for a reader.
  package var isBusy: Bool {
    state.withLock { ($0.isBusy || $0.isAskedToRun) && $0.page.phase != .waiting }
  }

  /// The style sheet of pages.
  package static var styleSheet: [UInt8] { PackageResources.page_css }

  // MARK: Start and end

  /// Starts to watch, build and run.
  package func start() {
    let package = notebook.folders.sources.deletingLastPathComponent()
    let watched = [
      notebook.file.deletingLastPathComponent(), package.appending(path: "Sources"),
      package.appending(path: "Package.swift"),
    ]
    // What is saved from now on is noticed, also if the thread starts later.
    let watcher = SourceWatcher(watched)
    startThread { $0.workUntilClosed() }
    startThread { $0.sendUntilClosed() }
    startThread { live in
      var watcher = watcher
      while !live.state.withLock({ $0.isClosing }) {
        usleep(SourceWatcher.pause)
        if watcher.hasChanged() { live.sourcesHaveChanged() }
      }
    }
    work.signal()
  }

  private func startThread(_ body: @escaping @Sendable (LiveNotebook) -> Void) {
    threads.enter()
    let thread = Thread {
      body(self)
      self.threads.leave()
    }
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// Stops what runs, waits until its files are written, and ends the messages.
  package func close() {
    state.withLock { state in
      state.isClosing = true
      if state.isBusy { state.stop = .close }
    }
    work.signal()
    news.signal()
    threads.wait()
    send()
    feed.add([LiveMessage.end.json])
    feed.close()
  }

  // MARK: What readers ask for

  /// - Throws: ``NotebookError`` if the notebook has no such cell or parameter.
  package func perform(_ action: Action) throws {
    try state.withLock { state in
      switch action {
      case .nextCell:
        if state.isBusy || state.isAskedToRun, state.page.phase == .running {
          state.goal = .cells(0)
        } else {
          ask(for: .cells(1), &state)
        }
      case .runAll: ask(for: .end, &state)
      case .runTo(let cell):
        guard state.page.shownCells.contains(where: { $0.cell.id == cell }) else {
          throw NotebookError("expected a cell of \(notebook.name), got \(plainText(cell))")
        }
        if state.isBusy, state.reached.contains(cell), state.opened?.id != cell {
          state.stop = .restart
          state.isAskedToRun = true
        }
        ask(for: .through(cell), &state)
      case .stop:
        state.isAskedToRun = false
        if state.isBusy { state.stop = .reader }
      case .run(let parameters):
        state.options.parameters = try arguments(parameters, state.page.parameters)
        if state.isBusy { state.stop = .restart }
        state.isAskedToRun = true
        if case .cells = state.goal { state.goal = .cells(0) }
      }
      markNews(&state)
    }
    work.signal()
  }

  private func ask(for goal: Goal, _ state: inout State) {
    state.goal = goal
    if !state.isBusy { state.isAskedToRun = true }
  }

  /// The values of the form that are not the defaults, as options of the command line.
  private func arguments(
    _ values: [String: String], _ parameters: Event.Parameters
  ) throws -> [String] {
    let declared = parameters.declared ?? []
    for (name, value) in values {
      guard declared.contains(where: { $0.name == name }) else {
        throw NotebookError("expected a parameter of \(notebook.name), got \(plainText(name))")
      }
      guard value.utf8.count <= 10_000, !value.utf8.contains(0) else {
        throw NotebookError("\(name): expected a text of up to 10,000 characters")
      }
    }
    return declared.compactMap { parameter in
      guard let value = values[parameter.name], value != parameter.standard ?? "" else {
        return nil
      }
      return "\(parameter.name)=\(value)"
    }
  }

  // MARK: The page

  /// The fragments of the page and the state line, and the number of the last message that they
  /// include.
  package func document() -> (number: Int, html: HTML, stateLine: String, title: String) {
    state.withLock { state in
      send(&state)
      let last = feed.last
      if state.document?.number != last || state.document == nil {
        let fragments = state.page.fragments(&state.cache, figures)
        state.document = (last, Self.html(of: fragments), state.page.stateLine)
      }
      let html = state.document?.html ?? ""
      return (
        last, html, LiveMessage.state(state.page.stateLine).json, state.page.source.title
      )
    }
  }

  private static func html(of fragments: [LivePage.Fragment]) -> HTML {
    let cells = fragments.filter { $0.id.hasPrefix("cell-") }
    func element(_ id: String) -> HTML {
      "<div data-fragment=\"\(id)\">\(fragments.first { $0.id == id }?.html ?? "")</div>"
    }
    let contents = fragments.first { $0.id == "contents" }?.html ?? ""
    let body = cells.map { cell -> HTML in
      let id = String(cell.id.dropFirst("cell-".count))
      return """
        <div class="live-cell \(cell.style)" data-cell="\(cell.id)">
        <button type="button" class="to-here" data-action="runTo" data-id="\(id)" \
        title="Run all cells up to this one and including it">Run to here</button>
        <div data-fragment="\(cell.id)">\(cell.html)</div><div class="tail"></div>
        </div>
        """
    }
    return """
      \(element("top"))
      <header>\(element("introduction"))</header>
      <nav class="contents" data-fragment="contents" aria-label="Contents">\(contents)</nav>
      <main id="cells">\(element("parameters"))\(element("facts"))\(element("setup"))
      \(body.joined(separator: "\n"))
      </main>
      """
  }

  // MARK: Messages

  private func markNews(_ state: inout State, redraws: Bool = true) {
    if redraws { state.isRedrawn = true }
    guard !state.hasNews else { return }
    state.hasNews = true
    news.signal()
  }

  private func sendUntilClosed() {
    while true {
      news.wait()
      if state.withLock({ $0.isClosing && !$0.isBusy && !$0.isAskedToRun }) { return }
      send()
      usleep(UInt32(Self.pause * 1e6))
    }
  }

  private func send() { state.withLock { send(&$0) } }

  /// Makes the messages about everything that has happened since the last time.
  private func send(_ state: inout State) {
    guard state.hasNews || !state.isSent else { return }
    state.hasNews = false
    var messages: [LiveMessage] = []
    if state.isRedrawn || !state.isSent {
      let fragments = state.page.fragments(&state.cache, figures)
      if state.isSent, fragments.map(\.id) == state.sent.map(\.id) {
        messages = zip(fragments, state.sent).filter { $0 != $1 }.map { .fragment($0.0) }
      } else if state.isSent {
        messages = [.page(Self.html(of: fragments))]
        state.sentTail = LiveTail()
      }
      (state.sent, state.isSent, state.isRedrawn) = (fragments, true, false)
      state.pieces = []
      noteRunningCell(&state)
      let line = state.page.stateLine
      // The time that has passed is no news.
      var (before, now) = (state.sentLine, line)
      before?.seconds = nil
      now.seconds = nil
      if before != now { messages.append(.state(line)) }
      state.sentLine = line
    } else if let running = state.running {
      messages = pieces(of: running, &state)
    }
    if let running = state.running,
      state.tail.bar != state.sentTail.bar
        || state.tail.text != state.sentTail.text
    {
      messages.append(.tail(id: "cell-\(running)", state.tail))
      state.sentTail = state.tail
    }
    if !messages.isEmpty { feed.add(messages.map(\.json)) }
  }

  /// Which cell runs, and which kinds of text its fragment has.
  private func noteRunningCell(_ state: inout State) {
    let view = state.page.shownCells.first(where: \.isRunning)
    if view?.cell.id != state.running {
      if let before = state.running, state.sentTail != LiveTail() {
        feed.add([LiveMessage.tail(id: "cell-\(before)", LiveTail()).json])
      }
      (state.tail, state.sentTail) = (LiveTail(), LiveTail())
    }
    state.running = view?.cell.id
    state.kinds = []
    for output in view?.cell.outputs ?? [] { note(output, &state) }
  }

  private func note(_ output: Page.Output, _ state: inout State) {
    switch output {
    case .text, .times: state.kinds.insert(output.kind)
    case .figure, .inspection, .cached: state.kinds = []
    }
  }

  private func pieces(of cell: String, _ state: inout State) -> [LiveMessage] {
    var messages: [LiveMessage] = []
    for piece in state.pieces.joined() {
      let text: String? =
        switch piece {
        case .text(let text, _), .times(let text): plainText(text)
        case .figure, .inspection, .cached: nil
        }
      if let text, state.kinds.contains(piece.kind) {
        messages.append(.text(id: "cell-\(cell)", kind: piece.kind, text))
      } else {
        messages.append(
          .part(id: "cell-\(cell)", state.page.part(piece, of: cell, figures)))
      }
      note(piece, &state)
      // The fragment that was sent is no longer what pages show.
      if let index = state.sent.firstIndex(where: { $0.id == "cell-\(cell)" }) {
        state.sent[index].style = "?"
      }
    }
    state.pieces = []
    return messages
  }

  // MARK: Sources

  private func sourcesHaveChanged() {
    let options = state.withLock { $0.options }
    do {
      let form = try notebook.form(options)
      let isProse = state.withLock { state in take(form, &state) }
      if isProse { renderRun() }
      work.signal()
    } catch {
      state.withLock { state in
        // An editor may just be writing it; the run in progress has what it needs.
        if !state.isBusy { state.page.enter(.broken("\(error)")) }
        markNews(&state)
      }
    }
  }

  /// Takes over a source that may have changed.
  ///
  /// - Returns: Whether only prose has changed.
  private func take(_ form: NotebookProgram.Form, _ state: inout State) -> Bool {
    let (new, old) = (form.fingerprint, state.built?.fingerprint)
    guard new.sources != old?.sources || state.isUnsound else { return false }
    let isCode = new.code != old?.code || new.libraries != old?.libraries || state.isUnsound
    state.page.source = form.source
    markNews(&state)
    guard isCode else {
      // Another change of prose is compared with this one.
      state.built?.takeText(of: form)
      report("Prose changed")
      return true
    }
    state.stop = state.isBusy ? .restart : nil
    state.isAskedToRun = true
    if case .cells = state.goal { state.goal = state.lastRun.map { .through($0) } ?? .cells(0) }
    return false
  }

  /// Writes the pages of the last run with the prose of now, if none is in progress.
  private func renderRun() {
    guard state.withLock({ !$0.isBusy && !$0.page.events.isEmpty }) else { return }
    // The live page is right in any case.
    _ = try? notebook.render()
  }

  // MARK: Builds and runs

  private func workUntilClosed() {
    var isFirst = true
    while true {
      let isNext = state.withLock { state -> Bool? in
        if state.isClosing {
          state.isAskedToRun = false
          return nil
        }
        guard state.isAskedToRun else { return false }
        (state.isAskedToRun, state.isBusy, state.stop) = (false, true, nil)
        return true
      }
      guard let isNext else { break }
      guard isNext else {
        work.wait()
        continue
      }
      do {
        let isFresh = try isFirst && showEarlierRun()
        if !isFresh { try buildAndRun() }
      } catch {
        report("\(error)")
        state.withLock { $0.page.enter(.broken("\(error)")) }
      }
      isFirst = false
      state.withLock { state in
        state.isBusy = false
        markNews(&state)
      }
    }
    state.withLock { markNews(&$0) }
    news.signal()
  }

  /// Shows the last run, if there is one: as it is if nothing has changed since, or else as one that is
  /// outdated. In step mode nothing is shown before its time.
  ///
  /// - Returns: Whether nothing has changed.
  private func showEarlierRun() throws -> Bool {
    let (options, goal) = state.withLock { ($0.options, $0.goal) }
    guard goal == .end else { return false }
    let folder = RunFolder(notebook.folder)
    let form = try notebook.form(options)
    if !options.isForced, let earlier = notebook.passedFingerprint, folder.fingerprint != nil,
      form.fingerprint.libraries == earlier.libraries, form.fingerprint.matches(earlier),
      let events = try? folder.events
    {
      addFigures(of: Page(name, form.source, events), in: folder)
      state.withLock { state in
        state.page.source = form.source
        state.page.show(events, lines: folder.record.lines)
        state.built = form
      }
      report("Nothing has changed since the last run, which passed")
      return true
    }
    if let page = try? folder.page {
      addFigures(of: page, in: folder)
      state.withLock { $0.page.showOutdated(page) }
    }
    return false
  }

  private func addFigures(of page: Page, in folder: RunFolder) {
    for figure in page.cells.flatMap(\.figures) { figures.add(figure, in: folder) }
  }

  private func buildAndRun() throws {
    guard let form = try build() else { return }
    try run(form)
  }

  /// - Returns: What was built; `nil` if it was not, or if the build was stopped.
  private func build() throws -> NotebookProgram.Form? {
    let options = state.withLock { $0.options }
    guard options.builds, let builder = notebook.folders.builder else {
      let form = try notebook.build(options, on: Console(isQuiet: true))
      state.withLock { $0.built = form }
      return form
    }
    while true {
      let before = try notebook.form(options)
      let isBuilt = builder.hasBuilt(notebook.program, from: before.fingerprint)
      state.withLock { state in
        state.built = before
        state.page.source = before.source
        if !isBuilt { state.page.enter(.building(waitsForAnother: false)) }
        state.page.outdate()
        markNews(&state)
      }
      if isBuilt { return before }
      report("Building")
      let outcome = try builder.build(
        name, while: { state.withLock { $0.stop == nil } },
        onWaiting: {
          state.withLock { state in
            state.page.enter(.building(waitsForAnother: true))
            markNews(&state)
          }
          report("Another build is running; waiting for its end")
        })
      let after = try notebook.form(options)
      switch outcome {
      case .stopped:
        state.withLock { state in
          if state.stop == .reader { state.page.enter(.stopped) }
        }
        return nil
      case .failed, .built:
        // A source that was saved during the build may be in the program or not.
        guard before.fingerprint.sources == after.fingerprint.sources else { continue }
      }
      if case .failed(let errors) = outcome {
        report("Not built: \(errors.summary)")
        state.withLock { $0.page.fail(errors.errors) }
        return nil
      }
      builder.store(after.fingerprint, for: notebook.program)
      state.withLock { $0.built = after }
      return after
    }
  }

  private func run(_ form: NotebookProgram.Form) throws {
    let options = state.withLock { state in
      state.page.begin(form.source)
      (state.reached, state.opened, state.lastRun) = ([], nil, nil)
      (state.tail, state.earlyErrors) = (LiveTail(), [])
      markNews(&state)
      return state.options
    }
    report("Running")
    var observer = NotebookProgram.RunObserver()
    observer.beforeCell = { [self] _ in state.withLock { mayRun(&$0) } }
    observer.stopReason = { [self] in
      state.withLock { state in
        state.stop.map { $0 == .close ? Page.State.interruption : "stopped" }
      }
    }
    observer.onText = { [self] bytes, stream in
      state.withLock { state in
        state.tail.read(bytes, stream)
        if state.page.events.isEmpty, stream == .standardError, state.earlyErrors.count < 1 << 14 {
          state.earlyErrors += bytes
        }
        markNews(&state, redraws: false)
      }
    }
    observer.onEvent = { [self] event, folder in take(event, folder) }
    observer.isKept = { [self] _ in state.withLock { $0.stop != .restart } }
    observer.onWarning = report
    let page: Page?
    do {
      page = try notebook.record(form, options, in: notebook.folder, observer)
    } catch is UsageError {
      let message = state.withLock { state in
        let message = Self.refusal(in: String(decoding: state.earlyErrors, as: UTF8.self))
        state.page.enter(.refused(message))
        return message
      }
      report(message)
      return
    }
    let used = state.withLock {
      Set($0.page.shownCells.flatMap(\.cell.figures).compactMap(figures.address(of:)))
    }
    figures.keep(used)
    guard let page else { return }
    end(page, form)
  }

  private func end(_ page: Page, _ form: NotebookProgram.Form) {
    let isChanged = state.withLock { state in
      switch page.state {
      case .failed(let message, let line):
        let isStopped = state.stop != nil
        state.page.enter(isStopped ? .stopped : .failed)
        let place = line.map { ", line \($0)" } ?? ""
        report(isStopped ? "Stopped" : "FAILED\(place): \(plainText(message))")
      case .passed, .failedAsExpected, .notRun:
        state.page.enter(.passed(isEarlier: false))
        report("Passed\(page.seconds.map { " in \(duration($0))" } ?? "")")
      }
      return state.built?.fingerprint.text != form.fingerprint.text
    }
    if isChanged { _ = try? notebook.render() }
    do {
      try notebook.folders.writeGallery()
    } catch {
      report("\(error)")
    }
  }

  /// The reason why the argument parser refuses a command line, without the usage.
  private static func refusal(in text: String) -> String {
    let lines = plainText(text).split(separator: "\n").prefix { !$0.hasPrefix("Usage:") }
    let message = lines.joined(separator: "\n")
    return message.isEmpty ? "The notebook refused its parameters" : message
  }

  /// Whether the cell that waits may run.
  private func mayRun(_ state: inout State) -> Supervisor.Answer {
    if state.stop != nil { return .wait }
    guard let id = state.opened?.id, state.opened?.mayRun == false else { return .run }
    let goesOn: Bool
    switch state.goal {
    case .end: goesOn = true
    case .through(let target):
      goesOn = true
      if target == id { state.goal = .cells(0) }
    case .cells(let count):
      goesOn = count > 0
      if goesOn { state.goal = .cells(count - 1) }
    }
    let phase = goesOn ? LivePage.Phase.running : .waiting
    if state.page.phase != phase {
      state.page.enter(phase)
      markNews(&state)
    }
    guard goesOn else { return .wait }
    (state.opened, state.lastRun) = ((id, true), id)
    return .run
  }

  private func take(_ event: Event, _ folder: RunFolder) {
    switch event {
    case .figure(let figure): figures.add(figure, in: folder)
    case .inspection(let inspection):
      if let figure = inspection.figure { figures.add(figure, in: folder) }
    default: break
    }
    state.withLock { state in
      state.page.add(event)
      switch event {
      case .text(let text): piece(.text(text.text, stream: text.stream), &state)
      case .time(let line): piece(.times(line.text + "\n"), &state)
      case .figure(let figure): piece(.figure(figure), &state)
      case .inspection(let inspection): piece(.inspection(inspection), &state)
      case .cached(let cached): piece(.cached(cached), &state)
      case .progress, .start, .data: break
      case .cell:
        let id = state.page.currentCell ?? ""
        state.opened = (id, false)
        state.reached.insert(id)
        markNews(&state)
      case .parameters, .fact, .failure, .cellEnd, .end: markNews(&state)
      }
    }
  }

  private func piece(_ output: Page.Output, _ state: inout State) {
    state.pieces.append(output)
    // Output before the first cell becomes that of the first cell, with which it is drawn.
    markNews(&state, redraws: false)
  }
}

extension LiveNotebook.State {
  /// Whether the last attempt to build or run came to nothing, so that any change is worth another one.
  fileprivate var isUnsound: Bool {
    switch page.phase {
    case .notBuilt, .broken: true
    default: false
    }
  }
}

extension NotebookProgram.Form {
  /// Takes the checksum of a source whose code is the same.
  mutating func takeText(of other: Self) {
    fingerprint.text = other.fingerprint.text
  }
}

extension [Page.Output] {
  /// The outputs with neighboring text of one kind in one piece.
  fileprivate func joined() -> [Page.Output] {
    var joined: [Page.Output] = []
    var text = ""
    for (index, output) in enumerated() {
      let isFollowed = index + 1 < count && self[index + 1].kind == output.kind
      switch output {
      case .text(let next, let stream):
        text += next
        if isFollowed { continue }
        joined.append(.text(text, stream: stream))
        text = ""
      case .times(let next):
        text += next
        if isFollowed { continue }
        joined.append(.times(text))
        text = ""
      case .figure, .inspection, .cached: joined.append(output)
      }
    }
    return joined
  }
}
