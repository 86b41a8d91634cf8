import Foundation

/// Shows a run to whoever started it, as it happens.
public final class Console {
  private let isQuiet: Bool
  private let areErrorsOnTerminal = isatty(2) == 1
  /// The line of standard error that has not ended.
  private var line: [UInt8] = []
  private var barShown = ContinuousClock.now
  /// How often a bar becomes a line where there is no terminal.
  private static let barInterval = Duration.seconds(10)

  /// - Parameter isQuiet: Whether only warnings are shown.
  public init(isQuiet: Bool = false) {
    self.isQuiet = isQuiet
  }

  // MARK: A run

  /// Says which notebook comes.
  public func begin(_ notebook: NotebookProgram) {
    say("\n\(notebook.name): \(notebook.title)")
  }

  /// Says how a run ended and where its page is.
  public func end(_ notebook: NotebookProgram, _ state: Page.State) {
    let file = notebook.folder.appending(path: "index.html").relativePath
    switch state {
    case .failed(let message, let line):
      say("\nFAILED\(line.map { ", line \($0)" } ?? ""): \(message)\nPage: \(file)")
    case .notRun: say("\nNot run\nPage: \(file)")
    case .passed, .failedAsExpected: say("\nPassed\nPage: \(file)")
    }
  }

  func fresh() {
    say("fresh: nothing has changed since the last run; --force runs it all the same")
  }

  func warn(_ message: String) {
    write(Array("Warning: \(message)\n".utf8), to: .standardError)
  }

  func show(_ event: Event, in folder: URL) {
    switch event {
    case .cell(let opening):
      say("\n\(opening.title)\n\(String(repeating: "=", count: opening.title.count))\n")
    case .figure(let figure): say("Figure: \(folder.appending(path: figure.file).relativePath)")
    case .end:
      let hasBar = line.contains(UInt8(ascii: "\r"))
      if !line.isEmpty, !hasBar { write(line + Array("\n".utf8), to: .standardError) }
      line = []
    default: break
    }
  }

  func show(_ bytes: [UInt8], _ stream: Page.Stream) {
    guard !isQuiet else { return }
    if stream == .standardOutput || areErrorsOnTerminal {
      write(bytes, to: stream)
    } else {
      showWithoutTerminal(bytes)
    }
  }

  /// Of a progress bar, shows a line now and then.
  private func showWithoutTerminal(_ bytes: [UInt8]) {
    line += bytes
    while let end = line.firstIndex(of: UInt8(ascii: "\n")) {
      if !line[...end].contains(UInt8(ascii: "\r")) {
        write(Array(line[...end]), to: .standardError)
      }
      line.removeSubrange(...end)
    }
    guard line.contains(UInt8(ascii: "\r")), barShown.duration(to: .now) >= Self.barInterval,
      let state = Transcript.lastState(of: String(decoding: line, as: UTF8.self))
    else { return }
    barShown = .now
    write(Array("\(state)\n".utf8), to: .standardError)
  }

  private func say(_ text: String) {
    if !isQuiet { write(Array("\(text)\n".utf8), to: .standardOutput) }
  }

  private func write(_ bytes: [UInt8], to stream: Page.Stream) {
    let file = stream == .standardOutput ? FileHandle.standardOutput : .standardError
    // Nobody can be told when the streams themselves cannot be written.
    try? file.write(contentsOf: Data(bytes))
  }

  // MARK: Step by step

  /// Shows what stands before the first cell.
  func open(_ source: NotebookSource) {
    say("\(source.title)\n\n\(source.introduction)\n\n\(source.setup)")
  }

  /// Shows a cell's prose and code, and waits for a key.
  ///
  /// - Returns: Whether the cell is to run.
  func stop(before opening: Event.Opening, of source: NotebookSource) -> Bool {
    if let cell = source.cells.first(where: { $0.title == opening.title }) {
      say("\(cell.prose)\n\n\(cell.code)\n")
    }
    return waitForKey()
  }

  /// Waits where there is somebody at a terminal.
  private func waitForKey() -> Bool {
    guard isatty(0) == 1, isatty(1) == 1 else { return true }
    say("— a key runs the cell, q stops —")
    var before = termios()
    guard tcgetattr(0, &before) == 0 else { return true }
    defer { tcsetattr(0, TCSANOW, &before) }
    var single = before
    single.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
    tcsetattr(0, TCSANOW, &single)
    var key: UInt8 = 0
    // Ctrl-C, Ctrl-D and the end of input stop as well.
    return read(0, &key, 1) == 1 && ![UInt8(ascii: "q"), 3, 4].contains(key)
  }
}
