import Foundation
import Lab
import TestSupport
import Testing

struct CharacterModelTests {
  private let text =
    "the cat sat on the mat and the dog lay on the log the cat saw the dog and the dog saw the cat "

  private func log(_ model: CharacterModel, _ text: String) -> [Double] {
    var state = model.lineStart
    return text.utf8.map { character in
      let (logProbability, next) = model.next(character, after: state)
      state = next
      return exp(Double(logProbability))
    }
  }

  // Counts: space 1, a 2, b 1, of 4 in all. No estimates of the discounts, so they are 0.5 for 1 and 1
  // for 2: 2 of 4 are left for 3 characters.
  @Test func onPaper() throws {
    let model = try CharacterModel("aab ", order: 1)
    #expect(model.alphabet == Array(" ab".utf8))
    #expect(model.ngramCount == 4)
    let expected = [1.0 / 4, 0.5 / 4, 0.5 / 4].map { $0 + 0.5 / 3 }
    for (probability, expected) in zip(log(model, "ab "), expected) {
      #expect(abs(probability - expected) < 1e-6)
    }
    let sum = expected.reduce(0) { $0 + Foundation.log($1) }
    #expect(abs(model.logProbability(ofLine: "ab".utf8) - sum) < 1e-6)
    #expect(abs(model.perplexity(of: ["ab".utf8]) - exp(-sum / 3)) < 1e-6)
  }

  /// By the definition, with dictionaries of texts; `^` is the line's start.
  private struct Reference {
    var counts: [String: Double] = [:]
    var discounts: [[Double]] = []
    let alphabet: [String]
    let order: Int

    init(_ pieces: [String], order: Int) {
      self.order = order
      alphabet = Set(pieces.joined() + " ").sorted().map { String($0) }
      var raw: [String: Double] = [:]
      for piece in pieces {
        let starts = piece.indices.filter { piece[$0] == " " }
        for text in piece.indices.map({ String(piece[$0...]) })
          + starts.map({ "^" + piece[$0...].dropFirst() })
        {
          for length in 1...order where text.count >= length {
            raw[String(text.prefix(length)), default: 0] += 1
          }
        }
      }
      for (text, count) in raw {
        counts[text] =
          text.count == order || text.hasPrefix("^")
          ? count : Double(raw.keys.count { $0.count == text.count + 1 && $0.hasSuffix(text) })
      }
      for length in 1...order {
        let all = counts.filter { $0.key.count == length && !$0.key.hasSuffix("^") }.values
        let n = (0...4).map { number in Double(all.count { $0 == Double(number) }) }
        let y = n[1] / (n[1] + 2 * n[2])
        let estimates = [1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3]]
        let isSound = estimates.indices.allSatisfy {
          estimates[$0] > 0 && estimates[$0] < Double($0 + 1)
        }
        discounts.append([0] + (isSound ? estimates : [0.5, 1, 1.5]))
      }
    }

    func probability(_ character: String, after context: String) -> Double {
      let shorter =
        context.isEmpty
        ? 1 / Double(alphabet.count)
        : probability(character, after: String(context.dropFirst()))
      let seen = alphabet.compactMap { counts[context + $0] }
      let total = seen.reduce(0, +)
      guard total > 0 else { return shorter }
      func discount(_ count: Double) -> Double { discounts[context.count][Int(min(3, count))] }
      let count = counts[context + character] ?? 0
      let share = seen.reduce(0) { $0 + discount($1) } / total
      return (count - discount(count)) / total + share * shorter
    }

