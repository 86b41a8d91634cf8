import Foundation
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

  /// Whether the runner reads the events.
  let isSupervised: Bool
  /// Whether the page shows times.
  let recordsTimes: Bool
  var cell: Event.Opening?

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
      print("\n\(opening.title)\n\(String(repeating: "=", count: opening.title.count))\n")
    }
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
func monotonicTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
