import Foundation
import Literate

/// Executes cells: builds the program of the cells up to one, runs it, and reports what this cell prints.
final class CellRunner {
  /// What a cell shows.
  enum Output {
    case text(name: String, String)
    case figure(Page.Figure, png: Data)
    /// An error after which the program went on.
    case error(CellError)
  }

  private(set) var list = CellList()
  private let package: KernelPackage
  private let session: SessionFolder
  private var parameters: [String]
  /// Whether the execution has been interrupted.
  private let isInterrupted: () -> Bool

  init(
    _ package: KernelPackage, _ session: SessionFolder, parameters: [String],
    isInterrupted: @escaping () -> Bool
  ) {
    (self.package, self.session, self.parameters) = (package, session, parameters)
    self.isInterrupted = isInterrupted
  }

  /// Executes a cell.
  ///
  /// - Parameters:
  ///   - cell: The cell.
  ///   - deleted: The identifiers of cells that are not in the notebook any more.
  ///   - isKept: Whether later cells may use what the cell declares.
  ///   - show: Called with what it shows.
  /// - Returns: Whether it ended without an error.
  /// - Throws: ``CellError`` for an error that ended it.
  func execute(
    _ cell: CellList.Cell, deleted: [String], isKept: Bool, _ show: @escaping (Output) -> Void
  ) throws -> Bool {
    list.remove(deleted)
    var cell = cell
    let magics: [Magic]
    do {
      (cell.code, magics) = try Magic.take(from: cell.code)
    } catch {
      throw CellError("Unknown command", "\(error)")
    }
    for magic in magics {
      switch magic {
      case .parameters(let values): parameters = values
      case .reset: list = CellList()
      }
    }
    guard cell.code.contains(where: { !$0.isWhitespace }) else { return true }
    var place: Int?
    var program = list.program(for: cell)
    do {
      try build(program, show)
    } catch let errors as CompileErrors {
      // Without identifiers, a cell that declares a name again is a new form of the one that did.
      guard cell.id == nil, let earlier = errors.redeclares else { throw CellError(errors) }
      place = earlier
      program = list.program(for: cell, at: earlier)
      do { try build(program, show) } catch let errors as CompileErrors { throw CellError(errors) }
    }
    let isPassed = try CellRun(program, isInterrupted: isInterrupted, show)
      .run(
        self.package.programs.appending(path: session.name), parameters.map { "--\($0)" },
        environment: environment, figures: session.figures)
    if isKept { list.add(cell, at: place) }
    return isPassed
  }

  private func build(_ program: CellProgram, _ show: @escaping (Output) -> Void) throws {
    let report: BuildReport?
    do {
      try session.write(program.text)
      report = try package.build(
        session.name, while: { !isInterrupted() },
        onWaiting: {
          show(
            .text(
              name: "stderr", "Another build of the package is running; waiting for its end\n"))
        })
    } catch {
      throw CellError("Cannot build", "\(error)")
    }
    if isInterrupted() { throw CellError.interruption }
    if let report { throw program.errors(report, in: session.sourceName) }
  }

  private var environment: [String: String] {
    // By default data and results are where the package has them, wherever the notebook is.
    let folder = { (name: String) in
      self.package.folder.appending(path: name).path(percentEncoded: false)
    }
    return [
      "LAB_DATA_DIR": folder("data"), "LAB_OUTPUT_DIR": folder("output"),
      // Results of `cached` are shared by all sessions.
      "LITERATE_CACHE": folder("\(SessionFolder.parent)/cache"),
    ].merging(ProcessInfo.processInfo.environment) { $0.isEmpty || !$1.isEmpty ? $1 : $0 }
  }
}

/// An error of a cell, as front ends show it.
struct CellError: Error {
  var name: String
  var message: String
  var lines: [String]

  init(_ name: String, _ message: String, _ lines: [String] = []) {
    (self.name, self.message, self.lines) = (name, message, lines)
  }

  init(_ errors: CompileErrors) {
    self.init("Compile error", errors.summary, errors.lines)
  }

  static let interruption = CellError("Interrupted", "the cell was interrupted")

  /// All lines that a front end shows.
  var traceback: [String] {
    lines.isEmpty || name != "Compile error" ? ["\(name): \(message)"] + lines : [name] + lines
  }
}

/// A run of a program up to the end of its last cell.
private final class CellRun {
  private let program: CellProgram
  private let isInterrupted: () -> Bool
  private let show: (CellRunner.Output) -> Void
  private var frames = FrameReader()
  private var diagnosis = Diagnosis()
  private var output = OutputText()
  private var figures = URL(filePath: "/")
  /// Whether the cell that is executed has started; the output of those before is not shown again.
  private var hasBegun = false
  private var isFailed = false
  private var failure: Event.Failure?
  /// Since when text waits to be sent.
  private var waitsSince: ContinuousClock.Instant?

