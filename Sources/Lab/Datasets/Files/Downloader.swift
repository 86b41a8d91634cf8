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
