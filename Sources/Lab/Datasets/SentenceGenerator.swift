import LabRandom
import LabTensors

/// Picks pieces of sentences from the Brown corpus, the course's draw for draw.
///
/// ```swift
/// var random = RandomState(seed: 42)
/// let sentences = try SentenceGenerator()
/// try sentences.generate(maxLength: 14, using: &random)  // "phase of"
/// ```
///
/// If the corpus cannot be had, the sentences come from a text that was written for this program.
public struct SentenceGenerator: Sendable {
  /// Whether the text was written for this program.
  public let isSynthetic: Bool
  /// The text's sources, by name, and what tells one version of them from another.
  package let sources: [String: String]
  /// Words without punctuation, with a space between them, in ASCII.
  package let text: [UInt8]
  /// Where words start in ``text``.
  package let wordStarts: [Int32]

  static let syntheticText = "text written for this program"
  private static let tries = 10

  /// Prepares the text.
  ///
  /// - Parameter options: Where the corpus may come from, and where files are kept.
  /// - Throws: ``DataError`` if it cannot be had.
  public init(_ options: DataOptions = DataOptions()) throws {
    let (corpus, isSynthetic) = try options.source.choose(
      "Brown corpus", substitute: Self.syntheticText, report: options.report,
      real: { try BrownCorpus.prepare(options) }, synthetic: { try Self.ownText() })
    self.init(text: corpus.text, sources: corpus.sources, isSynthetic: isSynthetic)
  }

  /// - Parameters:
  ///   - text: Two words at least, in ASCII, with a space between them.
  ///   - sources: See ``sources``.
  ///   - isSynthetic: See ``isSynthetic``.
  package init(text: [UInt8], sources: [String: String], isSynthetic: Bool) {
    self.text = text
    self.sources = sources
    self.isSynthetic = isSynthetic
    var starts: [Int32] = [0]
    for (place, byte) in text.enumerated() where byte == UInt8(ascii: " ") {
      starts.append(Int32(place + 1))
    }
    precondition(starts.count > 1, "sentences are made from two words at least")
    wordStarts = starts
  }

  private static func ownText() throws -> (text: [UInt8], sources: [String: String]) {
    let bytes = PackageResources.sentences_txt
    let sum = try SHA256()
    sum.update(.init(bytes))
    var text = CourseText()
    for token in bytes.split(whereSeparator: { $0 == 0x20 || $0 == 0x0a }) { text.append(token) }
    return (text.bytes, ["sentences.txt": try sum.hexadecimal])
  }

  /// Some words that follow one another in the text: one at least, `maxLength` characters at most.
  ///
  /// The first word is drawn from all, the last one from those that are near enough; the space behind
  /// it counts too. If the first word alone is too long, another one is drawn, ten times at most.
  ///
  /// - Parameters:
  ///   - maxLength: The number of characters that the words may have, with a space behind each.
  ///   - random: Where the draws come from.
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
      "\(Self.tries) words were drawn, and none has less than \(maxLength) characters: "
        + "use a greater max_length")
  }
}

/// Text without the spaces at its ends.
private func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") }
  let end = text.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? text.startIndex
  return text[..<end].drop(while: isSpace)
}
