extension Page {
  /// The page of a run.
  ///
  /// - Parameters:
  ///   - name: The name of the notebook.
  ///   - source: Its current source; prose may have changed since the run.
  ///   - events: The events of the run, in order.
  ///   - lines: The lines of the cells' calls in the source that ran, in order; `nil` if they are not
  ///     known.
  package init(
    _ name: String, _ source: NotebookSource, _ events: some Sequence<Event>, lines: [Int]? = nil
  ) {
    self.init(
      name: name, title: source.title, introduction: source.introduction, setup: source.setup,
      cells: source.cells.map {
        Cell(id: $0.id, title: $0.title, line: $0.line, prose: $0.prose, code: $0.code)
      })
    (self, _) = replayed(events, lines: lines)
  }

  /// This page with the results of a run, and the index of the cell that ran last.
  func replayed(
    _ events: some Sequence<Event>, lines: [Int]?
  ) -> (page: Page, current: Int?) {
    let lines = lines.flatMap { $0.count == cells.count ? $0 : nil }
    var run = Replay(page: self, lines: lines)
    for event in events { run.follow(event) }
    return (run.finished(), run.current)
  }
}

/// Replays events onto a page.
private struct Replay {
  var page: Page
  private(set) var current: Int?
  private var opening: Event.Opening?
  /// The error caught in the current cell.
  private var failure: Event.Failure?
  /// The outputs before the first cell.
  private var early: [Page.Output] = []
  /// The text that was printed last, of the current cell: pieces of one stream are joined.
  private var printed: (text: String, stream: Page.Stream)?
  /// The check that has begun.
  private var check: Event.CheckStart?
  /// The sum of the points so far; `nil` if there are no checks.
  private var sum: PointSum?
  private let lines: [Int]?

  init(page: Page, lines: [Int]?) {
    self.page = page
    self.lines = lines
  }

  /// The page after the last event.
  mutating func finished() -> Page {
    flush()
    return page
  }

  mutating func follow(_ event: Event) {
    switch event {
    case .parameters(let parameters): add(parameters.values)
    // A progress bar is for those who wait: nothing of it stays on the page.
    case .start, .data, .progress: break
    case .fact(let fact): add(fact)
    case .cell(let opening): open(opening)
    case .text(let text): add(.text(text.text, stream: text.stream))
    case .figure(let figure): add(.figure(figure))
    case .time(let line): add(.times(line.text + "\n"))
    case .inspection(let inspection): add(.inspection(inspection))
    case .cached(let cached): add(.cached(cached))
    case .checkStart(let start): check = start
    case .check(let end):
      check = nil
      add(end.result)
    case .failure(let failure): self.failure = failure
    case .cellEnd(let cost):
      if let current {
        page.cells[current].seconds = cost.seconds
        page.cells[current].peakMemory = cost.peakMemory
      }
    case .end(let ending): end(ending)
    }
  }

  private mutating func add(_ parameters: [Page.Fact]) {
    for seed in parameters where seed.name == "seed" { add(Page.Fact("Seed", seed.value)) }
    let all = parameters.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
    add(Page.Fact("Parameters", all.isEmpty ? "none" : all))
  }

  private mutating func add(_ fact: Page.Fact) {
    if let index = page.facts.firstIndex(where: { $0.name == fact.name }) {
      page.facts[index] = fact
    } else {
      page.facts.append(fact)
    }
  }

  private mutating func add(_ check: Page.Check) {
    add(.check(check))
    var sum = sum ?? PointSum()
    sum += check
    self.sum = sum
    add(Page.Fact("Points", sum.text))
  }

  private mutating func add(_ output: Page.Output) {
    guard let current else {
      early.append(output)
      return
    }
    guard case .text(let next, let stream) = output else {
      flush()
      page.cells[current].outputs.append(output)
      return
    }
    if printed?.stream != stream { flush() }
    // Appended in place: a copy for each line would take hours for long outputs.
    printed = printed ?? ("", stream)
    printed?.text += next
  }

  private mutating func flush() {
    if let current, let (text, stream) = printed {
      page.cells[current].outputs.append(.text(text, stream: stream))
    }
    printed = nil
  }

  private mutating func open(_ next: Event.Opening) {
    closeCell(ending: nil)
    // In the source that ran, the line identifies the cell. In another one lines may have moved: there it
    // is the title. A cell that is not in the source is appended.
    let known = page.cells.indices.filter { page.cells[$0].state == .notRun }
    let index =
      known.first { index in lines.map { index < $0.count && $0[index] == next.line } ?? false }
      ?? known.first { page.cells[$0].title == next.title }
      ?? (lines == nil ? known.first { page.cells[$0].line == next.line } : nil)
    if let index {
      current = index
      page.cells[index].title = next.title
    } else {
      current = page.cells.count
      var identifiers = Identifiers(reserved: Set(page.cells.map(\.id) + ["parameters"]))
      page.cells.append(
        .init(id: identifiers.next(for: next.title), title: next.title, line: next.line))
    }
    opening = next
    early.forEach { add($0) }
    early = []
  }

  /// Sets the state of the current cell at its end.
  ///
  /// - Parameter ending: The reason if the program failed in this cell.
  private mutating func closeCell(ending: Event.Failure?) {
    flush()
    defer { failure = nil }
    guard let current, let opening else { return }
    switch (failure ?? ending, opening.expectedToFail) {
    case (nil, false): page.cells[current].state = .passed
    case (let failure?, true):
      page.cells[current].state = .failedAsExpected(message: failure.message)
    case (let failure?, false): fail(failure, in: current)
    case (nil, true):
      fail(
        .init(message: "the cell was expected to fail, but did not", line: opening.line),
        in: current)
    }
  }

  private mutating func fail(_ failure: Event.Failure, in cell: Int) {
    let state = Page.State.failed(
      message: failure.message, line: failure.line ?? page.cells[cell].line)
    page.cells[cell].state = state
    if case .failed = page.state { return }
    page.state = state
  }

  private mutating func end(_ ending: Event.Ending) {
    if let check {
      // The program ended in this check.
      let reason = ending.failure?.message ?? "the program ended"
      add(Page.Check(name: check.name, points: check.points, earned: 0, message: reason))
    }
    closeCell(ending: ending.failure)
    page.seconds = ending.seconds
    guard page.state == .notRun else { return }
    guard let failure = ending.failure else {
      page.state = .passed
      return
    }
    let isOver = page.cells.allSatisfy { $0.state != .notRun }
    if let current, case .failedAsExpected = page.cells[current].state {
      page.state =
        isOver
        ? .passed
        : .failed(
          message: "“\(page.cells[current].title)” failed as expected and ended the notebook; "
            + "put it last, or let attempt { … } catch the error",
          line: page.cells[current].line)
    } else {
      page.state = .failed(message: failure.message, line: failure.line)
    }
  }
}
