import Foundation
import StandardStreams

/// Standard error, where progress and notices go.
public enum StandardError {
  /// Whether a line may be redrawn in place: on a terminal, or if `PROGRESS_BARS` is `live`.
  package static let isLive =
    isatty(2) == 1 || ProcessInfo.processInfo.environment["PROGRESS_BARS"] == "live"

  /// The number of characters in a line of the terminal; nil if standard error is none.
  package static var columns: Int? {
    var size = winsize()
    guard ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// Writes a line, without control characters, which a file's name may have.
  @Sendable public static func writeLine(_ line: String) {
    write(printable(line, limit: .max) + "\n")
  }

  /// Writes text.
  package static func write(_ text: String) {
    // Results printed earlier belong above the text, also if both go to one file.
    fflush(nil)
    StandardStreams.writeError(text.utf8)
  }

  /// Writes progress, which is not part of a result: who records output does not notice it.
  package static func writeProgress(_ text: String) {
    fflush(nil)
    // If standard error cannot be written, nobody can be notified.
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}
