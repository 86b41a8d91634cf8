import Foundation
import TestSupport
import Lab

/// A corpus of numbered words, each of which occurs once: a word says where a text is from.
enum CorpusFixture {
  /// `one` is 1, `onf` 2, and so on, in letters.
  static let words = (0..<4_000).map { number in
    let letters = Array("etaoinshrdlucmfwypvbgkqj".utf8)
    var (number, word) = (number * 7 + 1, [UInt8]())
    while number > 0 {
      word.append(letters[number % 24])
      number /= 24
    }
    return String(decoding: word, as: UTF8.self)
  }

  static let text = words.joined(separator: " ") + " "

  /// Makes the corpus one that cannot be downloaded.
  static func makeUnavailable(in folder: TemporaryFolder) throws {
    try folder.writeMetadata(
      "brown", filename: "brown.zip", sha256: String(repeating: "0", count: 64),
      urls: ["file:///there/is/no/such/file"])
  }

  /// Installs a corpus as if it had been downloaded and prepared.
  static func install(_ text: String = text, in folder: TemporaryFolder) throws {
    let sum = String(repeating: "0123456789abcdef", count: 4)
    try folder.writeMetadata("brown", filename: "brown.zip", sha256: sum, urls: ["file:///none"])
    try folder.write(Data(text.utf8), to: "processed/brown/text.txt")
    let record = """
      {"recipe": {"version": 1, "sources": {"brown.zip": "\(sum)"}}, "sizes": {"text": \(text.utf8.count)}}
      """
    try folder.write(Data(record.utf8), to: "processed/brown/contents.json")
  }
}
