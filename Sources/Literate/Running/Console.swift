import Foundation

/// Shows a run in the terminal as it happens.
public final class Console {
  /// The language of what is said on standard output.
  let language: Language
  /// The titles of cells in this language, by those in English.
  var titles: (String) -> String = { $0 }
  private let isQuiet: Bool
  private let areErrorsOnTerminal = isatty(2) == 1
  /// The incomplete last line of standard error.
  private var line: [UInt8] = []
  private var barShown = ContinuousClock.now
  /// The interval at which a progress bar is printed as a line if there is no terminal.
  private static let barInterval = Duration.seconds(10)

  /// - Parameters:
  ///   - isQuiet: Whether to show only warnings.
  ///   - language: The language of what is said on standard output.
  public init(isQuiet: Bool = false, language: Language = .english) {
    self.isQuiet = isQuiet
    self.language = language
  }

  // MARK: A run

  /// Shows the name and title of the notebook that starts.
  public func begin(_ notebook: NotebookProgram) {
    say("\n\(plainText("\(notebook.name): \(notebook.title(in: language))"))")
  }

  /// Shows how a run ended and the path of its page.
  public func end(_ notebook: NotebookProgram, _ state: Page.State) {
    var lines: [String]
    switch state {
    case .failed(let message, let line):
      let message = plainText(message)
      lines = [
        line.map { language[.failedAtLineWith, message, "\($0)"] } ?? language[.failedWith, message]
      ]
    case .notRun: lines = [language[.notRun]]
    case .passed, .failedAsExpected: lines = [language[.passed]]
    }
    lines.append(language[.pageFile, notebook.page(in: language).relativePath])
    if case .failed = state, let page = notebook.lastPassedPage(in: language) {
      lines.append(language[.lastPassedFile, page.relativePath])
    }
    say("\n\(lines.joined(separator: "\n"))")
  }

  func building(_ name: String) {
    if !isQuiet { complain("Building \(name)") }
  }

  func fresh() {
    say(language[.fresh])
  }

  func warn(_ message: String) {
    complain("Warning: \(plainText(message))")
  }

  /// Prints lines on standard error, also if the console is quiet.
  func complain(_ text: String) {
    write(Array("\(text)\n".utf8), to: .standardError)
  }

  func show(_ event: Event, in folder: URL) {
    switch event {
    case .cell(let opening):
      let title = plainText(titles(opening.title))
      say("\n\(title)\n\(String(repeating: "=", count: terminalWidth(of: title)))\n")
    case .figure(let figure):
      let path = folder.appending(path: figure.file).relativePath
      say(language[.figureFile, plainText(path)])
    case .cached(let cached): say(plainText(cached.sentence(in: language)))
    case .inspection(let inspection): say(plainText(inspection.line(in: language)))
    case .check(let end): say(plainText(end.result.text(in: language)))
    case .end:
      if !line.isEmpty, !Transcript.isBar(line[...]) {
        write(line + Array("\n".utf8), to: .standardError)
      }
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

  /// Shows complete lines, and a progress bar as a line now and then.
  private func showWithoutTerminal(_ bytes: [UInt8]) {
    line += bytes
    while let end = line.firstIndex(of: UInt8(ascii: "\n")) {
      if !Transcript.isBar(line[...end]) { write(Array(line[...end]), to: .standardError) }
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
    // An error of the streams themselves cannot be reported.
    try? file.write(contentsOf: Data(bytes))
  }

  // MARK: Step by step

  /// Shows everything before the first cell.
  func open(_ source: NotebookSource) {
    say("\(source.title)\n\n\(source.introduction)\n\n\(source.setup)")
  }

  /// Shows a cell's prose and code, and waits for a key.
  ///
  /// - Returns: Whether to run the cell.
  func stop(before opening: Event.Opening, of source: NotebookSource) -> Bool {
    if let cell = source.cell(for: opening) {
      say("\(cell.prose)\n\n\(cell.code)\n")
    }
    return waitForKey()
  }

  /// Waits for a key if there is a terminal.
  private func waitForKey() -> Bool {
    guard isatty(0) == 1, isatty(1) == 1 else { return true }
    say(language[.keyRunsCell])
    var before = termios()
    guard tcgetattr(0, &before) == 0 else { return true }
    defer { tcsetattr(0, TCSANOW, &before) }
    var single = before
    single.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
    tcsetattr(0, TCSANOW, &single)
    var key: UInt8 = 0
    // Ctrl-C, Ctrl-D and the end of input stop too.
    return read(0, &key, 1) == 1 && ![UInt8(ascii: "q"), 3, 4].contains(key)
  }
}
