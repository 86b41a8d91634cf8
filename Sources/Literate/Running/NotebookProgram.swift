import Foundation

/// A notebook: its source and its program.
public struct NotebookProgram: Sendable {
  /// The name, such as `01-look-at-emnist`.
  public let name: String
  let folders: NotebookFolders

  /// The folder of its pages.
  public var folder: URL { folders.output.appending(path: name, directoryHint: .isDirectory) }
  /// The source file.
  public var file: URL { folders.sources.appending(path: "\(name)/main.swift") }

  var program: URL { folders.programs.appending(path: name) }

  /// Parses the source file.
  ///
  /// - Throws: ``NotebookError`` if it cannot be read.
  func source() throws -> NotebookSource {
    guard let text = try? String(contentsOf: file, encoding: .utf8) else {
      throw NotebookError("cannot read \(file.path(percentEncoded: false))")
    }
    return NotebookSource(text, name: name)
  }

  /// The title; the name if the source cannot be read.
  public var title: String { (try? source().title) ?? name }

  /// The state of the last run.
  public var state: Page.State { (try? RunFolder(folder).page.state) ?? .notRun }

  /// The options of a run.
  public struct Options: Sendable {
    /// The values of parameters, as `name=value`.
    public var parameters: [String]
    /// Whether to run even if nothing has changed since the last run.
    public var isForced = false
    /// Whether pages show times and memory, which differ from run to run.
    public var recordsTimes = true
    /// The time limit in seconds.
    public var timeLimit: Double?

    public init(parameters: [String] = []) {
      self.parameters = parameters
    }
  }

  /// Runs the notebook and writes its page. If nothing has changed since the last run that passed, only
  /// the page is written.
  ///
  /// - Parameters:
  ///   - options: The options of the run.
  ///   - console: The console that shows the run.
  /// - Returns: The state at the end of the run.
  /// - Throws: ``NotebookError`` if the notebook cannot be run, ``UsageError`` if it refuses its
  ///   parameters, or an error if the page cannot be written.
  public func run(_ options: Options, on console: Console) throws -> Page.State {
    let source = try source()
    let fingerprint = try fingerprint(source, options)
    let folder = RunFolder(folder)
    if !options.isForced, let earlier = folder.fingerprint, fingerprint.matches(earlier) {
      let page = try render()
      console.fresh()
      return page.state
    }
    try warnOfOldProgram(on: console)
    return try record(source, options, fingerprint, in: self.folder, on: console).state
  }

  /// Writes the pages again from the log of the last run, without running anything.
  ///
  /// - Throws: ``NotebookError`` if there is no log, or an error if a page cannot be written.
  @discardableResult
  public func render() throws -> Page {
    let folder = RunFolder(folder)
    guard let events = try? folder.events else {
      throw NotebookError("\(name) has not been run yet; to run it: \(folders.command) run \(name)")
    }
    let page = Page(name, try source(), events)
    try folder.write(page)
    return page
  }

  /// Runs the notebook cell by cell: shows prose and code, waits for a key, and runs the cell. Without
  /// a terminal it does not wait.
  ///
  /// - Parameters:
  ///   - options: The options of the run.
  ///   - console: The console that shows the run.
  /// - Returns: The state at the end of the run.
  /// - Throws: The errors of ``run(_:on:)``.
  public func step(_ options: Options, on console: Console) throws -> Page.State {
    let source = try source()
    try warnOfOldProgram(on: console)
    console.open(source)
    return try record(
      source, options, fingerprint(source, options), in: folder, on: console
    ) { opening in
      console.stop(before: opening, of: source)
    }.state
  }

