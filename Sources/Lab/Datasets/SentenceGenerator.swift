import Digests
import LabData
import LabRandom
import LabResources
import LabTensors

/// Where the texts of lines come from.
package protocol SentenceSource: Sendable {
  /// Draws a sequence of at least one word, in ASCII.
  ///
  /// - Throws: ``DataError`` if no word is short enough.
  func bytes(using random: inout RandomState) throws -> ArraySlice<UInt8>
}

/// Pieces of sentences up to a length, drawn as in the course.
package struct ShortSentences: SentenceSource {
  private let sentences: SentenceGenerator
  private let maxLength: Int

  /// - Parameters:
  ///   - sentences: The text.
  ///   - maxLength: The largest number of characters, with a space after each word.
  package init(_ sentences: SentenceGenerator, maxLength: Int) {
    (self.sentences, self.maxLength) = (sentences, maxLength)
  }

  package func bytes(using random: inout RandomState) throws -> ArraySlice<UInt8> {
    try sentences.bytes(maxLength: maxLength, using: &random)
  }
}

/// Draws pieces of sentences from the Brown corpus, with the course's random numbers.
///
/// ```swift
/// var random = RandomState(seed: 42)
/// let sentences = try SentenceGenerator()
/// try sentences.generate(maxLength: 14, using: &random)  // "phase of"
/// ```
///
/// If the corpus is not available, sentences come from a text that was written for this program.
public struct SentenceGenerator: Sendable {
  /// Whether the text was written for this program.
  public let isSynthetic: Bool
  /// The SHA-256 digests of the text's sources, by name.
  package let sources: [String: String]
  /// Words without punctuation, with a space between them, in ASCII.
  package let text: [UInt8]
  /// The offsets of words in ``text``.
  package let wordStarts: [Int32]

  static let syntheticText = "text written for this program"
  private static let tries = 10

  /// Downloads and prepares the text if it is not there.
  ///
  /// - Parameter options: The source of the corpus, and the folder of its files.
  /// - Throws: ``DataError`` if it is not available or damaged.
  public init(_ options: DataOptions = DataOptions()) throws {
    let (corpus, isSynthetic) = try options.source.choose(
      "Brown corpus", substitute: Self.syntheticText, report: options.report,
      real: { try BrownCorpus.prepare(options) }, synthetic: { try Self.ownText() })
    self.init(text: corpus.text, sources: corpus.sources, isSynthetic: isSynthetic)
  }

  /// - Parameters:
  ///   - text: At least two words in ASCII, separated by spaces.
  ///   - sources: See ``sources``.
  ///   - isSynthetic: See ``isSynthetic``.
  package init(text: [UInt8], sources: [String: String], isSynthetic: Bool) {
    self.text = text
    self.sources = sources
    self.isSynthetic = isSynthetic
    var starts: [Int32] = [0]
    for (offset, byte) in text.enumerated() where byte == UInt8(ascii: " ") {
      starts.append(Int32(offset + 1))
    }
    precondition(starts.count > 1, "sentences are made from two words at least")
    wordStarts = starts
  }

  private static func ownText() throws -> (text: [UInt8], sources: [String: String]) {
    let bytes = Resources.sentences
    let sum = try SHA256()
    sum.update(.init(bytes))
    var text = CourseText()
    for token in bytes.split(whereSeparator: { $0 == 0x20 || $0 == 0x0a }) { text.append(token) }
    return (text.bytes, ["sentences.txt": try sum.hexadecimal])
  }

  /// Draws a sequence of at least one word and at most `maxLength` characters from the text.
  ///
  /// The first word is drawn from all words, the last word from those that are near enough; the space
  /// after it counts too. If the first word alone is too long, another one is drawn, up to ten times.
  ///
  /// - Parameters:
  ///   - maxLength: The largest number of characters, with a space after each word.
  ///   - random: The source of random numbers.
  /// - Throws: ``DataError`` if all first words that are drawn are too long.
  public func generate(maxLength: Int, using random: inout RandomState) throws -> String {
    String(decoding: try bytes(maxLength: maxLength, using: &random), as: UTF8.self)
  }

  /// ``generate(maxLength:using:)`` in ASCII.
  package func bytes(
    maxLength: Int, using random: inout RandomState
  ) throws -> ArraySlice<UInt8> {
    for _ in 0..<Self.tries {
      let first = random.integer(below: wordStarts.count - 1)
      let start = Int(wordStarts[first])
      let ends = wordStarts[(first + 1)...].prefix { Int($0) - start <= maxLength }
      if ends.isEmpty { continue }
      let end = Int(ends[ends.startIndex + random.integer(below: ends.count)])
      return trimmed(text[start..<end])
    }
    throw DataError(
      .unusable,
      "\(Self.tries) words were drawn, and none has fewer than \(maxLength) characters; "
        + "use a larger max_length")
  }
}

/// Text without spaces at its beginning and end.
func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") }
  let end = text.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? text.startIndex
  return text[..<end].drop(while: isSpace)
}
