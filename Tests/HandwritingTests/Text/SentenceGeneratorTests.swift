import Foundation
import Lab
import TestSupport
import Testing

@Suite struct SentenceGeneratorTests {
  private func generator(_ text: String) -> SentenceGenerator {
    SentenceGenerator(text: Array(text.utf8), sources: [:], isSynthetic: false)
  }

  // starts = [0] + [m.start(0) + 1 for m in re.finditer(" ", text)]; np.random.seed(42)
  // first = np.random.randint(0, len(starts) - 1); ends = those behind it up to maxLength further
  // text[starts[first]:np.random.choice(ends)].strip(), again while there are no ends: six times
  // np.random.randint(2**32)
  @Test(arguments: [
    (4, ["jam", "and", "out", "by", "so", "jam"], 1_914_837_113),
    (
      14, ["jam", "out no more", "so", "stop A man", "does nt stop", "About 12 a"], 3_720_198_231
    ),
    (
      30,
      [
        "jam The queue is", "and a zither", "so said she About 12", "stop A man counts 24 boxes of",
        "does nt stop A man counts 24", "About 12 a",
      ], 3_720_198_231
    ),
  ])
  func drawsAsTheCourse(maxLength: Int, expected: [String], next: Int) throws {
    let sentences = generator(BrownFixture.text)
    var random = RandomState(seed: 42)
    for sentence in expected {
      #expect(try sentences.generate(maxLength: maxLength, using: &random) == sentence)
    }
    #expect(random.integer(below: 1 << 32) == next)
  }

  @Test func throwsAfterTenWordsThatAreTooLong() throws {
    let sentences = generator("longer longest longer longest ")
    var random = RandomState(seed: 42)
    let error = #expect(throws: DataError.self) {
      try sentences.generate(maxLength: 6, using: &random)
    }
    #expect(
      error?.description
        == "10 words were drawn, and none has fewer than 6 characters; use a larger max_length")
    var counting = RandomState(seed: 42)
    for _ in 0..<10 { _ = counting.integer(below: 4) }
    #expect(random == counting)
  }

  @Test(arguments: [DataSource.download, .auto])
  func usesTheCorpus(source: DataSource) throws {
    let folder = try TemporaryFolder()
    try BrownFixture.install(in: folder)
    let lines = Lines()
    let sentences = try SentenceGenerator(
      DataOptions(source: source, folder: folder.folder, report: lines.add))
    #expect(!sentences.isSynthetic)
    #expect(String(decoding: sentences.text, as: UTF8.self) == BrownFixture.text)
    #expect(sentences.wordStarts.count == 46)
  }

  @Test func usesItsOwnTextWithoutTheCorpus() throws {
    let folder = try TemporaryFolder()
    try CorpusFixture.makeUnavailable(in: folder)
    let lines = Lines()
    let options = DataOptions(folder: folder.folder, report: lines.add)
    let sentences = try SentenceGenerator(options)
    #expect(sentences.isSynthetic)
    #expect(
      lines.all.last?.hasPrefix(
        "Brown corpus: using SYNTHETIC text written for this program: cannot download brown.zip")
        == true)
    let words = String(decoding: sentences.text, as: UTF8.self).split(separator: " ")
    #expect(words.count > 2500)
    #expect(Set(words).count > 1000)
    // Only characters of EMNIST, and spaces.
    #expect(Set(words.joined()).isSubset(of: Set(EMNIST.characters.map(Character.init))))
    #expect(sentences.wordStarts.count == words.count)
    var random = RandomState(seed: 42)
    for _ in 0..<1000 {
      let sentence = try sentences.generate(maxLength: 30, using: &random)
      #expect(!sentence.isEmpty && sentence.count < 30)
    }

    var download = options
    download.source = .download
    #expect(throws: DataError.self) { try SentenceGenerator(download) }
  }
}
