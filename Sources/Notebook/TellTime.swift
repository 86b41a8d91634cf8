import Foundation
import Lab

/// Writes a line about time to standard error; a page that is to tell no times leaves it out.
///
/// ```swift
/// tellTime("An epoch took \(epoch.seconds) s")
/// ```
///
/// - Parameter text: What took how long.
@MainActor
public func tellTime(_ text: String) {
  // What was printed before belongs above, also when both go to one file.
  fflush(nil)
  // The runner takes it for the last state of a progress bar, which tells times too.
  let line = StandardError.isLive ? "\r\(text)\u{1b}[K\n" : "\(text)\n"
  // Nobody can be told when standard error itself cannot be written.
  try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
}
