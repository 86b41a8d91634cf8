import Foundation
import Synchronization

/// A notebook that is built and run whenever its source is saved, and tells what happens.
///
/// Three threads work on it: one looks at the files, one builds and runs, and one makes the messages for
/// the pages in browsers, every 50 ms at most.
package final class LiveNotebook: Sendable {
  let notebook: NotebookProgram
  let state: Mutex<State>
  /// Wakes the thread that builds and runs, and the one that makes messages.
  let work = DispatchSemaphore(value: 0)
  let news = DispatchSemaphore(value: 0)
  private let threads = DispatchGroup()
  let report: @Sendable (String) -> Void
  /// The language of the page.
  package let language: Language

  /// The messages for pages.
  package let feed = LiveFeed()
  package let figures = LiveFigures()

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
  enum Goal: Equatable {
    case end
    case through(String)
    /// This many cells more.
    case cells(Int)
  }

  enum Stop {
    /// By the reader, by a newer source or parameters, by the end of the server.
    case reader, restart, close
  }

  struct State {
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

    /// The texts of the translations.
    var translations: [String] = []

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
  ///   - language: The language of the page.
  ///   - report: Called with a line about what happens, from any thread.
  /// - Throws: ``NotebookError`` if the source cannot be read.
  package init(
    _ notebook: NotebookProgram, _ options: NotebookProgram.Options, stepping: Bool = false,
    language: Language = .english,
    report: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    self.notebook = notebook
    self.report = report
    self.language = language
    let page = LivePage(name: notebook.name, source: try notebook.source(), in: language) {
      source in
      do {
        return try notebook.translation(of: source, into: language)
      } catch {
        report("\(error)")
        return nil
      }
    }
    state = Mutex(
      State(
        page: page, options: options, goal: stepping ? .cells(0) : .end, isAskedToRun: true,
        translations: notebook.translationTexts))
  }

  /// The name of the notebook.
  package var name: String { notebook.name }

  /// Whether the notebook is being built or run, and does not wait for a reader.
  package var isBusy: Bool {
    state.withLock { ($0.isBusy || $0.isAskedToRun) && $0.page.phase != .waiting }
  }

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
}
