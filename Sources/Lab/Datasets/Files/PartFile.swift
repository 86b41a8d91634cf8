import Foundation
import LabTensors

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
  package func digest() throws -> String { try sum.copy().hexadecimal }

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
