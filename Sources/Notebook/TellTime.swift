import Foundation
import Lab

/// Prints a line about time on standard error; a page without times leaves it out.
///
/// ```swift
/// tellTime("An epoch took \(epoch.seconds) s")
/// ```
///
/// - Parameter text: The line.
@MainActor
public func tellTime(_ text: String) {
  // Earlier output comes before the line, also when both go to one file.
  fflush(nil)
  // The runner treats it as the last state of a progress bar, which has times too.
  let line = StandardError.isLive ? "\r\(text)\u{1b}[K\n" : "\(text)\n"
  // If standard error cannot be written, there is no way to report it.
  try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
}
