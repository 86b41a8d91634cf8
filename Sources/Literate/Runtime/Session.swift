import Foundation
import Plot
import StandardStreams

/// The current run of this notebook.
@MainActor
final class Session {
  static let current = Session()

  /// The variable set by the runner: `run`, or `step` if each cell waits for a line on standard input,
  /// as the start always does.
  nonisolated static let runnerVariable = "LITERATE_RUNNER"
  /// The variable with the folder for figures, set by the runner.
  nonisolated static let folderVariable = "LITERATE_FOLDER"
  /// The variable set by the runner, to any text, if the page has no times.
  nonisolated static let timelessVariable = "LITERATE_NO_TIMING"

  /// The variable with the checks that are not run, set when a notebook is graded: names and reasons in
  /// JSON.
  nonisolated static let skippedChecksVariable = "LITERATE_SKIPPED_CHECKS"
  /// The language of what is printed without a runner.
  var language = Language.english
  /// The titles of the cells in that language, by those in English; made when the first one is printed.
  private var titles: ((String) -> String)?

  /// Whether the runner reads the events.
  let isSupervised: Bool
  /// Whether the page shows times.
  let recordsTimes: Bool
  var cell: Event.Opening?
  /// The source file of the notebook; `nil` before the first cell.
  var file: String?
  /// The number of errors that the notebook has reported.
  private(set) var failureCount = 0
  /// Whether it has reported an error outside of cells that are expected to fail.
  private(set) var hasFailed = false
  /// The checks that are not run, with the reason; see ``skippedChecksVariable``.
  private(set) lazy var skippedChecks = Self.skippedChecks
  /// The sum of the points of all checks so far.
  private var points = PointSum()
  /// The results that are stored.
  private(set) lazy var results = SessionResults(self)

  private let waits: Bool

  private init() {
    let mode = Self.environment[Self.runnerVariable] ?? ""
    isSupervised = !mode.isEmpty && StandardStreams.frameOutput()
    waits = isSupervised && mode == "step"
    recordsTimes = (Self.environment[Self.timelessVariable] ?? "").isEmpty
    guard isSupervised else {
      StandardStreams.writeLinesAtOnce()
      return
    }
    report(.start(.init()))
    waitForRunner()
  }

  private static var environment: [String: String] { ProcessInfo.processInfo.environment }

  /// The name of the notebook, which is that of the program.
  var name: String { URL(filePath: CommandLine.arguments[0]).lastPathComponent }

  /// The folder below which figures are written if there is no runner.
  var output = URL(filePath: "output", directoryHint: .isDirectory)

  /// The folder for figures: set by the runner, or a folder of the notebook's name below ``output``.
  var folder: URL {
    if let path = Self.environment[Self.folderVariable] {
      return URL(filePath: path, directoryHint: .isDirectory)
    }
    return output.appending(path: name, directoryHint: .isDirectory)
  }

  func report(_ event: Event) {
    switch event {
    case .failure:
      failureCount += 1
      if cell?.expectedToFail != true { hasFailed = true }
    case .parameters(let parameters): results.parameters = parameters.values
    case .data(let folder): results.dataFolders.insert(folder.folder)
    default: break
    }
    switch event {
    case .data, .fact, .time: Recorder.add { .event(event, file: $0) }
    case .inspection(let inspection):
      let file = inspection.figure.flatMap { regularFile(folder.appending(path: $0.file)) }
      Recorder.add(png: file) { .event(event, file: $0) }
    default: break
    }
    guard isSupervised, let line = try? event.line else { return }
    StandardStreams.sendFrame("R", line)
  }

  private func waitForRunner() { _ = readLine() }

  func open(_ opening: Event.Opening) {
    cell = opening
    if isSupervised {
      report(.cell(opening))
      if waits { waitForRunner() }
    } else {
      let title = title(of: opening)
      print("\n\(title)\n\(String(repeating: "=", count: terminalWidth(of: title)))\n")
    }
  }

  /// Shows the result of a check. A notebook run directly prints the sum of all points at its end.
  func report(_ result: Page.Check, key: String?) {
    report(.check(.init(result: result, key: key)))
    guard !isSupervised else { return }
    if points.points == 0 {
      atexit {
        MainActor.assumeIsolated {
          let session = Session.current
          print("\n\(session.language[.pointsSum, session.points.text])")
        }
      }
    }
    points += result
    print(result.text(in: language))
  }

  private static var skippedChecks: [String: String] {
    let text = environment[skippedChecksVariable] ?? ""
    return (try? JSONDecoder().decode([String: String].self, from: Data(text.utf8))) ?? [:]
  }

  /// The title of a cell in the language, if the source and its translation are where they were built.
  private func title(of opening: Event.Opening) -> String {
    guard language != .english, let file else { return opening.title }
    if titles == nil {
      let translation = Translation(beside: URL(filePath: file), in: language)
      titles = { translation?.title(of: $0) ?? $0 }
    }
    return titles?(opening.title) ?? opening.title
  }

  /// Shows where a result is from.
  func tell(_ origin: Page.Cached) {
    report(.cached(origin))
    guard !isSupervised, recordsTimes else { return }
    fflush(nil)
    Recorder.pausing {
      StandardStreams.writeError(Array("\(origin.sentence(in: language))\n".utf8))
    }
  }

  /// Shows a figure and writes its file.
  ///
  /// - Parameters:
  ///   - figure: The figure.
  ///   - png: The contents of its file.
  ///   - showsTimes: Whether it shows times.
  /// - Throws: An error if the file cannot be written.
  func show(_ figure: Page.Figure, png: Data, showsTimes: Bool) throws {
    guard isFileName(figure.file) else {
      throw NotebookError(
        "show: expected the name of a file without folders, got \(figure.file)")
    }
    Recorder.add(png: png) { .figure(figure, file: $0 ?? "", showsTimes: showsTimes) }
    if showsTimes, !recordsTimes { return }
    let file = folder.appending(path: figure.file)
    try writeFile(Array(png), to: file.path(percentEncoded: false))
    if isSupervised {
      report(.figure(figure))
    } else {
      Recorder.pausing { print(language[.figureFile, file.relativePath]) }
    }
  }

  /// Shows a value and writes the file of its figure, if it has one.
  ///
  /// - Throws: An error if the file cannot be written.
  func show(_ inspection: Page.Inspection, png: Data?) throws {
    if let figure = inspection.figure, let png {
      guard isFileName(figure.file) else {
        throw NotebookError(
          "inspect: expected the name of a file without folders, got \(figure.file)")
      }
      try writeFile(
        Array(png), to: folder.appending(path: figure.file).path(percentEncoded: false))
    }
    report(.inspection(inspection))
    if !isSupervised { Recorder.pausing { print(inspection.line(in: language)) } }
  }

  /// The peak resident memory so far, in bytes.
  static var peakMemory: Int {
    var usage = rusage()
    #if os(Linux)
      return getrusage(RUSAGE_SELF.rawValue, &usage) == 0 ? Int(usage.ru_maxrss) * 1024 : 0
    #else
      return getrusage(RUSAGE_SELF, &usage) == 0 ? Int(usage.ru_maxrss) : 0
    #endif
  }
}

/// Seconds of a monotonic clock that all processes share.
package func monotonicTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Whether the notebook has reported an error that ends it.
@MainActor package var notebookHasFailed: Bool { Session.current.hasFailed }
