import Digests
import Foundation
import LabData

/// Downloads files to a folder: tries their addresses in order, resumes an interrupted download, and
/// accepts only files with the right SHA-256 digest.
package struct Downloader: Sendable {
  /// The number of seconds to wait for the first byte, over all addresses of a file. libcurl checks
  /// the time once a second, so it may take a second longer.
  package var patience: Double
  /// The number of bytes per second that a transfer must reach.
  package var leastSpeed: Int
  /// The number of seconds for which a transfer may be slower.
  package var stallSeconds: Int
  /// Called with each message for the user.
  package var report: @Sendable (String) -> Void
  /// The number of interruptions of a transfer after which an address is given up.
  private static let attempts = 20
  /// The largest size of a file whose metadata do not tell its size: 4 GB, and nine tenths of what
  /// the disk has room for.
  package static let largestUnknownSize = 4_000_000_000

  /// - Parameters:
  ///   - patience: The number of seconds to wait for the first byte, over all addresses of a file.
  ///   - leastSpeed: The number of bytes per second that a transfer must reach.
  ///   - stallSeconds: The number of seconds for which a transfer may be slower.
  ///   - report: Called with each message for the user.
  package init(
    patience: Double = 4, leastSpeed: Int = 2_000, stallSeconds: Int = 20,
    report: @escaping @Sendable (String) -> Void
  ) {
    self.patience = patience
    self.leastSpeed = leastSpeed
    self.stallSeconds = stallSeconds
    self.report = report
  }

  /// Downloads a file to a folder, unless it is there.
  ///
  /// If two processes download the same file at once, one waits for the other.
  ///
  /// - Throws: ``DataError`` of kind `unavailable` if the file cannot be downloaded from any address,
  ///   of kind `damaged` if a downloaded file has another size or SHA-256 digest, of kind `unusable`
  ///   if it cannot be read or written here.
  package func fetch(_ file: Metadata.File, into folder: URL) throws {
    let target = folder.appending(path: file.filename)
    let partURL = folder.appending(path: "\(file.filename).part")
    var mismatch: DataError?
    if try FileStatus.of(target) != nil {
      let found = try SHA256.hexadecimal(of: target)
      if found == file.sha256 {
        // What a download left that was killed, before somebody put the whole file here.
        TemporaryFile.removeAbandoned(partURL)
        return
      }
      let path = target.path(percentEncoded: false)
      mismatch = wrongSum(path, of: file, found: found, "remove it to download it again")
      report("\(path) has a wrong SHA-256: downloading it again")
    }
    try createFolder(folder)
    let part = try PartFile(partURL) {
      report("waiting for another process that is downloading \(file.filename)")
    }
    if part.hasWaited, try FileStatus.of(target) != nil,
      try SHA256.hexadecimal(of: target) == file.sha256
    {
      return part.discard()
    }
    if let size = file.size {
      try requireSpace(
        size - part.count, in: folder, for: "downloading \(file.filename)",
        advice: "make room, or set LAB_DATA_DIR to a folder on another disk")
    }
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
      case .wrongSize(let message):
        try part.restart()
        mismatch = DataError(
          .damaged, "\(file.filename) from \(url): \(message); the download was discarded")
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
    case wrongSize(String)
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
    if url.hasPrefix("file:") {
      if let reason = try reasonAgainstLocalFile(url) {
        return .failed(reason: reason, hasBegun: false)
      }
      if part.count > 0 { try part.restart() }
    }
    let limit = limit(of: file, in: part)
    for _ in 0..<Self.attempts {
      let offset = part.count
      var hasResumed = false
      let progress = TransferProgress(of: file.filename, report: report)
      var received = 0
      let transfer = CurlTransfer(
        url: url, from: offset, deadline: deadline, leastSpeed: leastSpeed,
        stallSeconds: stallSeconds,
        onStart: { resumes, total in
          hasResumed = resumes
          if let total { try Self.check(total, against: file.size, limit: limit) }
          if offset > 0, !resumes { try part.restart() }
          progress.start(at: part.count, total: total)
        },
        onBytes: { bytes in
          try Self.check(part.count + bytes.count, against: nil, limit: limit)
          try part.append(bytes)
          received += bytes.count
          progress.update(part.count)
        })
      let outcome: CurlTransfer.Outcome
      do {
        outcome = try transfer.run()
      } catch let error as WrongSize {
        progress.finish(isComplete: false)
        // The bytes of an earlier attempt may be those of another file: try again without them.
        guard hasResumed else { return .wrongSize(error.message) }
        try part.restart()
        continue
      }
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
      case .tooSlow(let reason):
        // One that was fast enough before is worth another attempt.
        guard received > leastSpeed * stallSeconds else {
          return .failed(reason: reason, hasBegun: true)
        }
        lastReason = reason
      }
      hasBegun = true
      deadline = ContinuousClock.now + .seconds(patience)
    }
    return .failed(reason: "broke off \(Self.attempts) times: \(lastReason)", hasBegun: hasBegun)
  }

  private struct WrongSize: Error {
    let message: String
  }

  /// Checks a number of bytes that a server announces or has sent.
  private static func check(_ count: Int, against size: Int?, limit: Int) throws {
    if let size, count != size {
      throw WrongSize(message: "expected \(size) bytes, the server offers \(count)")
    }
    guard count > limit else { return }
    throw WrongSize(message: "expected up to \(limit) bytes, got more")
  }

  /// The largest number of bytes of a file.
  private func limit(of file: Metadata.File, in part: PartFile) -> Int {
    if let size = file.size { return size }
    let room = freeSpace(at: part.url)
    return min(Self.largestUnknownSize, part.count + room / 10 * 9)
  }

  /// Why the file of a `file:` address cannot be copied; nil if it can.
  ///
  /// - Throws: ``DataError`` if no file can be opened at the moment.
  private func reasonAgainstLocalFile(_ address: String) throws -> String? {
    // libcurl would read a device without an end, wait for a pipe's other end, and take a lack of
    // open files for a missing file.
    guard let url = URL(string: address) else { return nil }
    guard let kind = try FileStatus.of(url)?.kind else { return "no such file" }
    guard kind == .file else { return "expected a file, got a \(kind.rawValue)" }
    let descriptor = open(url.path(percentEncoded: false), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    defer { if descriptor >= 0 { close(descriptor) } }
    guard descriptor < 0 else { return nil }
    if [EMFILE, ENFILE, ENOMEM].contains(errno) {
      throw DataError(.unusable, "cannot read \(address): \(systemReason(of: errno))")
    }
    return systemReason(of: errno)
  }

  private func wrongSum(
    _ origin: String, of file: Metadata.File, found: String, _ consequence: String
  ) -> DataError {
    DataError(
      .damaged, "\(origin): expected SHA-256 \(file.sha256), found \(found); \(consequence)")
  }
}
