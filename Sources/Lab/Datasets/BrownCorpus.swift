import Foundation
import LabTensors

/// A million words of printed American English of 1961, as NLTK distributes them.
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

  /// The corpus as ``CourseText``; downloaded and put together once.
  ///
  /// - Throws: ``DataError`` if it cannot be had.
  package static func prepare(
    _ options: DataOptions
  ) throws -> (text: [UInt8], sources: [String: String]) {
    let metadata = try Metadata.load("brown", in: options.folder)
    let folder = PreparedFolder(
      url: options.folder.processed("brown"), recipe: Recipe(version: 1, sources: metadata.sums))
    let file = folder.url.appending(path: "text.txt")
    let text = try folder.prepare(
      "the Brown corpus", report: options.report,
      load: { try withFile(file, "read") { Array(try Data(contentsOf: file)) } },
      sizes: { ["text": $0.count] },
      make: {
        let downloaded = options.folder.downloaded("brown")
        try Downloader(report: options.report).fetch(
          try metadata.file(archiveName, of: "brown"), into: downloaded)
        let text = try courseText(of: downloaded.appending(path: archiveName))
        try writeWhole(to: file) { try $0.write(contentsOf: text) }
      })
    return (text, metadata.sums)
  }

  /// The text of an archive of the corpus, in the order of its files' names.
  ///
  /// - Throws: ``DataError`` if it is no such archive.
  package static func courseText(of archive: URL) throws -> [UInt8] {
    // All files together have some 10 MB.
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
      // A word may have a slash itself; its part of speech is behind the last one.
      var slash: Int?
      for (place, byte) in zip(0..., bytes + [UInt8(ascii: "\n")]) {
        if byte == UInt8(ascii: "/") { slash = place }
        guard isWhiteSpace(byte) else { continue }
        if place > start { text.append(bytes[start..<(slash ?? place)]) }
        start = place + 1
        slash = nil
      }
    }
    return text.bytes
  }

  private static func isWhiteSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0d).contains(byte)
  }
}

/// Text as the course makes it of a corpus: tokens joined by a space, ASCII punctuation deleted, runs
/// of spaces made one.
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
