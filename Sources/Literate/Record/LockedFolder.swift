import Foundation

/// A folder for temporary files that belongs to one process, and is removed with this value.
final class LockedFolder {
  let url: URL
  /// The folder, opened and locked.
  private let handle: FileHandle

  /// Creates the folder, and removes what a process that was killed has left in it.
  ///
  /// - Parameters:
  ///   - url: The folder.
  ///   - message: What is said if another process has it.
  /// - Throws: ``NotebookError`` if another process has it, or an error if it cannot be created.
  init(_ url: URL, busy message: String) throws {
    self.url = url
    handle = try Self.lock(url, message)
    let path = url.path(percentEncoded: false)
    for name in try FileManager.default.contentsOfDirectory(atPath: path) {
      try FileManager.default.removeItem(at: url.appending(path: name))
    }
  }

  deinit {
    // Ours alone: it is locked.
    try? FileManager.default.removeItem(at: url)
  }

  private static func lock(_ url: URL, _ message: String) throws -> FileHandle {
    let path = url.path(percentEncoded: false)
    let plain = path.hasSuffix("/") ? String(path.dropLast()) : path
    // The process that holds the lock removes the folder at its end, maybe just now.
    for _ in 0..<100 {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      let number = open(plain, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard number >= 0 else {
        if errno == ENOENT { continue }
        throw NotebookError("cannot open the folder \(plain): \(String(cString: strerror(errno)))")
      }
      let handle = FileHandle(fileDescriptor: number, closeOnDealloc: true)
      // Some network disks have no locks.
      if flock(number, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
        throw NotebookError("\(message); wait for its end, or stop it")
      }
      var (opened, named) = (stat(), stat())
      if fstat(number, &opened) == 0, lstat(plain, &named) == 0, opened.st_ino == named.st_ino {
        return handle
      }
    }
    throw NotebookError("cannot lock the folder \(plain): it is removed again and again")
  }
}
