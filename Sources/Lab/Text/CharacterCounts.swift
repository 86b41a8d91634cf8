import Foundation
import LabData

/// How often each sequence of characters occurs in a text, from which models of several orders can be
/// made.
///
/// ```swift
/// let counts = try CharacterCounts(of: [text[..<1000], text[1200...]], order: 6)
/// let models = try (1...6).map { try CharacterModel(counts, order: $0) }
/// ```
///
/// Each word's beginning is also counted as the beginning of a line, after which nothing is known of
/// the text before: otherwise a smoothed model would rate the first characters of a line by the number
/// of different texts before them, not by how often they occur.
public struct CharacterCounts: Sendable {
  /// The length of the longest sequences.
  public let order: Int
  /// The characters, as ASCII codes in ascending order; the space is always one of them.
  public let alphabet: [UInt8]
  /// The sequences that begin at each character, in ascending order: a byte for each character, its
  /// symbol and 1; 0 after the end of a piece.
  fileprivate let keys: [UInt64]
  /// How often each of them occurs.
  fileprivate let counts: [UInt32]

  /// Counts the sequences of a text.
  ///
  /// - Parameters:
  ///   - pieces: The text as ASCII codes; no sequence goes from one piece to another one.
  ///   - order: The length of the longest sequences, from 1 to 8.
  ///   - alphabet: The characters that have a probability. Other ones end a piece; nil takes those of
  ///     the text.
  /// - Throws: ``DataError`` if the order or the size of the alphabet is out of range.
  /// - Complexity: O(n log n) of the number of characters
  public init(
    of pieces: [ArraySlice<UInt8>], order: Int = CharacterModel.defaultOrder,
    alphabet: [UInt8]? = nil
  ) throws {
    var isInAlphabet = [Bool](repeating: false, count: 256)
    isInAlphabet[Int(CharacterModel.space)] = true
    if let alphabet {
      for code in alphabet { isInAlphabet[Int(code)] = true }
    } else {
      for piece in pieces { for code in piece { isInAlphabet[Int(code)] = true } }
    }
    let alphabet = isInAlphabet.indices.filter { isInAlphabet[$0] }.map { UInt8($0) }
    try CharacterModel.check(order: order, alphabet)
    (self.order, self.alphabet) = (order, alphabet)

    let symbols = Symbols(alphabet)
    let top = UInt64(8 * (order - 1))
    let lineStart = UInt64(Symbols.lineStart(of: alphabet) + 1) << top
    var keys: [UInt64] = []
    // About every sixth character is a space.
    keys.reserveCapacity(pieces.reduce(0) { $0 + $1.count * 6 / 5 })
    for piece in pieces {
      // The characters from the current one on, the first one in the highest byte.
      var key: UInt64 = 0
      for code in piece.reversed() {
        guard let symbol = symbols[code] else {
          key = 0
          continue
        }
        key = key >> 8 | UInt64(symbol + 1) << top
        keys.append(key)
        if code == CharacterModel.space { keys.append(key & (1 << top - 1) | lineStart) }
      }
    }
    keys.sort()
    var counts: [UInt32] = []
    for key in keys {
      if let last = counts.indices.last, keys[last] == key {
        counts[last] += 1
      } else {
        keys[counts.count] = key
        counts.append(1)
      }
    }
    self.keys = Array(keys[..<counts.count])
    self.counts = counts
  }
}

extension CharacterModel {
  /// A model of a text; see ``CharacterCounts``.
  ///
  /// - Throws: ``DataError`` if the order or the number of different characters is out of range.
  public init(_ text: String, order: Int = defaultOrder) throws {
    try self.init(CharacterCounts(of: [Array(text.utf8)[...]], order: order), order: order)
  }

  /// A model of a text whose sequences were counted.
  ///
  /// - Parameters:
  ///   - counts: How often the sequences occur.
  ///   - order: The model's order, at most that of the counts.
  /// - Throws: ``DataError`` if the order is out of range.
  /// - Complexity: O(number of different sequences)
  public init(_ counts: CharacterCounts, order: Int = defaultOrder) throws {
    guard (1...counts.order).contains(order) else {
      throw DataError(
        .unusable, "CharacterModel: expected an order from 1 to \(counts.order), got \(order)")
    }
    let tree = CountTree(counts, order: order)
    let alphabet = counts.alphabet
    let lineStart = Symbols.lineStart(of: alphabet)
    var contexts = tree.contexts
    var probabilities = [Double](repeating: 0, count: tree.counts.count)
    probabilities[0] = 1 / Double(alphabet.count)
    for length in 1...order {
      let discounts = Discounts(
        tree.level(length).lazy.filter { tree.symbols[$0] != lineStart }.map { tree.counts[$0] })
      for context in tree.level(length - 1) {
        let start = Int(contexts[context].firstChild)
        // What a line's start stands for is no character that could be read.
        let children = (start..<start + contexts[context].childCount)
          .filter { tree.symbols[$0] != lineStart }
        let total = children.reduce(0) { $0 + Double(tree.counts[$1]) }
        let saved = children.reduce(0) { $0 + discounts[tree.counts[$1]] }
        let share = total > 0 ? saved / total : 1
        for ngram in children {
          let own = Double(tree.counts[ngram]) - discounts[tree.counts[ngram]]
          // The root is the suffix of a single character, and has the probability of any.
          let shorter = probabilities[Int(tree.suffixes[ngram])]
          probabilities[ngram] = (total > 0 ? own / total : 0) + share * shorter
        }
        contexts[context].backoff = Float(
          log(context == 0 ? share * probabilities[0] : share))
      }
    }
    self.init(
      order: order, alphabet: alphabet, contexts: contexts,
      // The root and the line's start are no characters.
      logProbabilities: [0] + probabilities.dropFirst().map { $0 > 0 ? Float(log($0)) : 0 },
      suffixes: Array(tree.suffixes[contexts.count...]), levelEnds: tree.levelEnds)
  }