  private static let interval = Duration.milliseconds(80)
  /// Bars are redrawn less often: what was sent stays in the notebook's file.
  private static let barInterval = Duration.milliseconds(400)
  private static let limit = 1 << 16

  init(
    _ program: CellProgram, isInterrupted: @escaping () -> Bool,
    _ show: @escaping (CellRunner.Output) -> Void
  ) {
    (self.program, self.isInterrupted, self.show) = (program, isInterrupted, show)
  }

  func run(
    _ executable: URL, _ arguments: [String], environment: [String: String], figures: URL
  ) throws -> Bool {
    self.figures = figures
    let crashes = FileManager.default.temporaryDirectory.appending(path: "notebook-\(UUID())")
    do {
      try FileManager.default.createDirectory(at: figures, withIntermediateDirectories: true)
      try FileManager.default.createDirectory(at: crashes, withIntermediateDirectories: true)
    } catch {
      throw CellError(
        "Cannot run", "cannot create \(figures.path(percentEncoded: false)): \(error)")
    }
    defer { try? FileManager.default.removeItem(at: crashes) }
    let child: Child
    do {
      child = try Child(
        executable, arguments,
        environment: environment.merging(runnerSettings(figures: figures, crashes: crashes)) { $1 })
    } catch {
      throw CellError("Cannot run", "\(error)")
    }
    defer { child.end() }
    child.followToEnd(
      while: {
        sendIfDue()
        return !isInterrupted()
      }
    ) { bytes, stream in
      guard stream == .standardError else { return take(.text(bytes, stream), child) }
      for piece in frames.read(bytes) { take(piece, child) }
    }
    for piece in frames.finish() { take(piece, child) }
    send(isLast: true)
    if isInterrupted() { throw CellError.interruption }
    guard let ending = child.ending,
      let failure = diagnosis.failure(of: ending, crash: CrashReport(in: crashes))
    else { return !isFailed }
    throw error(failure.line == nil ? self.failure ?? failure : failure)
  }

  private func take(_ piece: FrameReader.Piece, _ child: Child) {
    switch piece {
    case .text(let bytes, let stream):
      if stream == .standardError { diagnosis.read(bytes) }
      guard hasBegun else { return }
      output.add(bytes, stream)
      if output.size > Self.limit { send() }
    case .event(.start): child.resume()
    case .event(.cell(let opening)):
      if opening.line == program.calls.last { hasBegun = true }
    case .event(let event): take(event)
    }
  }

  private func take(_ event: Event) {
    if case .failure(let failure) = event { self.failure = failure }
    guard hasBegun else { return }
    switch event {
    case .failure(let failure):
      output.removeLast("Error: \(failure.message)\n")
      // If the program ends now, the error is reported at its end.
      guard program.cells.last?.isExpectedToFail == true else { return }
      isFailed = true
      send()
      show(.error(error(failure)))
    case .figure(let figure): add(figure)
    case .time(let line): output.add(Array("\(line.text)\n".utf8), .standardOutput)
    case .inspection(let inspection):
      output.add(Array("\(inspection.line(in: .english))\n".utf8), .standardOutput)
      if let figure = inspection.figure { add(figure) }
    case .check(let end):
      output.add(Array("\(end.result.text(in: .english))\n".utf8), .standardOutput)
    case .cached(let cached):
      output.add(Array("\(cached.sentence(in: .english))\n".utf8), .standardOutput)
    default: break
    }
  }

  private func add(_ figure: Page.Figure) {
    send()
    if let png = figureBytes(figure, in: figures) { show(.figure(figure, png: png)) }
  }

  private func error(_ failure: Event.Failure) -> CellError {
    let line = failure.line
    var message = failure.message
    if let place = line.flatMap(program.place), place.cell < program.cells.count - 1 {
      message = "cell [\(program.cells[place.cell].count)], which runs before this one: \(message)"
    } else if !hasBegun {
      message = "before this cell: \(message)"
    }
    return CellError("Error", message, line.map(program.excerpt) ?? [])
  }

  private func sendIfDue() {
    guard !output.isEmpty else { return }
    let since = waitsSince ?? .now
    waitsSince = since
    let interval = output.isOnlyBar ? Self.barInterval : Self.interval
    if since.duration(to: .now) >= interval { send() }
  }

  private func send(isLast: Bool = false) {
    for piece in output.take(isLast: isLast) { show(.text(name: piece.name, piece.text)) }
    waitsSince = nil
  }
}
