import Foundation
import LabData

/// Shows the progress of a download: a bar on a terminal, or if `PROGRESS_BARS` is `live`; otherwise a
/// line every ten seconds.
package final class TransferProgress {
  private static let width = 24

  private let name: String
  private let report: (String) -> Void
  private let interval: Duration = StandardError.isLive ? .milliseconds(100) : .seconds(10)
  private var started = ContinuousClock.now
  private var shown = ContinuousClock.now
  private var startCount = 0
  private var count = 0
  private var total: Int?

  /// - Parameters:
  ///   - name: The file's name.
  ///   - report: Called with each line if there is no terminal.
  package init(of name: String, report: @escaping (String) -> Void) {
    self.name = name
    self.report = report
  }

  /// Called before the first bytes, with the number of bytes that are there already.
  package func start(at count: Int, total: Int?) {
    started = .now
    shown = started
    startCount = count
    self.count = count
    self.total = total
  }

  /// Called with the number of bytes so far.
  package func update(_ count: Int) {
    self.count = count
    guard shown.duration(to: .now) >= interval else { return }
    shown = .now
    show()
  }

  /// Ends the bar, or reports that the file is complete.
  package func finish(isComplete: Bool) {
    if StandardError.isLive, count > 0 {
      show()
      StandardError.writeProgress("\n")
    } else if isComplete {
      report("downloaded \(name): \(megabytes(count)) MB")
    }
  }

  private func show() {
    let seconds = started.duration(to: .now) / .seconds(1)
    let line = Self.line(
      name: name, count: count, total: total,
      rate: seconds > 0 ? Double(count - startCount) / seconds : 0, width: Self.width)
    if StandardError.isLive {
      // Erase to the end of the line, since the last line may have been longer.
      StandardError.writeProgress("\r\(line)\u{1b}[K")
    } else {
      report(line)
    }
  }

  /// The line of the progress bar.
  ///
  /// ```text
  /// matlab.zip  42% [##########··············]  110.2/262.9 MB  12.3 MB/s  0:12 left
  /// ```
  package static func line(
    name: String, count: Int, total: Int?, rate: Double, width: Int
  ) -> String {
    let speed = "\(megabytes(Int(rate))) MB/s"
    guard let total, total > 0 else { return "\(name)  \(megabytes(count)) MB  \(speed)" }
    let done = min(1, Double(count) / Double(total))
    let marks = Int(done * Double(width))
    let bar = String(repeating: "#", count: marks) + String(repeating: "·", count: width - marks)
    let percent = String(format: "%3d%%", Int(done * 100))
    let amount = "\(megabytes(count))/\(megabytes(total)) MB"
    guard rate > 0 else { return "\(name) \(percent) [\(bar)]  \(amount)" }
    // At most a day, since a tiny rate could overflow.
    let left = Int(min(86_400, Double(max(0, total - count)) / rate))
    let time = String(format: "%d:%02d left", left / 60, left % 60)
    return "\(name) \(percent) [\(bar)]  \(amount)  \(speed)  \(time)"
  }
}

/// Megabytes with one decimal.
private func megabytes(_ bytes: Int) -> String {
  String(format: "%.1f", Double(bytes) / 1_000_000)
}