  /// Runs the notebook; writes the log, the page, and if the run passes the fingerprint.
  ///
  /// - Parameters:
  ///   - source: The source of the notebook.
  ///   - options: The options of the run.
  ///   - fingerprint: The fingerprint before the run: files may change while it runs.
  ///   - folder: The folder for the files.
  ///   - console: The console that shows the run.
  ///   - beforeCell: Called before each cell; the run stops if it returns `false`.
  func record(
    _ source: NotebookSource, _ options: Options, _ fingerprint: Fingerprint, in folder: URL,
    on console: Console, beforeCell: ((Event.Opening) -> Bool)? = nil
  ) throws -> Page {
    let recording = Recording(RunFolder(folder), facts: buildFacts)
    try recording.prepare()
    let supervisor = Supervisor(
      program: program, arguments: arguments(options), environment: environment(folder),
      timeLimit: options.timeLimit, recordsTimes: options.recordsTimes, beforeCell: beforeCell,
      onText: console.show,
      onEvent: { event in
        recording.add(event)
        console.show(event, in: folder)
      })
    let ending = try supervisor.run()
    if !recording.hasBegun, ending == .exit(UsageError.status) { throw UsageError() }
    let events = try recording.finish()
    let page = Page(name, source, events)
    let files = RunFolder(folder)
    try files.write(page)
    // The results of an outdated program are not those of the source.
    if page.state == .passed, try !isProgramOld() {
      var fingerprint = fingerprint
      for case .data(let data) in events {
        fingerprint.data[data.folder] = Fingerprint.files(in: data.folder)
      }
      try files.write(fingerprint)
    }
    return page
  }

  private func arguments(_ options: Options) -> [String] {
    options.parameters.map { "--\($0)" }
  }

  private func environment(_ folder: URL) -> [String: String] {
    ProcessInfo.processInfo.environment.merging([
      Session.folderVariable: folder.path(percentEncoded: false)
    ]) { $1 }
  }

  func fingerprint(_ source: NotebookSource, _ options: Options) throws -> Fingerprint {
    var (code, programSum, libraries) = (Checksum(), Checksum(), Checksum())
    code.add(source.code)
    let others = try Self.swiftFiles(in: file.deletingLastPathComponent())
    for url in others where url.lastPathComponent != file.lastPathComponent {
      code.add(try Data(contentsOf: url))
    }
    programSum.add(try programBytes())
    let package = folders.sources.deletingLastPathComponent().appending(path: "Sources")
    let files = (try? Self.swiftFiles(in: package)) ?? []
    for url in files { libraries.add(try Data(contentsOf: url)) }
    var text = Checksum()
    text.add(try Data(contentsOf: file))
    return Fingerprint(
      code: code.text, text: text.text, program: programSum.text,
      libraries: files.isEmpty ? "" : libraries.text,
      arguments: arguments(options), environment: folders.environment,
      recordsTimes: options.recordsTimes)
  }

  private static func swiftFiles(in folder: URL) throws -> [URL] {
    let path = folder.path(percentEncoded: false)
    return try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
      .filter { $0.hasSuffix(".swift") }.map { folder.appending(path: $0) }
  }

  private func programBytes() throws -> Data {
    do {
      return try Data(contentsOf: program, options: .alwaysMapped)
    } catch {
      throw NotebookError(
        "expected the program \(program.path(percentEncoded: false)), found none; to build it: "
          + "swift build -c release --product \(name)")
    }
  }

  /// Whether the source has changed since the program was built.
  private func isProgramOld() throws -> Bool {
    _ = try programBytes()
    let times = [file, program].map { url in
      (try? url.resourceValues(forKeys: [.contentModificationDateKey]))?.contentModificationDate
    }
    guard let changed = times[0], let built = times[1] else { return false }
    return changed > built
  }

  private func warnOfOldProgram(on console: Console) throws {
    guard try isProgramOld() else { return }
    console.warn(
      "\(file.path(percentEncoded: false)) is newer than its program; to build it: "
        + "swift build -c release --product \(name)")
  }

  /// The compiler and the commit of the program.
  private var buildFacts: [Page.Fact] {
    let commit = commit(in: folders.sources).map { Page.Fact("Commit", $0) }
    let compiler = compilerVersion(of: program).map { Page.Fact("Swift", $0) }
    return [compiler, commit].compactMap { $0 }
  }
}
