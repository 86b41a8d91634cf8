import Foundation

/// An error while drawing, writing or reading a figure, in one line.
public struct PlotError: Error, Equatable, CustomStringConvertible {
  /// What is wrong and what to do about it.
  public let description: String

  package init(_ description: String) {
    self.description = description
  }
}

/// Writes a file, and creates missing folders.
///
/// A regular file is replaced atomically, by renaming a new file that no one can guess the name of. A
/// symbolic link stays and its target is replaced. Devices and pipes, such as `/dev/stdout`, are written
/// to.
///
/// - Throws: ``PlotError`` with the path and the system's reason.
package func writeFile(_ bytes: [UInt8], to path: String) throws(PlotError) {
  let target = linkTarget(of: path)
  let folder = URL(fileURLWithPath: target).deletingLastPathComponent()
  do {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  } catch {
    throw PlotError("cannot write \(path): folder \(folder.path): \(reason(error))")
  }
  var status = stat()
  let exists = stat(target, &status) == 0
  do {
    switch status.st_mode & S_IFMT {
    case S_IFDIR where exists: throw POSIXError(.EISDIR)
    case S_IFREG where exists:
      try replace(target, in: folder, with: bytes, mode: status.st_mode & 0o7777)
    case _ where exists: try writeAll(bytes, to: open(target, O_WRONLY | O_CLOEXEC))
    default: try replace(target, in: folder, with: bytes, mode: nil)
    }
  } catch {
    throw PlotError("cannot write \(path): \(reason(error))")
  }
}

/// Where symbolic links at the end of a path lead to, whether or not there is a file.
private func linkTarget(of path: String) -> String {
  var url = URL(fileURLWithPath: path)
  // As many links as Linux follows.
  for _ in 0..<40 {
    guard let link = try? FileManager.default.destinationOfSymbolicLink(atPath: url.path) else {
      break
    }
    url = URL(fileURLWithPath: link, relativeTo: url.deletingLastPathComponent())
  }
  return url.path
}

/// Puts a new file in the place of a file.
private func replace(
  _ path: String, in folder: URL, with bytes: [UInt8], mode: mode_t?
) throws {
  let new = folder.appendingPathComponent(".\(UUID().uuidString).part").path
  let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else { throw systemError() }
  do {
    // The mode is the old file's; the owner may be another.
    if let mode { _ = fchmod(descriptor, mode) }
    try writeAll(bytes, to: descriptor)
    guard rename(new, path) == 0 else { throw systemError() }
  } catch {
    unlink(new)
    throw error
  }
}

/// Writes to an open file and closes it.
private func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws {
  guard descriptor >= 0 else { throw systemError() }
  defer { close(descriptor) }
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count >= 0 {
      rest = rest.dropFirst(count)
    } else if errno != EINTR {
      throw systemError()
    }
  }
}

private func systemError() -> POSIXError { POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }

/// The system's own message, such as `Permission denied`, without Foundation's sentence around it.
private func reason(_ error: any Error) -> String {
  let cause = error as? POSIXError ?? (error as? CocoaError)?.underlying as? POSIXError
  return cause.map { String(cString: strerror($0.code.rawValue)) } ?? error.localizedDescription
}
