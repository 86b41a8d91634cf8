import Foundation
import LabData

/// How probable each character is after those before it: an n-gram model of characters, smoothed after
/// Kneser and Ney.
///
/// ```swift
/// let model = try CharacterModel("the cat sat on the mat ", order: 3)
/// let (logProbability, state) = model.next(UInt8(ascii: "t"), after: model.lineStart)
/// model.perplexity(of: ["the mat".utf8])  // per character, and one space after each line
/// ```
///
/// A line is a run of whole words: it begins where a word begins, and the space after its last word
/// belongs to it. ``lineStart`` therefore stands for a space after unknown text.
///
/// A ``State`` is the longest end of the text so far that the model knows something about, so that a
/// search can carry one for each of its hypotheses. The probabilities of the alphabet's characters add
/// up to 1 after each state; none is 0.
///
/// Source: S. Chen, J. Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling",
/// TR-10-98, Harvard University (1998), section 3: modified, interpolated.
public struct CharacterModel: Equatable, Sendable {
  /// What the model knows of the text so far.
  public struct State: Hashable, Sendable {
    /// The index of a context.
    fileprivate let context: Int32
  }

  /// A sequence of fewer than ``order`` characters, and which characters were seen after it.
  struct Context: Equatable, Sendable {
    /// Bits for the symbols that were seen after it.
    var first64: UInt64 = 0
    var last64: UInt64 = 0
    /// The n-gram of the first of them; the others follow it.
    var firstChild: Int32 = 0
    /// The context without its first character.
    var suffix: Int32 = 0
    /// The logarithm of the factor of the shorter context's probability, for characters that were not
    /// seen after it; of the root, the logarithm of the probability itself.
    var backoff: Float = 0

    /// The number of characters that were seen after it.
    var childCount: Int { first64.nonzeroBitCount + last64.nonzeroBitCount }
  }

  /// The default order.
  public static let defaultOrder = 6
  /// The orders that a model may have.
  public static let orders = 1...8
  /// The code of the space, which is in every alphabet.
  static let space = UInt8(ascii: " ")
  /// The largest number of characters of an alphabet. A further symbol stands for a line's start.
  static let largestAlphabet = 127

  /// The largest number of characters that a probability depends on, and the character itself.
  public let order: Int
  /// The characters, as ASCII codes in ascending order.
  public let alphabet: [UInt8]

  // N-grams are numbered by length, those of one length in lexicographic order, so that those that
  // differ in their last character only are neighbours. Number 0 is the empty one, the root. Those
  // that are shorter than `order` are contexts, of the same numbers.
  let contexts: [Context]
  /// The logarithm of the probability of each n-gram's last character after the others.
  let logProbabilities: [Float]
  /// Of each n-gram that is no context, the context without its first character.
  let suffixes: [Int32]
  /// The number of n-grams up to each length, from 0.
  let levelEnds: [Int]
  private let symbols: Symbols

  init(
    order: Int, alphabet: [UInt8], contexts: [Context], logProbabilities: [Float],
    suffixes: [Int32], levelEnds: [Int]
  ) {
    (self.order, self.alphabet, self.contexts) = (order, alphabet, contexts)
    (self.logProbabilities, self.suffixes) = (logProbabilities, suffixes)
    self.levelEnds = levelEnds
    symbols = Symbols(alphabet)
  }

  /// The number of n-grams, of all lengths.
  public var ngramCount: Int { logProbabilities.count - 1 }

  /// The state at the start of a line.
  public var lineStart: State {
    guard order > 1, let start = contexts.child(of: 0, Symbols.lineStart(of: alphabet)) else {
      return State(context: 0)
    }
    return State(context: Int32(start))
  }

  /// The logarithm of a character's probability, and the state after it.
  ///
  /// - Parameters:
  ///   - character: The ASCII code. One that is not in the alphabet has the probability 0.
  ///   - state: The state after the text before it.
  /// - Complexity: O(``order``)
  public func next(_ character: UInt8, after state: State) -> (logProbability: Float, state: State)
  {
    guard let symbol = symbols[character] else { return (-.infinity, State(context: 0)) }
    var context = Int(state.context)
    var sum: Float = 0
    while true {
      if let ngram = contexts.child(of: context, symbol) {
        let next = ngram < contexts.count ? Int32(ngram) : suffixes[ngram - contexts.count]
        return (sum + logProbabilities[ngram], State(context: next))
      }
      sum += contexts[context].backoff
      guard context > 0 else { return (sum, State(context: 0)) }
      context = Int(contexts[context].suffix)
    }
  }

  /// The logarithm of the probability of a line's characters and the space after them.
  ///
  /// - Parameter line: The ASCII codes.
  public func logProbability(ofLine line: some Sequence<UInt8>) -> Double {
    measure(line).sum
  }

  /// The perplexity of some lines per character, of which each line has a space more:
  /// `exp(−Σ log p / n)`.
  ///
  /// - Parameter lines: The ASCII codes of each line.
  public func perplexity(of lines: some Sequence<some Sequence<UInt8>>) -> Double {
    var (sum, count) = (0.0, 0)
    for line in lines {
      let line = measure(line)
      sum += line.sum
      count += line.count
    }
    return exp(-sum / Double(max(1, count)))
  }

  private func measure(_ line: some Sequence<UInt8>) -> (sum: Double, count: Int) {
    var state = lineStart
    var (sum, count) = (0.0, 0)
    func add(_ character: UInt8) {
      let (logProbability, next) = next(character, after: state)
      (sum, count, state) = (sum + Double(logProbability), count + 1, next)
    }
    for character in line { add(character) }
    add(Self.space)
    return (sum, count)
  }
}

/// The symbols of an alphabet's characters: their indices.
struct Symbols: Equatable, Sendable {
  private static let none = UInt8.max
  private var symbolByCode = [UInt8](repeating: none, count: 256)

  init(_ alphabet: [UInt8]) {
    for (symbol, code) in alphabet.enumerated() { symbolByCode[Int(code)] = UInt8(symbol) }
  }

  subscript(code: UInt8) -> UInt8? {
    let symbol = symbolByCode[Int(code)]
    return symbol == Self.none ? nil : symbol
  }

  /// The symbol that stands for the space before a line.
  static func lineStart(of alphabet: [UInt8]) -> UInt8 { UInt8(alphabet.count) }
}

extension [CharacterModel.Context] {
  /// The number of the n-gram of a context and one more symbol; nil if there is none.
  func child(of context: Int, _ symbol: UInt8) -> Int? {
    let context = self[context]
    let bit: UInt64 = 1 << UInt64(symbol & 63)
    if symbol < 64 {
      guard context.first64 & bit != 0 else { return nil }
      return Int(context.firstChild) + (context.first64 & (bit - 1)).nonzeroBitCount
    }
    guard context.last64 & bit != 0 else { return nil }
    return Int(context.firstChild) + context.first64.nonzeroBitCount
      + (context.last64 & (bit - 1)).nonzeroBitCount
  }

  /// Gives a context its next child, in ascending order.
  mutating func add(_ symbol: UInt8, to context: Int, as ngram: Int) {
    if self[context].childCount == 0 { self[context].firstChild = Int32(ngram) }
    let bit: UInt64 = 1 << UInt64(symbol & 63)
    if symbol < 64 { self[context].first64 |= bit } else { self[context].last64 |= bit }
  }
}