  /// Checks an order and an alphabet.
  ///
  /// - Throws: ``DataError`` if one is out of range.
  static func check(order: Int, _ alphabet: [UInt8]) throws {
    guard orders.contains(order) else {
      throw DataError(
        .unusable,
        "CharacterModel: expected an order from \(orders.lowerBound) to \(orders.upperBound), got "
          + "\(order)")
    }
    guard alphabet.count <= largestAlphabet else {
      throw DataError(
        .unusable,
        "CharacterModel: expected at most \(largestAlphabet) different characters, got "
          + "\(alphabet.count); is the text ASCII?")
    }
  }
}

/// All n-grams up to an order as a tree, with the counts that the smoothed probabilities are made from.
private struct CountTree {
  /// Without their back-off.
  var contexts: [CharacterModel.Context] = []
  /// The last symbol of each n-gram.
  var symbols: [UInt8] = [0]
  /// The n-gram without its first character.
  var suffixes: [Int32] = [0]
  var levelEnds = [1]
  /// How often an n-gram occurs, if it has the full length or is at a line's start; otherwise the
  /// number of different characters before it.
  var counts: [UInt32] = [0]

  init(_ source: CharacterCounts, order: Int) {
    var parents: [Int32] = [0]
    // Of each key, the n-gram of its first characters; -1 after the end of a piece.
    var current = [Int32](repeating: 0, count: source.keys.count)
    for length in 1...order {
      let shift = UInt64(8 * (source.order - length))
      var last: UInt64?
      for (index, key) in source.keys.enumerated() {
        let prefix = key >> shift
        guard prefix & 255 > 0 else {
          current[index] = -1
          continue
        }
        if prefix != last {
          last = prefix
          symbols.append(UInt8(prefix & 255) - 1)
          counts.append(0)
          parents.append(current[index])
        }
        counts[counts.count - 1] += source.counts[index]
        current[index] = Int32(counts.count - 1)
      }
      levelEnds.append(counts.count)
    }
    contexts = [CharacterModel.Context](repeating: .init(), count: levelEnds[order - 1])
    for ngram in 1..<counts.count {
      contexts.add(symbols[ngram], to: Int(parents[ngram]), as: ngram)
    }
    let lineStart = Symbols.lineStart(of: source.alphabet)
    suffixes = [Int32](repeating: 0, count: counts.count)
    var isAtStart = [Bool](repeating: false, count: counts.count)
    for ngram in 1..<counts.count {
      let parent = Int(parents[ngram])
      isAtStart[ngram] = parent == 0 ? symbols[ngram] == lineStart : isAtStart[parent]
      if parent > 0 {
        // What occurs in a text occurs without its first character, too.
        suffixes[ngram] = Int32(
          contexts.child(of: Int(suffixes[parent]), symbols[ngram]) ?? 0)
      }
      if ngram < contexts.count { contexts[ngram].suffix = suffixes[ngram] }
    }
    for ngram in 1..<contexts.count where !isAtStart[ngram] { counts[ngram] = 0 }
    for ngram in level(1).upperBound..<counts.count { counts[Int(suffixes[ngram])] += 1 }
  }

  /// The n-grams of a length.
  func level(_ length: Int) -> Range<Int> {
    (length == 0 ? 0 : levelEnds[length - 1])..<levelEnds[length]
  }
}

/// What is subtracted from counts of 1, 2 and more, and given to characters that were not seen.
///
/// Source: Chen and Goodman (1998), equation 26.
private struct Discounts {
  private var values: [Double] = [0, 0.5, 1, 1.5]

  /// - Parameter counts: The counts of the n-grams of one length.
  init(_ counts: some Sequence<UInt32>) {
    var n = [Double](repeating: 0, count: 5)
    for count in counts where count < 5 { n[Int(count)] += 1 }
    let share = n[1] / (n[1] + 2 * n[2])
    let estimates = [0] + (1...3).map { Double($0) - Double($0 + 1) * share * n[$0 + 1] / n[$0] }
    // With few n-grams, some counts do not occur at all.
    if (1...3).allSatisfy({ estimates[$0] > 0 && estimates[$0] < Double($0) }) {
      values = estimates
    }
  }

  subscript(count: UInt32) -> Double { values[min(3, Int(count))] }
}
