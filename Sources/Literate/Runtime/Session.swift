import CStandardOutput
import Foundation

/// This run of the notebook that this program is.
@MainActor
final class Session {
  static let current = Session()

  /// How the runner tells a notebook that it is there: `run`, or `step` if each cell has to wait, as
  /// the notebook's start does, for a line on standard input.
  nonisolated static let runnerVariable = "LITERATE_RUNNER"
  /// How the runner tells a notebook where its figures go.
  nonisolated static let folderVariable = "LITERATE_FOLDER"
  /// How the runner tells a notebook that its page is to tell no times: with any text.
  nonisolated static let timelessVariable = "LITERATE_NO_TIMING"

  /// Whether the runner reads what is reported.
  let isSupervised: Bool
  /// Whether what tells times belongs on the page.
  let tellsTimes: Bool
  var cell: Event.Opening?

  private let waits: Bool

  private init() {
    let mode = Self.environment[Self.runnerVariable] ?? ""
    isSupervised = !mode.isEmpty && frame_standard_output() == 0
    waits = isSupervised && mode == "step"
    tellsTimes = (Self.environment[Self.timelessVariable] ?? "").isEmpty
    guard isSupervised else {
      write_lines_at_once()
      return
    }
    report(.start(.init()))
    waitForRunner()
  }

  private static var environment: [String: String] { ProcessInfo.processInfo.environment }

  /// The notebook's name, which is the program's.
  var name: String { URL(filePath: CommandLine.arguments[0]).lastPathComponent }

  /// Where figures go: where the runner says, or `output/NAME`, or the same below `LAB_OUTPUT_DIR`.
  var folder: URL {
    if let path = Self.environment[Self.folderVariable] {
      return URL(filePath: path, directoryHint: .isDirectory)
    }
    let path = Self.environment["LAB_OUTPUT_DIR"] ?? ""
    return URL(filePath: path.isEmpty ? "output" : path, directoryHint: .isDirectory)
      .appending(path: name, directoryHint: .isDirectory)
  }

  func report(_ event: Event) {
    guard isSupervised, let line = try? event.line else { return }
    _ = send_frames(CChar(UInt8(ascii: "R")), line, line.utf8.count)
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

  /// The largest resident memory so far, in bytes.
  static var peakMemory: Int {
    var usage = rusage()
    #if os(Linux)
      return getrusage(RUSAGE_SELF.rawValue, &usage) == 0 ? Int(usage.ru_maxrss) * 1024 : 0
    #else
      return getrusage(RUSAGE_SELF, &usage) == 0 ? Int(usage.ru_maxrss) : 0
    #endif
  }
}
