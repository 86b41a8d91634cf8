import Foundation

/// A new file with a name that nobody can know before, `.lab-1f0c….part`, which becomes another file
/// by being renamed.
///
/// It is locked while it is open. A file of such a name that is not locked was left behind by a
/// program that was killed, and is removed by the next one that writes into the folder.
package final class TemporaryFile {
  /// The file.
  package let url: URL
  /// The file, open for reading and writing.
  package let handle: FileHandle

  /// Creates a file.
  ///
  /// - Parameter folder: The folder, which must exist.
  /// - Throws: ``DataError`` if it cannot be created.
  package init(in folder: URL) throws {
    FileSignals.prepare()
    // Each time another program may take it for one that was left behind.
    for _ in 0..<1_000 {
      let url = folder.appending(path: ".lab-\(randomName()).part")
      let descriptor = try openFile(url, O_RDWR | O_CREAT | O_EXCL)
      let isLocked = flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
      if isLocked, FileStatus.of(descriptor: descriptor)?.isRemoved != true {
        self.url = url
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        return
      }
      close(descriptor)
    }
    throw DataError(
      .unusable,
      "cannot write in \(folder.path(percentEncoded: false)): others remove new files all the time")
  }

  deinit {
    // Closing alone is not enough: a child process that is being started has the file open too.
    flock(handle.fileDescriptor, LOCK_UN)
  }

  /// Renames the file when all its bytes are on the disk, and replaces an existing one in one step.
  ///
  /// - Throws: ``DataError`` if it cannot be done.
  package func move(to target: URL) throws {
    try withFile(target, "write") { try handle.synchronize() }
    try LabData.move(url, to: target)
  }

  /// Removes the file.
  package func discard() {
    // It may have been renamed; if it cannot be removed, a later program does it.
    unlink(url.path(percentEncoded: false))
  }

  /// Removes the files in a folder that were left behind by programs that were killed.
  ///
  /// - Parameters:
  ///   - folder: The folder.
  ///   - olderName: A name that earlier versions of this program gave to such files.
  package static func removeAbandoned(in folder: URL, olderName: String? = nil) {
    // What cannot be looked at or removed is left alone.
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: folder.path(percentEncoded: false))
    for name in names ?? [] where isTemporary(name) || name == olderName {
      removeAbandoned(folder.appending(path: name))
    }
  }

  /// Removes a file that is not locked, and is no link.
  package static func removeAbandoned(_ url: URL) {
    guard let descriptor = try? openFile(url, O_RDWR) else { return }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return }
    unlink(url.path(percentEncoded: false))
    flock(descriptor, LOCK_UN)
  }

  /// Whether a name is one that temporary files have.
  package static func isTemporary(_ name: String) -> Bool {
    name.wholeMatch(of: /\.lab-[0-9a-f]{16}\.part/) != nil
  }
}

/// Sixteen random hexadecimal digits.
package func randomName() -> String {
  let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

/// Opens a file of this program's own, such as a lock or a log: a regular file, and never through a
/// symbolic link, behind which could be any file.
///
/// - Parameters:
///   - url: The file.
///   - flags: `O_RDWR`, `O_CREAT` and so on.
/// - Returns: The descriptor, which the caller closes; child processes do not inherit it.
/// - Throws: ``DataError`` if it cannot be opened.
package func openFile(_ url: URL, _ flags: Int32) throws -> Int32 {
  let path = url.path(percentEncoded: false)
  var descriptor: Int32
  repeat {
    // Without O_NONBLOCK opening a pipe would wait for its other end.
    descriptor = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o666)
  } while descriptor < 0 && errno == EINTR
  guard descriptor >= 0 else {
    let reason = errno == ELOOP ? "it is a symbolic link; remove it" : systemReason(of: errno)
    throw DataError(.unusable, "cannot write \(path): \(reason)")
  }
  guard FileStatus.of(descriptor: descriptor)?.kind == .file else {
    close(descriptor)
    throw DataError(.unusable, "cannot write \(path): it is not a regular file; remove it")
  }
  return descriptor
}
