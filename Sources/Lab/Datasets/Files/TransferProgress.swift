import Foundation

/// Tells the user how far a download is: a bar on a terminal, or where `PROGRESS_BARS` is `live`; a
/// line every ten seconds elsewhere.
package final class TransferProgress {
  private static let width = 24

  private let name: String
  private let report: (String) -> Void
  private let interval: Duration = ProgressBar.isLive ? .milliseconds(100) : .seconds(10)
  private var started = ContinuousClock.now
  private var shown = ContinuousClock.now
  private var startCount = 0
  private var count = 0
  private var total: Int?

  /// - Parameters:
  ///   - name: The file's name.
  ///   - report: Called with each line where there is no terminal.
  package init(of name: String, report: @escaping (String) -> Void) {
    self.name = name
    self.report = report
  }

  /// The first bytes are about to come, after `count` earlier ones.
  package func start(at count: Int, total: Int?) {
    started = .now
    shown = started
    startCount = count
    self.count = count
    self.total = total
  }

  /// `count` bytes are there.
  package func update(_ count: Int) {
    self.count = count
    guard shown.duration(to: .now) >= interval else { return }
    shown = .now
    show()
  }

  /// Ends the bar, or says that the file is there.
  package func finish(isComplete: Bool) {
    if ProgressBar.isLive, count > 0 {
      show()
      FileHandle.standardError.write(Data("\n".utf8))
    } else if isComplete {
      report("downloaded \(name): \(megabytes(count)) MB")
    }
  }

  private func show() {
    let seconds = started.duration(to: .now) / .seconds(1)
    let line = Self.line(
      name: name, count: count, total: total,
      rate: seconds > 0 ? Double(count - startCount) / seconds : 0, width: Self.width)
    if ProgressBar.isLive {
      // Erasing to the end of the line removes what a longer line left.
      FileHandle.standardError.write(Data("\r\(line)\u{1b}[K".utf8))
    } else {
      report(line)
    }
  }

  /// The line for a moment of the download.
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
    // A day is more than anybody waits, and keeps a tiny rate from overflowing.
    let left = Int(min(86_400, Double(max(0, total - count)) / rate))
    let time = String(format: "%d:%02d left", left / 60, left % 60)
    return "\(name) \(percent) [\(bar)]  \(amount)  \(speed)  \(time)"
  }
}

/// Bytes in millions, with one decimal.
private func megabytes(_ bytes: Int) -> String {
  String(format: "%.1f", Double(bytes) / 1_000_000)
}
