import Foundation

/// Keeps other processes and threads from work that one alone may do at a time: preparing a data
/// set, training in a run's folder.
///
/// The lock is the system's (`flock`): it is gone when the process is, however that ends. The file
/// stays, empty.
package enum FileLock {
  /// Runs `body` while nobody else holds the lock of the same file.
  ///
  /// - Parameters:
  ///   - url: The lock file; it is made if need be.
  ///   - onWait: Called once if somebody else holds the lock; waiting can be refused by throwing.
  ///   - body: What to do meanwhile.
  /// - Throws: ``DataError`` if the file cannot be made, or what `body` throws.
  package static func hold<Result>(
    _ url: URL, onWait: () throws -> Void, _ body: () throws -> Result
  ) throws -> Result {
    try createFolder(url.deletingLastPathComponent())
    let path = url.path(percentEncoded: false)
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw DataError(.unusable, "cannot make \(path): \(systemReason(of: errno))")
    }
    // Closing alone would not do: a program that is being started beside has the file open too, until
    // it is itself.
    defer {
      flock(descriptor, LOCK_UN)
      close(descriptor)
    }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { try onWait() }
      while flock(descriptor, LOCK_EX) != 0 {
        guard errno == EINTR else {
          throw DataError(.unusable, "cannot lock \(path): \(systemReason(of: errno))")
        }
      }
    }
    return try body()
  }
}
