import LabRandom

/// Stretches of a text, such as those that lines were made from: ranges of offsets in ascending order
/// that do not touch.
///
/// ```swift
/// let stretches = TextStretches([4..<7, 6..<9, 12..<14])
/// stretches.ranges                        // [4..<9, 12..<14]
/// stretches.rest(of: text).map(\.count)   // [4, 3, …]
/// ```
package struct TextStretches: Equatable, Sendable {
  /// The stretches.
  package let ranges: [Range<Int>]

  /// - Parameter ranges: Ranges in any order; those that overlap or touch become one.
  package init(_ ranges: some Sequence<Range<Int>>) {
    var merged: [Range<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      if let last = merged.last, range.lowerBound <= last.upperBound {
        merged[merged.count - 1] =
          last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    self.ranges = merged
  }

  /// The pieces of a text that no stretch covers.
  package func rest(of text: [UInt8]) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var start = 0
    for range in ranges + [text.count..<text.count] {
      if range.lowerBound > start { pieces.append(text[start..<range.lowerBound]) }
      start = range.upperBound
    }
    return pieces
  }

  /// The first stretch that ends after an offset; nil if there is none.
  ///
  /// - Complexity: O(log stretches)
  package func first(endingAfter offset: Int) -> Range<Int>? {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound > offset { high = middle } else { low = middle + 1 }
    }
    return low < ranges.count ? ranges[low] : nil
  }
}

/// Draws pieces of sentences as a ``SentenceGenerator`` does, but none that uses some stretches of its
/// text.
package struct RemainingSentences: SentenceSource {
  private let sentences: SentenceGenerator
  private let stretches: TextStretches
  private let maxLength: Int
  /// The words that a sentence may begin with.
  private let firstWords: [Int32]

  /// - Parameters:
  ///   - sentences: The text.
  ///   - stretches: What is left out of it.
  ///   - maxLength: The largest number of characters, with a space after each word.
  package init(
    _ sentences: SentenceGenerator, without stretches: TextStretches, maxLength: Int
  ) {
    (self.sentences, self.stretches, self.maxLength) = (sentences, stretches, maxLength)
    let starts = sentences.wordStarts
    firstWords = (0..<Int32(starts.count - 1)).filter { word in
      let (start, end) = (Int(starts[Int(word)]), Int(starts[Int(word) + 1]))
      return end <= Self.limit(from: start, stretches, maxLength)
    }
  }

  /// Whether there is no word to begin with.
  package var isEmpty: Bool { firstWords.isEmpty }

  /// The largest offset at which a sentence, with the space after it, may end.
  private static func limit(from start: Int, _ stretches: TextStretches, _ maxLength: Int) -> Int {
    min(start + maxLength, stretches.first(endingAfter: start)?.lowerBound ?? .max)
  }

  /// Draws a sequence of at least one word. There must be a word to begin with.
  package func bytes(using random: inout RandomState) -> ArraySlice<UInt8> {
    let first = Int(firstWords[random.integer(below: firstWords.count)])
    let starts = sentences.wordStarts
    let limit = Self.limit(from: Int(starts[first]), stretches, maxLength)
    let ends = starts[(first + 1)...].prefix { Int($0) <= limit }
    let end = Int(ends[ends.startIndex + random.integer(below: ends.count)])
    return trimmed(sentences.text[Int(starts[first])..<end])
  }
}
