import Foundation
import Kernels
import Synchronization

/// Writes a temporary file and renames it when it is complete, so that a file appears whole or not at
/// all, also if the machine loses its power.
///
/// - Parameters:
///   - url: The file; its folder is created if it does not exist.
///   - write: Writes the open file.
/// - Throws: ``DataError`` if the file cannot be written; an existing file is then unchanged.
package func writeWhole(to url: URL, _ write: (FileHandle) throws -> Void) throws {
  let folder = url.deletingLastPathComponent()
  try createFolder(folder)
  if let kind = try FileStatus.of(url)?.kind, kind != .file {
    throw DataError(
      .unusable,
      "cannot write \(url.path(percentEncoded: false)): expected a file, got a \(kind.rawValue)")
  }
  TemporaryFile.removeAbandoned(in: folder, olderName: ".\(url.lastPathComponent).part")
  let file = try withFile(url, "write") { try TemporaryFile(in: folder) }
  do {
    try withFile(url, "write") { try write(file.handle) }
    try file.move(to: url)
  } catch {
    file.discard()
    throw error
  }
}

/// Renames a file, and replaces an existing one in one step.
package func move(_ source: URL, to target: URL) throws {
  let from = source.path(percentEncoded: false)
  guard rename(from, target.path(percentEncoded: false)) == 0 else {
    throw DataError(
      .unusable,
      "cannot write \(target.path(percentEncoded: false)): \(systemReason(of: errno))")
  }
  try synchronizeFolder(target.deletingLastPathComponent())
}

/// Creates a folder and the folders above it, unless they exist.
package func createFolder(_ url: URL) throws {
  var missing: [URL] = []
  var folder = url.standardizedFileURL
  while folder.pathComponents.count > 1, try FileStatus.of(folder) == nil {
    folder.deleteLastPathComponent()
    missing.append(folder)
  }
  try withFile(url, "make the folder") {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }
  for folder in missing { try synchronizeFolder(folder) }
}

/// Waits until the names in a folder are on the disk.
package func synchronizeFolder(_ url: URL) throws {
  let path = url.path(percentEncoded: false)
  let descriptor = open(path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  var failure = descriptor < 0 ? errno : 0
  if descriptor >= 0 {
    if fsync(descriptor) != 0 { failure = errno }
    close(descriptor)
  }
  // A folder that may not be read, and file systems without this, promise nothing; the files are
  // there.
  guard failure == 0 || [EACCES, EBADF, EINVAL, EINTR, ENOTSUP, EROFS].contains(failure) else {
    throw DataError(.unusable, "cannot write the folder \(path): \(systemReason(of: failure))")
  }
}

extension FileHandle {
  /// Writes consecutive pieces at the current offset; they are made and written on several threads.
  ///
  /// - Parameters:
  ///   - count: The number of pieces.
  ///   - size: The number of bytes of each piece, except the last one, which may be shorter.
  ///   - make: Makes a piece; called in no particular order on several threads.
  /// - Throws: A `POSIXError` if a piece cannot be written.
  package func write(pieces count: Int, ofSize size: Int, make: (Int) -> Data) throws {
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

  /// Writes bytes at an offset, without moving the current offset.
  ///
  /// - Returns: The error if they cannot be written.
  private func write(_ bytes: Data, at offset: Int) -> POSIXError? {
    bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = pwrite(
          fileDescriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
          off_t(offset + done))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return POSIXError(POSIXError.Code(rawValue: errno) ?? .EIO) }
        done += count
      }
      return nil
    }
  }
}
