import Foundation
import LabData

/// Shows the progress of an epoch on standard error: a bar on a terminal or if `PROGRESS_BARS` is
/// `live`, otherwise a line every ten seconds.
///
/// ```text
/// Epoch 0:  42%|██████████              | 1067/2541 [0:12<0:17, 85.2 it/s, loss=0.651]
/// ```
package final class ProgressBar {
  private let title: String
  private let total: Int
  private let first: Int
  private let started = ContinuousClock.now
  private var shown = ContinuousClock.now
  private let interval: Duration = StandardError.isLive ? .milliseconds(100) : .seconds(10)

  /// - Parameters:
  ///   - title: The title of the bar.
  ///   - total: The number of batches.
  ///   - first: How many of them were done before, by a run that is resumed.
  package init(_ title: String, total: Int, from first: Int = 0) {
    (self.title, self.total, self.first) = (title, total, first)
  }

  /// Shows that `done` batches are done, if it is time to.
  ///
  /// - Parameters:
  ///   - done: The number of batches.
  ///   - loss: The mean loss so far; only computed if it is shown.
  package func update(_ done: Int, loss: @autoclosure () throws -> Double) rethrows {
    let isLast = done == total && StandardError.isLive
    guard isLast || shown.duration(to: .now) >= interval else { return }
    shown = .now
    let line = Self.line(
      title, done: done, total: total, from: first,
      seconds: started.duration(to: .now) / .seconds(1), loss: try loss(),
      columns: StandardError.isLive ? StandardError.columns : nil)
    StandardError.writeProgress(StandardError.isLive ? "\r\(line)\u{1b}[K" : line + "\n")
  }

  /// Removes the bar.
  package func finish() {
    if StandardError.isLive { StandardError.writeProgress("\r\u{1b}[K") }
  }

  /// The line after `done` batches.
  ///
  /// - Parameters:
  ///   - title: The title of the bar.
  ///   - done: The number of batches.
  ///   - total: The number of all batches.
  ///   - first: How many were done before the clock was started.
  ///   - seconds: The time since then.
  ///   - loss: The mean loss so far.
  ///   - columns: The width of the terminal: the bar becomes shorter, and disappears, so that the line
  ///     fits. Nil if that does not matter.
  package static func line(
    _ title: String, done: Int, total: Int, from first: Int = 0, seconds: Double, loss: Double,
    columns: Int? = nil
  ) -> String {
    let share = total > 0 ? Double(done) / Double(total) : 1
    let rate = seconds > 0 ? Double(done - first) / seconds : 0
    let left = rate > 0 ? clock(Double(total - done) / rate) : "?"
    let percent = String(format: "%3d%%", Int(share * 100))
    let figures = String(format: "%.1f it/s, loss=%.3f", rate, loss)
    let texts = ("\(title): \(percent)", "\(done)/\(total) [\(clock(seconds))<\(left), \(figures)]")
    // A line that reaches the last column would be followed by an empty one on some terminals.
    let room = columns.map { max(0, $0 - 1) } ?? .max
    let width = min(24, room - texts.0.count - texts.1.count - 3)
    guard width >= 4 else { return String("\(texts.0) \(texts.1)".prefix(room)) }
    let marks = Int(share * Double(width))
    let bar = String(repeating: "█", count: marks) + String(repeating: " ", count: width - marks)
    return "\(texts.0)|\(bar)| \(texts.1)"
  }

  private static func clock(_ seconds: Double) -> String {
    let whole = Int(min(seconds, 359_999))
    return whole < 3600
      ? String(format: "%d:%02d", whole / 60, whole % 60)
      : String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
  }
}