    func probabilities(ofLine line: String) -> [Double] {
      var context = "^"
      return line.map { character in
        context = String(context.suffix(order - 1))
        defer { context.append(character) }
        return probability(String(character), after: context)
      }
    }
  }

  @Test(arguments: 1...6)
  func agreesWithTheDefinition(order: Int) throws {
    let pieces = [text, "a dog ", "no", " the tom cat", text.replacing("the", with: "ten")]
    let reference = Reference(pieces, order: order)
    let counts = try CharacterCounts(of: pieces.map { Array($0.utf8)[...] }, order: 6)
    let model = try CharacterModel(counts, order: order)
    #expect(model.order == order)
    for line in ["the cat ", "dogs and cats ", "xylophone", "tt  ten", "ottoman lot "] {
      let known = line.filter { model.alphabet.contains($0.utf8.first ?? 0) }
      for (found, expected) in zip(log(model, known), reference.probabilities(ofLine: known)) {
        #expect(abs(found - expected) < 1e-6 + 1e-5 * expected)
      }
    }
    // The line's start is n-grams of its own.
    #expect(model.ngramCount == reference.counts.count)
    #expect(
      try CharacterModel(
        CharacterCounts(of: pieces.map { Array($0.utf8)[...] }, order: order), order: order)
        == model)
  }

  @Test(arguments: 1...8)
  func probabilitiesAddUpTo1(order: Int) throws {
    let alphabet = Array(
      " !?abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#*&".utf8)
    let counts = try CharacterCounts(
      of: [Array(text.utf8)[...]], order: order, alphabet: alphabet)
    let model = try CharacterModel(counts, order: order)
    #expect(model.alphabet == alphabet.sorted())
    var states: Set = [model.lineStart]
    var state = model.lineStart
    for character in (text + "Zz " + text.reversed()).utf8 {
      state = model.next(character, after: state).state
      states.insert(state)
    }
    #expect(order == 1 ? states.count == 1 : states.count > 15)
    for state in states {
      let numbers = alphabet.map { Double(model.next($0, after: state).logProbability) }
      #expect(numbers.allSatisfy { $0 > -.infinity && $0 < 1e-6 })
      #expect(abs(numbers.reduce(0) { $0 + exp($1) } - 1) < 1e-5)
    }
  }

  @Test func noSequenceGoesFromOnePieceToAnother() throws {
    func bytes(_ text: String) -> ArraySlice<UInt8> {
      Array("##\(text)##".utf8)[2..<2 + text.utf8.count]
    }
    func count(_ pieces: [String]) throws -> Int {
      try CharacterModel(CharacterCounts(of: pieces.map(bytes), order: 3), order: 3).ngramCount
    }
    #expect(try count(["ab", "cd"]) == 6)
    #expect(try count(["abcd"]) == 9)
    #expect(try count(["", "a", ""]) == 1)
    #expect(try count([]) == 0)
    // A character that is not in the alphabet divides a piece.
    let counts = try CharacterCounts(of: [bytes("ab+cd")], order: 3, alphabet: Array("abcd".utf8))
    #expect(try CharacterModel(counts, order: 3).ngramCount == 6)
    #expect(counts.alphabet == Array(" abcd".utf8))
  }

  @Test func aModelOfNothingKnowsNothing() throws {
    let counts = try CharacterCounts(of: [], order: 4, alphabet: Array("abc".utf8))
    let model = try CharacterModel(counts, order: 4)
    #expect(abs(model.perplexity(of: ["abca".utf8, "".utf8]) - 4) < 1e-5)
    #expect(model.next(UInt8(ascii: "x"), after: model.lineStart).logProbability == -.infinity)
    #expect(model.perplexity(of: [[UInt8]]()) == 1)
  }

  @Test func longerSequencesPredictBetter() throws {
    let text = String(repeating: text, count: 3)
    let counts = try CharacterCounts(of: [Array(text.utf8)[...]], order: 5)
    let perplexities = try (1...5).map {
      try CharacterModel(counts, order: $0).perplexity(of: ["the dog saw the cat".utf8])
    }
    #expect(zip(perplexities, perplexities.dropFirst()).allSatisfy(>))
  }

  @Test func refusesWhatIsOutOfRange() throws {
    expectDataError("CharacterModel: expected an order from 1 to 8, got 9") {
      _ = try CharacterModel("a b", order: 9)
    }
    expectDataError("CharacterModel: expected an order from 1 to 8, got 0") {
      _ = try CharacterCounts(of: [], order: 0)
    }
    let counts = try CharacterCounts(of: [], order: 3)
    expectDataError("CharacterModel: expected an order from 1 to 3, got 4") {
      _ = try CharacterModel(counts, order: 4)
    }
    expectDataError(
      "CharacterModel: expected at most 127 different characters, got 255; is the text ASCII?"
    ) { _ = try CharacterCounts(of: [Array(1...255)[...]]) }
  }

  @Test func readsWhatItWrites() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "a/model")
    for order in 1...8 {
      let model = try CharacterModel(text, order: order)
      try model.write(to: url)
      #expect(try CharacterModel(contentsOf: url) == model)
    }
    // Symbols of both words of a context's bits.
    let all = try CharacterModel(String(decoding: Array(1...127) + [3, 2, 127, 1], as: UTF8.self))
    #expect(try CharacterModel(all.fileBytes, named: "all") == all)
    #expect(all.alphabet.count == 127)
  }

  @Test func refusesDamagedFiles() throws {
    let bytes = try CharacterModel(text, order: 4).fileBytes
    func expect(_ message: String, _ bytes: Data) {
      expectDataError("m: \(message)") { _ = try CharacterModel(bytes, named: "m") }
    }
    expect("expected a character model, got another file of 0 bytes", Data())
    expect("expected a character model, got another file of 9 bytes", Data("something".utf8))
    var other = bytes
    other[5] = 2
    expect("expected version 1 of a character model, got 2", other)
    other = bytes
    other[100] ^= 1
    let message = "expected the bytes that were written, got others: the checksum differs"
    expect(message, other)
    expect(message, bytes.dropLast())
    expectDataError("m: expected all of a character model, got \(bytes.count - 1) bytes of it") {
      _ = try CharacterModel(bytes.dropLast(), named: "m", checksDigest: false)
    }
  }
}
