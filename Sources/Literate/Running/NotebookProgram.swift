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
    let path = file.path(percentEncoded: false)
    guard let data = try? Data(contentsOf: file) else { throw NotebookError("cannot read \(path)") }
    guard let text = String(bytes: data, encoding: .utf8) else {
      throw NotebookError("\(path): expected text in UTF-8, found other bytes; save it as UTF-8")
    }
    return NotebookSource(text, name: name)
  }

  /// The title; the name if the source cannot be read.
  public var title: String { (try? source().title) ?? name }

  /// The page of the last run that passed, if the last run did not.
  public var lastPassedPage: URL? { lastPassedPage(in: .english) }

  /// The page of the last run that passed in a language, if the last run did not.
  func lastPassedPage(in language: Language) -> URL? {
    let folder = RunFolder(folder)
    guard !folder.hasPassed, folder.lastPassed.hasPassed else { return nil }
    return folder.lastPassed.index(in: language)
  }

  /// Whether the notebook has exercises, with answers or with solutions.
  public var hasExercises: Bool {
    let text = regularFile(file).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let source = try? MarkedSource(text, path: "main.swift")
    return source?.solutions.isEmpty == false || !AnswerText(text).answers.isEmpty
  }

  /// The points of the last run: those earned, of all; nil if it has no checks.
  public var points: (earned: Double, all: Double)? {
    guard let checks = try? RunFolder(folder).page.checks, !checks.isEmpty else { return nil }
    let sum = PointSum(checks)
    return (sum.earned, sum.points)
  }

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
    /// Whether to build the program before the run, if a source has changed.
    public var builds = true
    /// Whether results of earlier runs are used and stored; see ``cached(_:changing:line:file:_:)``.
    public var usesCache = true
    /// The names of results that are computed again; `*` stands for all.
    public var refreshed: [String] = []

    public init(parameters: [String] = []) {
      self.parameters = parameters
    }
  }

  /// Builds and runs the notebook and writes its page. If nothing has changed since the last run that
  /// passed, only the page is written.
  ///
  /// The page of the last run that passed stays until this run has ended, and if this run fails, it is
  /// kept in the folder `last-passed`.
  ///
  /// - Parameters:
  ///   - options: The options of the run.
  ///   - console: The console that shows the run.
  /// - Returns: The state at the end of the run.
  /// - Throws: ``NotebookError`` if the notebook cannot be built or run, ``UsageError`` if it refuses its
  ///   parameters, ``NotebookInterruption`` if its build was interrupted, or an error if the page cannot
  ///   be written.
  public func run(_ options: Options, on console: Console) throws -> Page.State {
    var options = options
    if !options.usesCache || !options.refreshed.isEmpty { options.isForced = true }
    let now = try form(options)
    let builds = options.builds && folders.builder != nil
    // A program that was not built from these sources says nothing about them.
    if !options.isForced, let earlier = passedFingerprint,
      !builds || now.fingerprint.libraries == earlier.libraries,
      let state = try freshState(now.fingerprint, earlier, on: console)
    {
      return state
    }
    let built = try build(options, on: console, from: now)
    if !options.isForced, let earlier = passedFingerprint,
      let state = try freshState(built.fingerprint, earlier, on: console)
    {
      return state
    }
    return try record(built, options, in: folder, on: console).state
  }

  /// The fingerprint of the last run, or of the one before it if the last one was interrupted.
  var passedFingerprint: Fingerprint? {
    let folder = RunFolder(folder)
    if let fingerprint = folder.fingerprint { return fingerprint }
    return state.isInterruption ? folder.lastPassed.fingerprint : nil
  }

  /// The state of an earlier run whose page is written again; `nil` if something has changed since.
  private func freshState(
    _ now: Fingerprint, _ earlier: Fingerprint, on console: Console
  ) throws -> Page.State? {
    guard now.matches(earlier) else { return nil }
    let folder = RunFolder(folder)
    if folder.fingerprint == nil { try RunInProgress.restoreLastPassed(in: folder) }
    let page = try render(on: console)
    console.fresh()
    return page.state
  }

  /// Writes the pages again from the log of the last run, without running anything. They have the prose
  /// of the source as it is now; if its code has changed since the run, they stay as they were.
  ///
  /// - Parameter console: The console for a warning if the code has changed.
  /// - Throws: ``NotebookError`` if there is no log, or an error if a page cannot be written.
  @discardableResult
  public func render(on console: Console? = nil) throws -> Page {
    let folder = RunFolder(folder)
    guard let events = try? folder.events else {
      throw NotebookError("\(name) has not been run yet; to run it: \(folders.command) run \(name)")
    }
    let (source, record) = (try source(), folder.record)
    var page: Page
    var translations: [Language: Page]
    if try isCode(of: folder, record, source) {
      page = Page(name, source, events, lines: record.lines)
      translations = pages(page, self.translations(of: source) { console?.warn($0) })
    } else {
      page = try folder.page
      page.name = name
      translations = folder.translations
      for language in translations.keys { translations[language]?.name = name }
      console?.warn(
        "\(name): its code has changed since the run; the page shows the code that ran. To run it: "
          + "\(folders.command) run \(name)")
    }
    try folder.rewrite(page, translations, as: place(of: page, in: folder))
    return page
  }

  /// The page in the languages of translations.
  private func pages(_ page: Page, _ translations: [Translation]) -> [Language: Page] {
    Dictionary(translations.map { ($0.language, $0.page(page)) }) { first, _ in first }
  }

  /// Whether the code that ran is that of the source.
  private func isCode(
    of folder: RunFolder, _ record: RunRecord, _ source: NotebookSource
  ) throws -> Bool {
    if let code = record.code { return code == (try codeChecksum(source)) }
    // An older version did not store a failed run's checksum, but the page has its code.
    guard let page = try? folder.page else {
      throw NotebookError(
        "\(name): its last run has left no page; to run it: \(folders.command) run \(name)")
    }
    return page.setup == source.setup && page.cells.map(\.code) == source.cells.map(\.code)
  }

  private func place(of page: Page, in folder: RunFolder) -> PagePlace {
    var place = PagePlace.current(
      hasLastPassed: page.state != .passed && folder.lastPassed.hasPassed,
      in: folders.surroundings(of: self, pageIn: folder.url))
    place.languagesOfOtherRun = folder.lastPassed.languages
    return place
  }

  /// Builds the notebook and runs it cell by cell: shows prose and code, waits for a key, and runs the
  /// cell. Without a terminal it does not wait.
  ///
  /// - Parameters:
  ///   - options: The options of the run.
  ///   - console: The console that shows the run.
  /// - Returns: The state at the end of the run.
  /// - Throws: The errors of ``run(_:on:)``.
  public func step(_ options: Options, on console: Console) throws -> Page.State {
    let built = try build(options, on: console)
    var source = built.source
    if let translation = try translation(of: source, into: console.language) {
      source = translation.source(source)
    }
    console.open(source)
    return try record(built, options, in: folder, on: console) { opening in
      console.stop(before: opening, of: source) ? .run : .stop
    }.state
  }

  /// Builds the notebook and runs it cell by cell.
  ///
  /// - Parameter beforeCell: Called before each cell; the run stops if it returns `false`.
  package func step(
    _ options: Options, on console: Console, beforeCell: @escaping (Event.Opening) -> Bool
  ) throws -> Page.State {
    try record(build(options, on: console), options, in: folder, on: console) {
      beforeCell($0) ? .run : .stop
    }.state
  }

  /// A source, and what the results of its run depend on.
  struct Form {
    let source: NotebookSource
    var fingerprint: Fingerprint
  }

  /// The form of the notebook now.
  func form(_ options: Options) throws -> Form {
    let source = try source()
    return Form(source: source, fingerprint: try fingerprint(source, options))
  }

  /// Builds the program if a source has changed.
  ///
  /// - Parameters:
  ///   - options: The options of the run.
  ///   - console: Shows the compiler's errors.
  ///   - form: The form of the notebook now, if it is known.
  /// - Returns: The form from which the program is built.
  /// - Throws: ``NotebookError`` if it cannot be built, or if there is nothing to build it with and it
  ///   is older than the source.
  func build(
    _ options: Options, on console: Console, from form: Form? = nil
  ) throws -> Form {
    var before = try form ?? self.form(options)
    guard options.builds, let builder = folders.builder else {
      try refuseOldProgram(before)
      return before
    }
    for _ in 0..<5 {
      if builder.hasBuilt(program, from: before.fingerprint) { return before }
      try builder.build(name, on: console)
      let after = try self.form(options)
      // A source that was saved during the build may be in the program or not.
      guard before.fingerprint.sources == after.fingerprint.sources else {
        before = after
        continue
      }
      guard !after.fingerprint.program.isEmpty else { throw missingProgram }
      builder.store(after.fingerprint, for: program)
      return after
    }
    throw NotebookError(
      "\(name): its sources change again and again while it is built; run it when they rest")
  }

  /// Runs the notebook; writes the log, the page, and if the run passes the fingerprint. All of them
  /// take the places of those of the last run at the end.
  ///
  /// - Parameters:
  ///   - form: The form from which the program is built: files may change while it runs.
  ///   - options: The options of the run.
  ///   - folder: The folder for the files.
  ///   - console: The console that shows the run.
  ///   - beforeCell: Called before each cell.
  func record(
    _ form: Form, _ options: Options, in folder: URL, on console: Console,
    beforeCell: ((Event.Opening) -> Supervisor.Answer)? = nil
  ) throws -> Page {
    var observer = RunObserver()
    observer.beforeCell = beforeCell
    observer.onText = console.show
    observer.onEvent = { event, _ in console.show(event, in: folder) }
    observer.onWarning = console.warn
    if let translation = try? translation(of: form.source, into: console.language) {
      console.titles = translation.title(of:)
    }
    guard let page = try record(form, options, in: folder, observer) else {
      throw NotebookError("\(name): expected a page of the run, got none")
    }
    return page
  }

  /// Who follows a run, and decides how it goes on.
  struct RunObserver {
    /// Called before each cell; `nil` if cells do not wait.
    var beforeCell: ((Event.Opening) -> Supervisor.Answer)?
    /// Called every 20 ms; the run is stopped when it gives a reason.
    var stopReason: () -> String? = { nil }
    /// Called with text as it is printed.
    var onText: ([UInt8], Page.Stream) -> Void = { _, _ in }
    /// Called with each event, and with the folder that has the run's figures until it has ended.
    var onEvent: (Event, RunFolder) -> Void = { _, _ in }
    /// Called at the end; if it returns `false`, nothing of the run is kept.
    var isKept: (Page) -> Bool = { _ in true }
    var onWarning: (String) -> Void = { _ in }
  }

  /// Runs the notebook for an observer.
  ///
  /// - Returns: The page of the run; `nil` if it was not kept.
  func record(
    _ form: Form, _ options: Options, in folder: URL, _ observer: RunObserver
  ) throws -> Page? {
    let target = RunFolder(folder)
    let run = try RunInProgress(in: target)
    let recording = Recording(run.folder, facts: buildFacts)
    let supervisor = Supervisor(
      program: program, arguments: arguments(options),
      environment: environment(run.folder.url).merging(try cacheVariables(form, options)) { $1 },
      timeLimit: options.timeLimit, recordsTimes: options.recordsTimes,
      beforeCell: observer.beforeCell, stopReason: observer.stopReason, onText: observer.onText,
      onEvent: { event in
        recording.add(event)
        observer.onEvent(event, run.folder)
      })
    let ending = try supervisor.run()
    if !recording.hasBegun, ending == .exit(UsageError.status) { throw UsageError() }
    let events = try recording.finish()
    let lines = form.source.cells.map(\.line)
    let page = Page(name, form.source, events, lines: lines)
    guard observer.isKept(page) else { return nil }
    let hasPassed = page.state == .passed
    let isKept = !hasPassed && (target.hasPassed || target.lastPassed.hasPassed)
    let surroundings = folders.surroundings(of: self, pageIn: folder)
    run.surroundings = surroundings
    var place = PagePlace.current(hasLastPassed: isKept, in: surroundings)
    place.languagesOfOtherRun = (target.hasPassed ? target : target.lastPassed).languages
    let translations = pages(page, translations(of: form.source, onWarning: observer.onWarning))
    try run.folder.write(page, translations, as: place)
    if hasPassed {
      var fingerprint = form.fingerprint
      for case .data(let data) in events {
        fingerprint.data[data.folder] = Fingerprint.files(in: data.folder)
      }
      try run.folder.write(fingerprint)
    }
    let record = RunRecord(files: [], code: form.fingerprint.code, lines: lines)
    for file in try run.publish(hasPassed: hasPassed, record: record) {
      observer.onWarning(
        "a file of yours had the name of one of the run's; it is now named \(file)")
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

  /// The variables that say where results are stored, and what they depend on.
  private func cacheVariables(_ form: Form, _ options: Options) throws -> [String: String] {
    guard options.usesCache else { return [SessionResults.folderVariable: ""] }
    let folder = folders.cache.appending(path: name, directoryHint: .isDirectory)
    // Without its sources, the program itself says what it is.
    let libraries =
      form.fingerprint.libraries.isEmpty
      ? form.fingerprint.program : form.fingerprint.libraries
    let keys = try jsonText(
      of: CellKeys(of: file, form.source, libraries: libraries), formatting: [])
    return [
      SessionResults.folderVariable: folder.path(percentEncoded: false),
      // Systems limit the size of a variable; without keys, the program itself is the key.
      SessionResults.keysVariable: keys.utf8.count < 100_000 ? keys : "",
      SessionResults.refreshVariable: options.refreshed.joined(separator: "\n"),
    ]
  }

  private func fingerprint(_ source: NotebookSource, _ options: Options) throws -> Fingerprint {
    var (text, program) = (Checksum(), Checksum())
    text.add(try Data(contentsOf: file))
    let bytes = try? Data(contentsOf: self.program, options: .alwaysMapped)
    if let bytes { program.add(bytes) }
    return Fingerprint(
      code: try codeChecksum(source), text: text.text, program: bytes == nil ? "" : program.text,
      libraries: PackageSources(folders.package).checksum, arguments: arguments(options),
      environment: folders.environment, recordsTimes: options.recordsTimes)
  }

  private func codeChecksum(_ source: NotebookSource) throws -> String {
    var sum = Checksum()
    sum.add(source.code)
    for url in try filesBelow(file.deletingLastPathComponent())
    where url.pathExtension == "swift" && url.lastPathComponent != file.lastPathComponent {
      sum.add(try Data(contentsOf: url))
    }
    return sum.text
  }

  private var missingProgram: NotebookError {
    NotebookError(
      "expected the program \(program.path(percentEncoded: false)), found none; to build it: "
        + "swift build -c release --product \(name)")
  }

  /// Throws an error if the source has changed since the program was built: the page would show code
  /// that did not run.
  private func refuseOldProgram(_ form: Form) throws {
    guard !form.fingerprint.program.isEmpty else { throw missingProgram }
    let times = [file, program].map { url in
      (try? url.resourceValues(forKeys: [.contentModificationDateKey]))?.contentModificationDate
    }
    guard let changed = times[0], let built = times[1], changed > built else { return }
    guard folders.hasManifest else {
      throw NotebookError(
        "\(file.path(percentEncoded: false)) was changed after its program was built, and there is no "
          + "Package.swift to build it; to change a notebook, get the package and Swift")
    }
    throw NotebookError(
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
