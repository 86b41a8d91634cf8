import Foundation

/// Brings files into a folder: tries their addresses in order, goes on where an earlier attempt
/// broke off, and keeps only what has the right SHA-256.
package struct Downloader: Sendable {
  /// How many seconds without a first byte, over all addresses of a file, mean that there is no
  /// network. libcurl looks at the clock once a second, so that it may be a second more.
  package var patience: Double
  /// After how many seconds without a byte a transfer that has begun is given up.
  package var stallSeconds: Int
  /// Called with each line that the user should read.
  package var report: @Sendable (String) -> Void
  /// How often a file may break off while bytes still come.
  private static let attempts = 20

  /// - Parameters:
  ///   - patience: How many seconds to wait for the first byte, over all addresses of a file.
  ///   - stallSeconds: How many seconds to wait for the next byte.
  ///   - report: Called with each line for the user.
  package init(
    patience: Double = 4, stallSeconds: Int = 20, report: @escaping @Sendable (String) -> Void
  ) {
    self.patience = patience
    self.stallSeconds = stallSeconds
    self.report = report
  }

  /// Makes sure that a file is in a folder.
  ///
  /// - Throws: ``DataError`` of kind `unavailable` if no address gives the file, of kind `damaged`
  ///   if one gives a file with another SHA-256.
  package func fetch(_ file: Metadata.File, into folder: URL) throws {
    let target = folder.appending(path: file.filename)
    var mismatch: DataError?
    if FileManager.default.fileExists(atPath: target.path(percentEncoded: false)) {
      let found = try SHA256.hexadecimal(of: target)
      if found == file.sha256 { return }
      let path = target.path(percentEncoded: false)
      mismatch = wrongSum(path, of: file, found: found, "remove it to have it downloaded again")
      report("\(path) has a wrong SHA-256: downloading it again")
    }
    try createFolder(folder)
    let part = try PartFile(folder.appending(path: "\(file.filename).part"))
    if part.count > 0, try part.digest() == file.sha256 { return try part.finish(as: target) }

    var failures: [String] = []
    var deadline = ContinuousClock.now + .seconds(patience)
    for (index, url) in file.urls.enumerated() {
      // What is left of the patience is shared among the addresses that are left.
      let left = ContinuousClock.now.duration(to: deadline)
      let share = ContinuousClock.now + left / (file.urls.count - index)
      switch try fetch(file, from: url, into: part, deadline: share) {
      case .complete:
        return try part.finish(as: target)
      case .wrong(let found):
        try part.restart()
        mismatch = wrongSum(
          "\(file.filename) from \(url)", of: file, found: found, "nothing was kept")
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
        + "put it into \(folder.path(percentEncoded: false)) yourself or see to the network")
  }

  private enum Outcome {
    case complete
    case wrong(found: String)
    case failed(reason: String, hasBegun: Bool)
  }

  /// Goes on with one address as long as bytes come.
  private func fetch(
    _ file: Metadata.File, from url: String, into part: PartFile, deadline: ContinuousClock.Instant
  ) throws -> Outcome {
    var deadline = deadline
    var hasBegun = false
    var lastReason = ""
    // A local file is copied anew sooner than checked.
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
        // The bytes from an earlier attempt may have been another file's: once more without them.
        guard hasResumed else { return .wrong(found: found) }
        try part.restart()
      case .failed(status: 416, _) where offset > 0:
        // There is no rest to the bytes that are there, and they are not the file.
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

/// A download that is not complete yet: a file `NAME.part` with the digest of what is in it.
package final class PartFile {
  private let url: URL
  private let handle: FileHandle
  private var sum: SHA256
  /// The number of bytes so far.
  package private(set) var count = 0

  /// Goes on with the file that an earlier attempt left, or starts a new one.
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

  /// Adds the next bytes.
  package func append(_ bytes: Data) throws {
    try withFile(url, "write") { try handle.write(contentsOf: bytes) }
    sum.update(bytes)
    count += bytes.count
  }

  /// Forgets all bytes.
  package func restart() throws {
    try withFile(url, "write") { try handle.truncate(atOffset: 0) }
    sum = try SHA256()
    count = 0
  }

  /// The digest of the bytes so far.
  package func digest() throws -> String { try sum.hexadecimal }

  /// Gives the complete file its name.
  package func finish(as target: URL) throws {
    try withFile(url, "write") { try handle.synchronize() }
    try move(url, to: target)
  }

  /// Removes the file.
  package func discard() {
    try? FileManager.default.removeItem(at: url)
  }
}

/// Tells the user how far a download is: a bar on a terminal, or where `PROGRESS_BARS` is `live`; a
/// line every ten seconds elsewhere.
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
      // Erasing to the end of the line removes what a longer line left.
      StandardError.write("\r\(line)\u{1b}[K")
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
