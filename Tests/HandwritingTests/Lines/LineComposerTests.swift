import Foundation
import Lab
import TestSupport
import Testing

@Suite struct LineComposerTests {
  /// Two images of "a", all pixels 60 or 200, and one of "b", all pixels 100.
  private func characters(_ folder: TemporaryFolder) throws -> Dataset {
    let pixels = [60, 100, 200].flatMap { [UInt8](repeating: $0, count: 28 * 28) }
    let (images, labels) = (folder.url.appending(path: "x"), folder.url.appending(path: "y"))
    try IDX.write(pixels, shape: [3, 28, 28], to: images)
    try IDX.write([0, 1, 0], shape: [3], to: labels)
    return Dataset(
      images: try IDX(mapping: images, rank: 3), labels: try IDX(mapping: labels, rank: 1))
  }

  private func composer(
    _ text: String, _ folder: TemporaryFolder, overlap: ClosedRange<Double>
  ) throws -> LineComposer {
    LineComposer(
      SentenceGenerator(text: Array(text.utf8), sources: [:], isSynthetic: false),
      EMNISTLines.Parameters(
        maxLength: 7, minOverlap: overlap.lowerBound, maxOverlap: overlap.upperBound),
      characters: try characters(folder), mapping: ["a", "b", " "])
  }

  @Test(arguments: [(0.0, 28), (0.33, 19), (0.5, 14), (0.99, 1), (1, 0)])
  func overlappingPixelsAreAddedAndClamped(overlap: Double, step: Int) throws {
    let folder = try TemporaryFolder()
    let composer = try composer("aab b", folder, overlap: overlap...overlap)
    var random = RandomState(seed: 42)
    let lines = try (0..<5).map { _ in try composer.draw(using: &random) }
    var expected: [UInt8] = []
    for line in lines {
      #expect(String(decoding: line.sentence, as: UTF8.self) == "aab")
      #expect(line.step == step)
      var row = [Int](repeating: 0, count: 7 * 28)
      for (place, image) in line.images.enumerated() {
        let value = [60, 100, 200][try #require(image)]
        for x in 0..<28 { row[place * step + x] += value }
      }
      expected += (0..<28).flatMap { _ in row.map { UInt8(min(255, $0)) } }
    }
    // Both images of "a" are among them, so 200 + 200 is if anything overlaps.
    #expect(Set(lines.map { $0.images.first }) == [0, 2])
    #expect(expected.contains(255) == (overlap > 0))
    #expect(Array(composer.pixels(of: lines[...])) == expected)
  }

  @Test func spacesStayBlack() throws {
    let folder = try TemporaryFolder()
    let composer = try composer("b b a", folder, overlap: 0...0)
    var random = RandomState(seed: 1)
    var line = try composer.draw(using: &random)
    while line.sentence.count < 3 { line = try composer.draw(using: &random) }
    #expect(line.images == [1, nil, 1])
    let row = (0..<7 * 28).map { [0, 2].contains($0 / 28) ? UInt8(100) : 0 }
    #expect(Array(composer.pixels(of: [line])) == (0..<28).flatMap { _ in row })
  }

  // np.random.seed(7), then per line: randint(0, 4) and choice(ends) for the sentence, uniform(0, .5),
  // choice(2) where an "a" comes first and choice(1), which draws nothing, where a "b" does
  @Test func drawsSentenceOverlapAndOneImagePerCharacter() throws {
    let folder = try TemporaryFolder()
    let composer = try composer("aa bab b a ba", folder, overlap: 0...0.5)
    var random = RandomState(seed: 7)
    var reference = RandomState(seed: 7)
    let sentences = SentenceGenerator(
      text: Array("aa bab b a ba".utf8), sources: [:], isSynthetic: false)
    var chosen: Set<Int> = []
    for _ in 0..<50 {
      let line = try composer.draw(using: &random)
      let sentence = try sentences.generate(maxLength: 5, using: &reference)
      #expect(String(decoding: line.sentence, as: UTF8.self) == sentence)
      #expect(line.step == 28 - Int(reference.uniform(0, 0.5) * 28))
      let a = sentence.contains("a") ? [0, 2][reference.integer(below: 2)] : 0
      chosen.insert(a)
      #expect(line.images == sentence.map { ["a": a, "b": 1][$0] })
    }
    #expect(random == reference)
    #expect(chosen == [0, 2])
  }

  @Test func characterMayHaveOneImageEach() throws {
    let folder = try TemporaryFolder()
    let text = "aa bab b a ba"
    var parameters = EMNISTLines.Parameters(maxLength: 7, minOverlap: 0, maxOverlap: 0)
    parameters.varyCharacters = true
    let sentences = SentenceGenerator(text: Array(text.utf8), sources: [:], isSynthetic: false)
    let composer = LineComposer(
      sentences, parameters, characters: try characters(folder), mapping: ["a", "b", " "])
    var random = RandomState(seed: 7)
    var reference = RandomState(seed: 7)
    var pairs: Set<[Int?]> = []
    for _ in 0..<60 {
      let line = try composer.draw(using: &random)
      let sentence = try sentences.generate(maxLength: 5, using: &reference)
      _ = reference.uniform(0, 0)
      let images = sentence.map { character -> Int? in
        character == "a" ? [0, 2][reference.integer(below: 2)] : character == "b" ? 1 : nil
      }
      #expect(line.images == images)
      if sentence.hasPrefix("aa") { pairs.insert(Array(images.prefix(2))) }
    }
    #expect(random == reference)
    #expect(pairs == [[0, 0], [0, 2], [2, 0], [2, 2]])
  }
}
