import Foundation
import LabData
import LabResources

/// The files of a data set, with their addresses and SHA-256 digests.
///
/// ```json
/// {"files": [{"filename": "a.gz", "sha256": "440f…", "size": 9912422, "urls": ["https://…"]}]}
/// ```
///
/// `size` may be missing; a download then ends at the largest size that ``Downloader`` accepts.
package struct Metadata: Equatable, Sendable, Decodable {
  /// One file.
  package struct File: Equatable, Sendable, Decodable {
    /// The file's name in `downloaded/NAME`.
    package let filename: String
    /// The SHA-256 digest of the file, as 64 lower-case hexadecimal digits.
    package let sha256: String
    /// The number of bytes of the file; nil if it is not known.
    package var size: Int? = nil
    /// The addresses of the file, which are tried in order.
    package let urls: [String]
  }

  /// The files.
  package let files: [File]

  /// Reads `raw/NAME/metadata.json` in a data folder; if it does not exist, the file of that name in
  /// this package's `data`, which is built into the program.
  ///
  /// - Throws: ``DataError`` if the file cannot be read or used.
  package static func load(_ name: String, in folder: DataFolder) throws -> Metadata {
    let url = folder.metadata(of: name)
    if try FileStatus.of(url) != nil {
      let json = try withFile(url, "read") { try Data(contentsOf: url, options: .mappedIfSafe) }
      let path = url.path(percentEncoded: false)
      guard json.count <= longest else {
        throw DataError(
          .unusable, "\(path): expected up to \(longest) bytes of JSON, got \(json.count)")
      }
      return try Metadata(json: json, from: path)
    }
    guard let json = builtIn[name] else {
      throw DataError(.unusable, "expected \(url.path(percentEncoded: false)), found no such file")
    }
    return try Metadata(json: Data(json), from: "the built-in metadata of \(name)")
  }

  /// The metadata that are built into the program, by data set.
  package static var builtIn: [String: [UInt8]] {
    [
      "mnist": Resources.mnist, "emnist": Resources.emnist,
      "brown": Resources.brown,
    ]
  }

  /// The largest size of a file; the built-in ones have about a thousand bytes.
  private static let longest = 1 << 20

  private init(json: Data, from origin: String) throws {
    do {
      self = try JSONDecoder().decode(Metadata.self, from: json)
    } catch {
      throw DataError(
        .unusable,
        "\(origin): expected {\"files\": [{\"filename\": …, \"sha256\": …, \"urls\": […]}]}")
    }
    for file in files {
      if let complaint = file.complaint { throw DataError(.unusable, "\(origin): \(complaint)") }
    }
  }

  /// The SHA-256 digests of the files, by name.
  package var sums: [String: String] {
    Dictionary(files.map { ($0.filename, $0.sha256) }, uniquingKeysWith: { first, _ in first })
  }

  /// The file of a name.
  ///
  /// - Throws: ``DataError`` if there is no such file.
  package func file(_ filename: String, of name: String) throws -> File {
    guard let file = files.first(where: { $0.filename == filename }) else {
      throw DataError(
        .unusable, "the metadata of \(name): expected the file \(filename), found no such entry")
    }
    return file
  }
}

extension Metadata.File {
  /// The reason why this entry cannot be used, if there is one.
  fileprivate var complaint: String? {
    // Names become parts of paths, so they must not leave the folder or be hidden.
    if filename.isEmpty || filename.contains("/") || filename.hasPrefix(".")
      || filename != printable(filename)
    {
      return "expected a plain file name, got \"\(printable(filename))\""
    }
    if sha256.wholeMatch(of: /[0-9a-f]{64}/) == nil {
      return "\(printable(filename)): expected 64 lower-case hexadecimal digits as sha256, "
        + "got \"\(printable(sha256))\""
    }
    if let size, !(1...1 << 40).contains(size) {
      return "\(printable(filename)): expected a size of 1 to \(1 << 40) bytes, got \(size)"
    }
    if urls.isEmpty { return "\(printable(filename)): expected at least one address in urls" }
    let strange = urls.first { $0.wholeMatch(of: /(https?|file):\/\/\S+/) == nil }
    return strange.map {
      "\(printable(filename)): expected an http, https or file address, got \"\(printable($0))\""
    }
  }
}
