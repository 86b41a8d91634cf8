import Digests
import Foundation
import LabData

/// An incomplete download: a file `NAME.part` with the digest of its contents.
package final class PartFile {
  /// The file.
  package let url: URL
  private let handle: FileHandle
  private var sum: SHA256
  /// The number of bytes so far.
  package private(set) var count = 0
  /// Whether another process wrote the file when it was opened.
  package private(set) var hasWaited = false

  /// Opens the file of an earlier attempt, or creates a new one, and locks it.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - onWait: Called if another process is writing it.
  /// - Throws: ``DataError`` if the file cannot be read or written.
  package init(_ url: URL, onWait: () -> Void = {}) throws {
    FileSignals.prepare()
    self.url = url
    sum = try SHA256()
    // Each time another process may have come first.
    for _ in 0..<1_000 {
      let descriptor = try openFile(url, O_RDWR | O_CREAT)
      if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
        if !hasWaited { onWait() }
        hasWaited = true
        while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
      }
      // Whoever had it may have renamed or removed it.
      let opened = FileStatus.of(descriptor: descriptor)?.identity
      if opened == (try? FileStatus.of(url, followsLinks: false))?.identity {
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try sum.update(withContentsOf: url)
        count = try withFile(url, "write") { Int(try handle.seekToEnd()) }
        return
      }
      close(descriptor)
    }
    throw DataError(
      .unusable, "cannot write \(url.path(percentEncoded: false)): others remove it all the time")
  }

  deinit {
    // Closing alone is not enough: a child process that is being started has the file open too.
    flock(handle.fileDescriptor, LOCK_UN)
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
    // A part that stays is continued by a later download.
    unlink(url.path(percentEncoded: false))
  }
}
