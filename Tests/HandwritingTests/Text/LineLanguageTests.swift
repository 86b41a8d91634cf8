import Foundation
import Lab
import TestSupport
import Testing

struct LineLanguageTests {
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try EMNISTFixture.install(in: folder)
    try CorpusFixture.install(in: folder)
    return folder
  }

  private func data(
    _ folder: TemporaryFolder, _ lines: Lines = Lines(), maxLength: Int = 24
  ) throws -> EMNISTLines {
    try EMNISTLines(
      DataOptions(source: .download, folder: folder.folder, report: lines.add),
      EMNISTLines.Parameters(maxLength: maxLength, numTrain: 90, numVal: 80, numTest: 70))
  }

  private func strings(_ data: EMNISTLines, _ part: Dataset) -> [String] {
    (0..<part.count).map { data.string(of: part.labels(at: $0)) }
  }

  @Test func noTextOfValidationAndTestLinesIsInTheModel() throws {
    let data = try data(try folder())
    let parts = try data.sentencesOfParts()
    // The lines that are drawn again are those that are stored.
    for (sentences, part) in zip(parts, [data.train, data.val, data.test]) {
      #expect(sentences.map { String(decoding: $0, as: UTF8.self) } == strings(data, part))
    }
    let text = data.sentences.text
    let pieces = EMNISTLines.reservedStretches(parts, of: data.sentences).rest(of: text)
    for line in parts[1] + parts[2] {
      let range = line.startIndex..<line.endIndex
      #expect(pieces.allSatisfy { !($0.startIndex..<$0.endIndex).overlaps(range) })
      // Each word of this corpus occurs once.
      for word in line.split(separator: 0x20) where word.count == 3 {
        #expect(pieces.allSatisfy { !$0.split(separator: 0x20).contains(word) })
      }
    }
    let used = Set((parts[1] + parts[2]).flatMap { $0.startIndex..<$0.endIndex })
    #expect(pieces.reduce(0) { $0 + $1.count } == text.count - used.count)
    // Both sides of a line keep their space: there words end and begin.
    #expect(pieces.dropFirst().allSatisfy { $0.first == 0x20 })
    #expect(pieces.dropLast().allSatisfy { $0.last == 0x20 })

    let language = try data.languageModel(order: 4)
    let alphabet = data.mapping.filter { $0.utf8.count == 1 }.map { $0.utf8.first ?? 0 }
    let counts = try CharacterCounts(of: pieces, order: 4, alphabet: alphabet)
    #expect(language.model == (try CharacterModel(counts, order: 4)))
    #expect(language.model.alphabet.count == 79)
    let expected = try (1...4).map {
      try CharacterModel(counts, order: $0).perplexity(of: strings(data, data.val).map(\.utf8))
    }
    #expect(language.perplexities == expected)
    #expect(expected.allSatisfy { $0 > 1 && $0 < 30 })
    let texts = expected.map { String(format: "%.2f", $0) }
    #expect(
      "\(language)"
        == "Language model: order 4, \(language.model.ngramCount) n-grams, perplexity \(texts[3]) per "
        + "character of the validation lines (order 1: \(texts[0]), 2: \(texts[1]), 3: \(texts[2]))"
    )
  }

  @Test func aModelIsMadeOnceForEachChoiceOfParameters() throws {
    let folder = try folder()
    let lines = Lines()
    let first = try data(folder, lines).languageModel()
    #expect(first.model.order == 6)
    for (maxLength, order) in [(24, 6), (24, 2), (20, 6), (24, 6), (20, 6)] {
      let found = try data(folder, lines, maxLength: maxLength).languageModel(order: order)
      #expect(found.model.order == order && found.perplexities.count == order)
      if (maxLength, order) == (24, 6) {
        #expect(found.model == first.model && found.perplexities == first.perplexities)
      }
    }
    let made = lines.all.filter { $0.hasPrefix("making") }
    #expect(
      made == [6, 2, 6].map { "making a language model of order \($0) for EMNISTLines, once" })
    let names = try folder.names(in: "processed/language")
    #expect(
      names == [
        "length-20-overlap-0.0-0.33-lines-90-80-70-stored-order-6",
        "length-24-overlap-0.0-0.33-lines-90-80-70-stored-order-2",
        "length-24-overlap-0.0-0.33-lines-90-80-70-stored-order-6",
      ])
    // A damaged model is made again.
    let path = "processed/language/\(names[2])/model"
    let whole = try folder.read(path)
    var bytes = whole
    bytes[200] ^= 4
    try folder.write(bytes, to: path)
    let again = try data(folder, lines).languageModel()
    #expect(again.model == first.model)
    #expect(try folder.read(path) == whole)
    #expect(
      lines.all.contains {
        $0.hasSuffix(
          "model: expected the bytes that were written, got others: the checksum differs: "
            + "preparing the language model of EMNISTLines again")
      })
  }

  @Test func aSyntheticTextIsNotDivided() throws {
    let folder = try folder()
    try CorpusFixture.makeUnavailable(in: folder)
    let data = try EMNISTLines(
      DataOptions(folder: folder.folder, report: Lines().add),
      EMNISTLines.Parameters(numTrain: 20, numVal: 30, numTest: 40))
    let language = try data.languageModel()
    #expect(language.isSynthetic && "\(language)".hasPrefix("SYNTHETIC language model: order 6, "))
    let counts = try CharacterCounts(
      of: [data.sentences.text[...]], alphabet: language.model.alphabet)
    #expect(language.model == (try CharacterModel(counts)))
    #expect(try folder.names(in: "processed/language").allSatisfy { $0.contains("-synthetic-") })
  }

  @Test func refusesOrders() throws {
    let data = try data(try folder())
    expectDataError("CharacterModel: expected an order from 1 to 8, got 9") {
      _ = try data.languageModel(order: 9)
    }
  }
}
