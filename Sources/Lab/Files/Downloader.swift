import Foundation
import LabData

/// Downloads files to a folder: tries their addresses in order, resumes an interrupted download, and
/// accepts only files with the right SHA-256 digest.
package struct Downloader: Sendable {
  /// The number of seconds to wait for the first byte, over all addresses of a file. libcurl checks
  /// the time once a second, so it may take a second longer.
  package var patience: Double
  /// The number of seconds to wait for the next byte of a transfer.
  package var stallSeconds: Int
  /// Called with each message for the user.
  package var report: @Sendable (String) -> Void
  /// The number of interruptions of a transfer after which an address is given up.
  private static let attempts = 20

  /// - Parameters:
  ///   - patience: The number of seconds to wait for the first byte, over all addresses of a file.
  ///   - stallSeconds: The number of seconds to wait for the next byte.
  ///   - report: Called with each message for the user.
  package init(
    patience: Double = 4, stallSeconds: Int = 20, report: @escaping @Sendable (String) -> Void
  ) {
    self.patience = patience
    self.stallSeconds = stallSeconds
    self.report = report
  }

  /// Downloads a file to a folder, unless it is there.
  ///
  /// - Throws: ``DataError`` of kind `unavailable` if the file cannot be downloaded from any address,
  ///   of kind `damaged` if a downloaded file has another SHA-256 digest.
  package func fetch(_ file: Metadata.File, into folder: URL) throws {
    let target = folder.appending(path: file.filename)
    var mismatch: DataError?
    if FileManager.default.fileExists(atPath: target.path(percentEncoded: false)) {
      let found = try SHA256.hexadecimal(of: target)
      if found == file.sha256 { return }
      let path = target.path(percentEncoded: false)
      mismatch = wrongSum(path, of: file, found: found, "remove it to download it again")
      report("\(path) has a wrong SHA-256: downloading it again")
    }
    try createFolder(folder)
    let part = try PartFile(folder.appending(path: "\(file.filename).part"))
    if part.count > 0, try part.digest() == file.sha256 { return try part.finish(as: target) }

    var failures: [String] = []
    var deadline = ContinuousClock.now + .seconds(patience)
    for (index, url) in file.urls.enumerated() {
      // The addresses that are left share the time that is left.
      let left = ContinuousClock.now.duration(to: deadline)
      let share = ContinuousClock.now + left / (file.urls.count - index)
      switch try fetch(file, from: url, into: part, deadline: share) {
      case .complete:
        return try part.finish(as: target)
      case .wrong(let found):
        try part.restart()
        mismatch = wrongSum(
          "\(file.filename) from \(url)", of: file, found: found, "the download was discarded")
      case .failed(let reason, let hasBegun):
        if hasBegun { deadline = ContinuousClock.now + .seconds(patience) }
        failures.append("\(url): \(reason)")
      }
    }
    if part.count == 0 { part.discard() }
    if let mismatch { throw mismatch }
    throw DataError(
      .unavailable,
      "cannot download \(file.filename) (\(failures.joined(separator: "; "))); "
        + "put it into \(folder.path(percentEncoded: false)) yourself or check the network")
  }

  private enum Outcome {
    case complete
    case wrong(found: String)
    case failed(reason: String, hasBegun: Bool)
  }

  /// Downloads from one address, and resumes as long as bytes arrive.
  private func fetch(
    _ file: Metadata.File, from url: String, into part: PartFile, deadline: ContinuousClock.Instant
  ) throws -> Outcome {
    var deadline = deadline
    var hasBegun = false
    var lastReason = ""
    // Copying a local file again is faster than checking a part of it.
    if url.hasPrefix("file:"), part.count > 0 { try part.restart() }
    for _ in 0..<Self.attempts {
      let offset = part.count
      var hasResumed = false
      let progress = TransferProgress(of: file.filename, report: report)
      var received = 0
      let transfer = CurlTransfer(
        url: url, from: offset, deadline: deadline, stallSeconds: stallSeconds,
        onStart: { resumes, total in
          hasResumed = resumes
          if offset > 0, !resumes { try part.restart() }
          progress.start(at: part.count, total: total)
        },
        onBytes: { bytes in
          try part.append(bytes)
          received += bytes.count
          progress.update(part.count)
        })
      let outcome = try transfer.run()
      progress.finish(isComplete: outcome == .complete)
      switch outcome {
      case .complete:
        let found = try part.digest()
        if found == file.sha256 { return .complete }
        // The bytes of an earlier attempt may be those of another file: try again without them.
        guard hasResumed else { return .wrong(found: found) }
        try part.restart()
      case .failed(status: 416, _) where offset > 0:
        // The file has no more bytes than are there already, but they are not the file.
        try part.restart()
      case .failed(_, let reason):
        guard received > 0 else { return .failed(reason: reason, hasBegun: hasBegun) }
        lastReason = reason
      }
      hasBegun = true
      deadline = ContinuousClock.now + .seconds(patience)
    }
    return .failed(reason: "broke off \(Self.attempts) times: \(lastReason)", hasBegun: hasBegun)
  }

  private func wrongSum(
    _ origin: String, of file: Metadata.File, found: String, _ consequence: String
  ) -> DataError {
    DataError(
      .damaged, "\(origin): expected SHA-256 \(file.sha256), found \(found); \(consequence)")
  }
}

/// An incomplete download: a file `NAME.part` with the digest of its contents.
package final class PartFile {
  private let url: URL
  private let handle: FileHandle
  private var sum: SHA256
  /// The number of bytes so far.
  package private(set) var count = 0

  /// Opens the file of an earlier attempt, or creates a new one.
  ///
  /// - Throws: ``DataError`` if the file cannot be read or written.
  package init(_ url: URL) throws {
    self.url = url
    sum = try SHA256()
    if !FileManager.default.fileExists(atPath: url.path(percentEncoded: false)) {
      try withFile(url, "write") { try Data().write(to: url) }
    }
    try sum.update(withContentsOf: url)
    handle = try withFile(url, "write") { try FileHandle(forUpdating: url) }
    count = try withFile(url, "write") { Int(try handle.seekToEnd()) }
  }

  deinit {
    try? handle.close()
  }

  /// Appends bytes.
  package func append(_ bytes: Data) throws {
    try withFile(url, "write") { try handle.write(contentsOf: bytes) }
    sum.update(bytes)
    count += bytes.count
  }

  /// Removes all bytes.
  package func restart() throws {
    try withFile(url, "write") { try handle.truncate(atOffset: 0) }
    sum = try SHA256()
    count = 0
  }

  /// The digest of the bytes so far.
  package func digest() throws -> String { try sum.hexadecimal }

  /// Moves the complete file to its target.
  package func finish(as target: URL) throws {
    try withFile(url, "write") { try handle.synchronize() }
    try move(url, to: target)
  }

  /// Removes the file.
  package func discard() {
    try? FileManager.default.removeItem(at: url)
  }
}

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
      StandardError.write("\n")
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
      StandardError.write("\r\(line)\u{1b}[K")
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
