import Foundation

// What happens to a live notebook: its sources change, it is built, it runs.

extension LiveNotebook {
  // MARK: Sources

  func sourcesHaveChanged() {
    let options = state.withLock { $0.options }
    do {
      let form = try notebook.form(options)
      let isProse = state.withLock { state in take(form, &state) }
      let isTranslation = state.withLock { state in takeTranslations(&state) }
      if isProse || isTranslation { renderRun() }
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

  /// Takes over translations that may have changed.
  ///
  /// - Returns: Whether one has changed.
  private func takeTranslations(_ state: inout State) -> Bool {
    let texts = notebook.translationTexts
    guard texts != state.translations else { return false }
    state.translations = texts
    state.page.retranslate()
    markNews(&state)
    report("Translation changed")
    return true
  }

  /// Writes the pages of the last run with the prose of now, if none is in progress.
  private func renderRun() {
    guard state.withLock({ !$0.isBusy && !$0.page.events.isEmpty }) else { return }
    // The live page is right in any case.
    _ = try? notebook.render()
  }

  // MARK: Builds and runs

  func workUntilClosed() {
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
        report("Passed\(page.seconds.map { " in \(Language.english.duration($0))" } ?? "")")
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
      case .check(let end): piece(.check(end.result), &state)
      case .progress, .start, .data, .checkStart: break
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
