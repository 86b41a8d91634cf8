import Foundation

// The page of a live notebook, and the messages to pages in browsers.

extension LiveNotebook {
  /// The pause between two messages in seconds.
  private static var pause: Double { 0.05 }

  /// The fragments of the page and the state line, and the number of the last message that they
  /// include.
  package func document() -> (number: Int, html: HTML, stateLine: String, title: String) {
    state.withLock { state in
      send(&state)
      let last = feed.last
      if state.document?.number != last || state.document == nil {
        let fragments = state.page.fragments(&state.cache, figures)
        state.document = (last, html(of: fragments), state.page.stateLine)
      }
      let html = state.document?.html ?? ""
      return (
        last, html, LiveMessage.state(state.page.stateLine).json, state.page.stateLine.title
      )
    }
  }

  private func html(of fragments: [LivePage.Fragment]) -> HTML {
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
        title="\(language[.runToHereHint])">\(language[.runToHere])</button>
        <div data-fragment="\(cell.id)">\(cell.html)</div><div class="tail"></div>
        </div>
        """
    }
    return """
      \(element("top"))
      <header>\(element("introduction"))</header>
      <nav class="contents" data-fragment="contents" aria-label="\(language[.contents])">\(contents)</nav>
      <main id="cells">\(element("parameters"))\(element("facts"))\(element("setup"))
      \(body.joined(separator: "\n"))
      </main>
      """
  }

  // MARK: Messages

  func markNews(_ state: inout State, redraws: Bool = true) {
    if redraws { state.isRedrawn = true }
    guard !state.hasNews else { return }
    state.hasNews = true
    news.signal()
  }

  func sendUntilClosed() {
    while true {
      news.wait()
      if state.withLock({ $0.isClosing && !$0.isBusy && !$0.isAskedToRun }) { return }
      send()
      usleep(UInt32(Self.pause * 1e6))
    }
  }

  func send() { state.withLock { send(&$0) } }

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
        messages = [.page(html(of: fragments))]
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
    case .figure, .inspection, .cached, .check: state.kinds = []
    }
  }

  private func pieces(of cell: String, _ state: inout State) -> [LiveMessage] {
    var messages: [LiveMessage] = []
    for piece in state.pieces.joined() {
      let text: String? =
        switch piece {
        case .text(let text, _), .times(let text): plainText(text)
        case .figure, .inspection, .cached, .check: nil
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
      case .figure, .inspection, .cached, .check: joined.append(output)
      }
    }
    return joined
  }
}
