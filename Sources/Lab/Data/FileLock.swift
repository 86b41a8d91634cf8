import Foundation

/// A lock between processes and threads, for work that only one may do at a time, such as preparing a
/// data set or training in a run's folder.
///
/// This is the system's `flock`, which is released when the process ends for any reason. The file
/// remains, empty.
package enum FileLock {
  /// Runs `body` while it holds the lock of a file.
  ///
  /// - Parameters:
  ///   - url: The lock file, which is created if it does not exist.
  ///   - onWait: Called once if the lock is held elsewhere; may throw instead of waiting.
  ///   - body: Called with the lock held.
  /// - Throws: ``DataError`` if the file cannot be created, or the error of `onWait` or `body`.
  package static func hold<Result>(
    _ url: URL, onWait: () throws -> Void, _ body: () throws -> Result
  ) throws -> Result {
    try createFolder(url.deletingLastPathComponent())
    let descriptor = try openFile(url, O_CREAT | O_RDWR)
    // Closing alone is not enough: a child process that is being started has the file open too.
    defer {
      flock(descriptor, LOCK_UN)
      close(descriptor)
    }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { try onWait() }
      while flock(descriptor, LOCK_EX) != 0 {
        guard errno == EINTR else {
          throw DataError(
            .unusable, "cannot lock \(url.path(percentEncoded: false)): \(systemReason(of: errno))")
        }
      }
    }
    return try body()
  }

  /// Whether another process or thread holds the lock of a file now; nothing is created. Whoever tries
  /// to take the lock in this very moment finds it held.
  package static func isHeld(_ url: URL) -> Bool {
    let exists = (try? FileStatus.of(url, followsLinks: false))?.kind == .file
    guard exists, let descriptor = try? openFile(url, O_RDONLY) else { return false }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return errno == EWOULDBLOCK }
    flock(descriptor, LOCK_UN)
    return false
  }
}
