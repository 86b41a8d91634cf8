import Foundation
import Lab
import Testing

struct TextStretchesTests {
  @Test func stretchesThatMeetBecomeOne() {
    let stretches = TextStretches([12..<14, 4..<7, 6..<9, 9..<10, 3..<3, 5..<6])
    #expect(stretches.ranges == [4..<10, 12..<14])
    let rest = stretches.rest(of: Array("abcdefghijklmnop".utf8))
    #expect(rest.map { String(decoding: $0, as: UTF8.self) } == ["abcd", "kl", "op"])
    #expect(TextStretches([]).rest(of: [1, 2]) == [[1, 2]])
    #expect(TextStretches([0..<2]).rest(of: [1, 2]) == [])
    #expect(TextStretches([]).rest(of: []) == [])
    let first = (0..<16).map { stretches.first(endingAfter: $0)?.lowerBound }
    #expect(first == (0..<16).map { $0 < 10 ? 4 : $0 < 14 ? 12 : nil })
    #expect(TextStretches([]).first(endingAfter: 0) == nil)
  }

  private let sentences = SentenceGenerator(
    text: Array(CorpusFixture.text.utf8), sources: [:], isSynthetic: false)

  /// Without stretches, and with words that are all short enough, nothing is different.
  @Test func withoutStretchesSentencesAreThoseOfTheCourse() throws {
    let remaining = RemainingSentences(sentences, without: TextStretches([]), maxLength: 20)
    let short = ShortSentences(sentences, maxLength: 20)
    var (random, reference) = (RandomState(seed: 1), RandomState(seed: 1))
    for _ in 0..<500 {
      #expect(try remaining.bytes(using: &random) == short.bytes(using: &reference))
    }
    #expect(random == reference)
  }

  @Test func remainingSentencesUseNoStretch() throws {
    var random = RandomState(seed: 2)
    let lines = try (0..<300).map { _ in
      let line = try sentences.bytes(maxLength: 30, using: &random)
      return line.startIndex..<line.endIndex
    }
    let stretches = TextStretches(lines)
    let remaining = RemainingSentences(sentences, without: stretches, maxLength: 30)
    #expect(!remaining.isEmpty)
    var used: Set<Int> = []
    var longest = 0
    for _ in 0..<3_000 {
      let line = remaining.bytes(using: &random)
      let range = line.startIndex..<line.endIndex
      #expect(!line.isEmpty && line.first != 0x20 && line.last != 0x20)
      #expect(range.count < 30)
      #expect(range.lowerBound == 0 || sentences.text[range.lowerBound - 1] == 0x20)
      #expect(sentences.text[range.upperBound] == 0x20)
      #expect(stretches.ranges.allSatisfy { !$0.overlaps(range) })
      used.formUnion(range)
      longest = max(longest, range.count)
    }
    // Nothing else is left out.
    #expect(longest == 29)
    let rest = stretches.rest(of: sentences.text).reduce(0) { $0 + $1.count }
    #expect(Double(used.count) > 0.6 * Double(rest))
  }

  @Test func longWordsAndReservedTextLeaveNothing() {
    let stretches = TextStretches([0..<sentences.text.count])
    #expect(RemainingSentences(sentences, without: stretches, maxLength: 30).isEmpty)
    #expect(RemainingSentences(sentences, without: TextStretches([]), maxLength: 1).isEmpty)
    let two = TextStretches([5..<sentences.text.count])
    #expect(!RemainingSentences(sentences, without: two, maxLength: 30).isEmpty)
  }
}
