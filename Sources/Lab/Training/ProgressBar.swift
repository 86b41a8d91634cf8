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
  private let started = ContinuousClock.now
  private var shown = ContinuousClock.now
  private let interval: Duration = StandardError.isLive ? .milliseconds(100) : .seconds(10)

  /// - Parameters:
  ///   - title: The title of the bar.
  ///   - total: The number of batches.
  package init(_ title: String, total: Int) {
    self.title = title
    self.total = total
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
      title, done: done, total: total, seconds: started.duration(to: .now) / .seconds(1),
      loss: try loss())
    StandardError.write(StandardError.isLive ? "\r\(line)\u{1b}[K" : line + "\n")
  }

  /// Removes the bar.
  package func finish() {
    if StandardError.isLive { StandardError.write("\r\u{1b}[K") }
  }

  /// The line after `done` batches.
  package static func line(
    _ title: String, done: Int, total: Int, seconds: Double, loss: Double
  ) -> String {
    let width = 24
    let share = total > 0 ? Double(done) / Double(total) : 1
    let marks = Int(share * Double(width))
    let bar = String(repeating: "█", count: marks) + String(repeating: " ", count: width - marks)
    let rate = seconds > 0 ? Double(done) / seconds : 0
    let left = rate > 0 ? clock(Double(total - done) / rate) : "?"
    let percent = String(format: "%3d%%", Int(share * 100))
    let figures = String(format: "%.1f it/s, loss=%.3f", rate, loss)
    return "\(title): \(percent)|\(bar)| \(done)/\(total) [\(clock(seconds))<\(left), \(figures)]"
  }

  private static func clock(_ seconds: Double) -> String {
    let whole = Int(min(seconds, 359_999))
    return whole < 3600
      ? String(format: "%d:%02d", whole / 60, whole % 60)
      : String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
  }
}
