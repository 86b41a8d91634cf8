import Foundation
import Lab
import TestSupport
import Testing

struct FreshLinesTests {
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try EMNISTFixture.install(in: folder)
    try CorpusFixture.install(in: folder)
    return folder
  }

  private func options(
    _ folder: TemporaryFolder, workers: Int = 0, _ augmentation: (any Augmentation)? = nil
  ) -> DataOptions {
    DataOptions(
      source: .download, batchSize: 16, workers: workers, augmentation: augmentation,
      folder: folder.folder, report: Lines().add)
  }

  private let parameters = EMNISTLines.Parameters(
    maxLength: 20, minOverlap: 0.25, maxOverlap: 0.25, numTrain: 70, numVal: 60, numTest: 50,
    freshLines: true)

  private func strings(_ data: EMNISTLines, _ part: Dataset) -> [String] {
    (0..<part.count).map { data.string(of: part.labels(at: $0)) }
  }

  /// The numbers of the words of some lines: each word of the corpus occurs once.
  private func words(_ lines: [String]) -> Set<Int> {
    Set(
      lines.flatMap { $0.split(separator: " ") }.compactMap {
        CorpusFixture.words.firstIndex(of: String($0))
      })
  }

  @Test func freshLinesUseNoTextOfValidationAndTestLines() throws {
    let folder = try folder()
    let data = try EMNISTLines(options(folder), parameters)
    #expect(data.sizes == [70, 60, 50])
    let reserved = words(strings(data, data.val) + strings(data, data.test))
    #expect(reserved.count > 150)
    let fresh = try #require(data.freshTrain)
    #expect((fresh.count, fresh.dims) == (70, [1, 28, 560]))
    var seen: Set<Int> = []
    for seed in 0..<20 as Range<UInt64> {
      let lines = strings(data, fresh.draw(seed: seed))
      #expect(lines.count == 70 && lines.allSatisfy { !$0.isEmpty })
      seen.formUnion(words(lines))
    }
    #expect(seen.isDisjoint(with: reserved))
    #expect(seen.count > 1_000)
    // The stored lines may share text.
    #expect(!words(strings(data, data.train)).isDisjoint(with: reserved))
  }

  // The fixture's images have one pixel, of value class + 1, at column 0 and row n % 28.
  @Test func pixelsBelongToTheLabels() throws {
    let folder = try folder()
    let data = try EMNISTLines(options(folder), parameters)
    let lines = try #require(data.freshTrain).draw(seed: 3)
    for position in 0..<lines.count {
      let image = lines.batch(at: [position]).x.elements
      let seen = (0..<20).map { place in
        (0..<28).reduce(0) { $0 + image[$1 * 560 + place * 21] }
      }
      let expected = lines.labels(at: position).map { (4..<66).contains($0) ? $0 - 3 : 0 }
      #expect(seen.map { Int(($0 * 255).rounded()) } == expected)
    }
  }

  @Test func whatIsStoredStays() throws {
    let folder = try folder()
    var stored = parameters
    stored.freshLines = false
    let plain = try EMNISTLines(options(folder), stored)
    let name = "length-20-overlap-0.25-0.25-lines-70-60-50-stored"
    let record = "processed/emnist-lines/\(name)/contents.json"
    let before = try folder.read(record)
    #expect(!String(decoding: before, as: UTF8.self).contains("freshLines"))
    #expect(!String(decoding: before, as: UTF8.self).contains("varyCharacters"))
    let data = try EMNISTLines(options(folder), parameters)
    #expect(try folder.names(in: "processed/emnist-lines") == [name])
    #expect(try folder.read(record) == before)
    for (one, other) in [(plain.train, data.train), (plain.val, data.val), (plain.test, data.test)]
    {
      #expect(try one.digest() == other.digest())
    }
    #expect(plain.freshTrain == nil && plain.sources != data.sources)
    #expect(data.description.contains("\nTrain lines: drawn anew in each epoch\nNum classes: 83\n"))

    var varied = stored
    varied.varyCharacters = true
    let others = try EMNISTLines(options(folder), varied)
    #expect(
      try folder.names(in: "processed/emnist-lines")
        == [name, "length-20-overlap-0.25-0.25-lines-70-60-50-varied-stored"])
    #expect(others.description.contains("\nCharacters: another image for each one\nNum classes"))
    #expect(try others.train.digest() != plain.train.digest())
  }

  /// Records of 0.6.0 have neither varied characters nor fresh lines.
  @Test func parametersOfEarlierVersionsAreRead() throws {
    let json = """
      {"maxLength":16,"minOverlap":0,"maxOverlap":0.5,"numTrain":30,"numVal":20,"numTest":10,\
      "withStartEndTokens":true,"randomStart":"walkthrough"}
      """
    let parameters = EMNISTLines.Parameters(
      maxLength: 16, minOverlap: 0, maxOverlap: 0.5, numTrain: 30, numVal: 20, numTest: 10,
      withStartEndTokens: true, randomStart: .walkthrough)
    let decoder = JSONDecoder()
    #expect(try decoder.decode(EMNISTLines.Parameters.self, from: Data(json.utf8)) == parameters)
    var all = parameters
    (all.varyCharacters, all.freshLines) = (true, true)
    for parameters in [parameters, all] {
      let encoded = try JSONEncoder().encode(parameters)
      #expect(try decoder.decode(EMNISTLines.Parameters.self, from: encoded) == parameters)
    }
  }

  @Test(arguments: [1, 3])
  func epochsDependOnTheSeedOnly(workers: Int) throws {
    let folder = try folder()
    func epochs(_ workers: Int) throws -> [[Batch]] {
      let data = try EMNISTLines(
        options(folder, workers: workers, RandomLineStyle.handwriting), parameters)
      let batches = data.trainBatches(shuffledBy: Generator(seed: 5))
      return [Array(batches), Array(batches)]
    }
    let (alone, together) = (try epochs(0), try epochs(workers))
    #expect(alone.map { $0.map(\.x) } == together.map { $0.map(\.x) })
    #expect(alone.map { $0.map(\.y) } == together.map { $0.map(\.y) })
    #expect(Set(alone[0].flatMap(\.y.elements)) != [] && alone[0].map(\.y) != alone[1].map(\.y))
    #expect(alone[0].count == 5)
  }

  @Test func refusesACorpusOfWhichNothingIsLeft() throws {
    let folder = try folder()
    try CorpusFixture.install("one two three four five six ", in: folder)
    let error = #expect(throws: DataError.self) { try EMNISTLines(options(folder), parameters) }
    #expect(
      error?.description
        == "fresh_lines: expected text that no validation or test line uses, got none; use a smaller "
        + "num_val or num_test, or a larger max_length")
  }

  @Test func aSyntheticTextIsNotDivided() throws {
    let folder = try folder()
    try CorpusFixture.makeUnavailable(in: folder)
    let data = try EMNISTLines(
      DataOptions(folder: folder.folder, report: Lines().add),
      EMNISTLines.Parameters(numTrain: 20, numVal: 2_000, numTest: 2_000, freshLines: true))
    #expect(data.isSynthetic)
    #expect(try #require(data.freshTrain).draw(seed: 1).count == 20)
  }
}
