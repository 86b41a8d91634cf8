import Foundation
import Kernels
import Synchronization

/// Writes a file beside its place and renames it when it is complete, so that nobody ever sees a
/// part of it.
///
/// - Parameters:
///   - url: The file; its folder is made if need be.
///   - write: Given the open file.
/// - Throws: ``DataError`` if it cannot be written; then the file is as it was before.
package func writeWhole(to url: URL, _ write: (FileHandle) throws -> Void) throws {
  let part = url.deletingLastPathComponent().appending(path: ".\(url.lastPathComponent).part")
  do {
    try createFolder(url.deletingLastPathComponent())
    try withFile(url, "write") {
      try Data().write(to: part)
      let file = try FileHandle(forWritingTo: part)
      try write(file)
      try file.close()
    }
    try move(part, to: url)
  } catch {
    try? FileManager.default.removeItem(at: part)
    throw error
  }
}

/// Puts a file in another one's place in one step.
package func move(_ source: URL, to target: URL) throws {
  let from = source.path(percentEncoded: false)
  guard rename(from, target.path(percentEncoded: false)) == 0 else {
    throw DataError(
      .unusable,
      "cannot write \(target.path(percentEncoded: false)): \(systemReason(of: errno))")
  }
}

/// Makes a folder and those above it, unless it is there.
package func createFolder(_ url: URL) throws {
  try withFile(url, "make the folder") {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }
}

extension FileHandle {
  /// Writes pieces one behind the other from here on; they are made on several threads, each while
  /// others are written.
  ///
  /// - Parameters:
  ///   - count: The number of pieces.
  ///   - size: The number of bytes of each piece but the last one, which may be shorter.
  ///   - make: Makes a piece; called in no particular order and from several threads.
  /// - Throws: The system's reason if a piece cannot be written.
  func write(pieces count: Int, ofSize size: Int, make: (Int) -> Data) throws {
    let start = try offset()
    let failure = Mutex<POSIXError?>(nil)
    parallel(count: count) { index in
      guard failure.withLock({ $0 == nil }) else { return }
      if let error = write(make(index), at: Int(start) + index * size) {
        failure.withLock { $0 = error }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// Writes bytes at a place, and leaves alone where the file stands; the system's reason if it can't.
  private func write(_ bytes: Data, at place: Int) -> POSIXError? {
    bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = pwrite(
          fileDescriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
          off_t(place + done))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return POSIXError(POSIXError.Code(rawValue: errno) ?? .EIO) }
        done += count
      }
      return nil
    }
  }
}
