import Foundation

/// What a run left in its folder, in `record.json`: only these files are ever removed or replaced.
struct RunRecord: Codable, Equatable {
  /// The paths of the files that the run wrote, relative to the folder.
  var files: [String]
  /// The checksum of the code that ran; `nil` in records of older versions.
  var code: String?
  /// The lines of the cells' calls in the source that ran; `nil` in records of older versions.
  var lines: [Int]?

  init(files: [String], code: String? = nil, lines: [Int]? = nil) {
    self.files = files
    self.code = code
    self.lines = lines
  }
}

/// Whether a text is the name of a file: a record or a log that came with a folder could otherwise name
/// any file of the machine.
func isFileName(_ text: String) -> Bool {
  !text.isEmpty && text != "." && text != ".." && !text.utf8.contains { $0 == 0x2F || $0 == 0 }
}

/// Whether a text is a path to a file in a folder or in the folders below.
func isPathInside(_ text: String) -> Bool {
  text.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
    .allSatisfy { isFileName(String(decoding: $0, as: UTF8.self)) }
}

/// The bytes of a regular file. A link, a device or a pipe in a folder that came from elsewhere is not
/// followed.
///
/// - Parameters:
///   - file: The file.
///   - limit: The largest size in bytes.
/// - Returns: The bytes; `nil` if there is no such file, or it is larger.
func regularFile(_ file: URL, limit: Int = 1 << 30) -> Data? {
  let number = open(
    file.path(percentEncoded: false), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
  guard number >= 0 else { return nil }
  let handle = FileHandle(fileDescriptor: number, closeOnDealloc: true)
  var status = stat()
  guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit
  else { return nil }
  return try? handle.readToEnd() ?? Data()
}
