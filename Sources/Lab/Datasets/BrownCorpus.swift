import Foundation
import LabData
import LabFiles
import LabTensors

/// The Brown corpus: a million words of printed American English from 1961, as distributed by NLTK.
///
/// ```text
/// brown/ca01 … brown/cr09    500 files of words with their part of speech: The/at jury/nn said/vbd
/// ```
///
/// Source: W. N. Francis, H. Kučera, "Brown Corpus Manual", Brown University (1964, revised 1979).
package enum BrownCorpus {
  /// What the text is made from.
  private struct Recipe: Codable, Equatable {
    let version: Int
    let sources: [String: String]
  }

  private static let archiveName = "brown.zip"

  /// The corpus as ``CourseText``, which is downloaded and prepared once.
  ///
  /// - Throws: ``DataError`` if it is not available or damaged.
  package static func prepare(
    _ options: DataOptions
  ) throws -> (text: [UInt8], sources: [String: String]) {
    let metadata = try Metadata.load("brown", in: options.folder)
    let folder = PreparedFolder(
      url: options.folder.processed("brown"), recipe: Recipe(version: 1, sources: metadata.sums))
    let filename = "text.txt"
    let text = try folder.prepare(
      "the Brown corpus", report: options.report, files: [filename],
      load: { folder in
        let file = folder.appending(path: filename)
        return try withFile(file, "read") { Array(try Data(contentsOf: file)) }
      },
      sizes: { ["text": $0.count] },
      make: { folder in
        let downloaded = options.folder.downloaded("brown")
        try Downloader(report: options.report).fetch(
          try metadata.file(archiveName, of: "brown"), into: downloaded)
        let text = try courseText(of: downloaded.appending(path: archiveName))
        try writeWhole(to: folder.appending(path: filename)) { try $0.write(contentsOf: text) }
      })
    return (text, metadata.sums)
  }

  /// The text of an archive of the corpus, in the order of the file names.
  ///
  /// - Throws: ``DataError`` if it is not such an archive.
  package static func courseText(of archive: URL) throws -> [UInt8] {
    // All files together have about 10 MB.
    let files = try Archive.members(of: archive, limit: 1 << 26) {
      $0.count == "brown/ca01".count && $0.hasPrefix("brown/c")
    }
    guard !files.isEmpty else {
      throw DataError(
        .damaged,
        "\(archive.path(percentEncoded: false)): expected files brown/ca01 to brown/cr09 in it, found none"
      )
    }
    var text = CourseText()
    for (_, bytes) in files.sorted(by: { $0.key < $1.key }) {
      var start = 0
      // A word may contain a slash itself; its part of speech follows the last one.
      var slash: Int?
      for (offset, byte) in zip(0..., bytes + [UInt8(ascii: "\n")]) {
        if byte == UInt8(ascii: "/") { slash = offset }
        guard isWhiteSpace(byte) else { continue }
        if offset > start { text.append(bytes[start..<(slash ?? offset)]) }
        start = offset + 1
        slash = nil
      }
    }
    return text.bytes
  }

  private static func isWhiteSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0d).contains(byte)
  }
}

/// The course's text of a corpus: tokens joined by single spaces, without ASCII punctuation.
///
/// ```swift
/// var text = CourseText()
/// for token in ["Don't", "--", "stop", "."] { text.append(token.utf8) }
/// String(decoding: text.bytes, as: UTF8.self)  // "Dont stop "
/// ```
package struct CourseText: Sendable {
  private static let space = UInt8(ascii: " ")

  /// The text so far, in ASCII.
  package private(set) var bytes: [UInt8] = []
  private var hasTokens = false

  package init() {}

  /// Adds a token.
  package mutating func append(_ token: some Sequence<UInt8>) {
    if hasTokens, bytes.last != Self.space { bytes.append(Self.space) }
    hasTokens = true
    for byte in token where !isPunctuation(byte) { bytes.append(byte) }
  }
}

/// Whether a byte is one of Python's `string.punctuation`.
private func isPunctuation(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e: true
  default: false
  }
}
