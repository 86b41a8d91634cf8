import Foundation
import LabDatasets

/// A file that grows at its end, and can be cut back to what it was.
///
/// Nothing is held back: what was appended is in the file even if the program is killed.
final class LogFile {
  let url: URL
  private let file: FileHandle
  /// The bytes in the file.
  private(set) var size: UInt64

  /// Opens a file at its end; an empty one is made if there is none.
  ///
  /// - Throws: ``DataError`` if it cannot be written.
  init(_ url: URL) throws {
    self.url = url
    (file, size) = try LabDatasets.withFile(url, "write") {
      let path = url.path(percentEncoded: false)
      if !FileManager.default.fileExists(atPath: path) { try Data().write(to: url) }
      let file = try FileHandle(forWritingTo: url)
      return (file, try file.seekToEnd())
    }
  }

  /// Writes bytes at the end.
  ///
  /// - Throws: ``DataError`` if they cannot be written.
  func append(_ data: Data) throws {
    try LabDatasets.withFile(url, "write") { try file.write(contentsOf: data) }
    size += UInt64(data.count)
  }

  /// Forgets what stands behind the first `size` bytes.
  func cut(to size: UInt64) throws {
    guard size < self.size else { return }
    try LabDatasets.withFile(url, "write") {
      try file.truncate(atOffset: size)
      try file.seek(toOffset: size)
    }
    self.size = size
  }
}
