import Foundation

import Lab

/// A folder for one test, which is removed after it.
package final class TemporaryFolder: Sendable {
  package let url: URL

  package init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  package var folder: DataFolder { DataFolder(url) }

  package func write(_ bytes: Data, to path: String) throws {
    let file = url.appending(path: path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try bytes.write(to: file)
  }

  package func read(_ path: String) throws -> Data {
    try Data(contentsOf: url.appending(path: path))
  }

  package func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: url.appending(path: path).path(percentEncoded: false))
  }

  /// The names of the files in a folder, hidden ones too.
  package func names(in path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      atPath: url.appending(path: path).path(percentEncoded: false)
    ).sorted()
  }

  package func writeMetadata(_ name: String, filename: String, sha256: String, urls: [String])
    throws
  {
    let list = urls.map { "\"\($0)\"" }.joined(separator: ", ")
    let json = """
      {"files": [{"filename": "\(filename)", "sha256": "\(sha256)", "urls": [\(list)]}]}
      """
    try write(Data(json.utf8), to: "raw/\(name)/metadata.json")
  }
}
