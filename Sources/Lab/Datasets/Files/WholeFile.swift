import Foundation

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
