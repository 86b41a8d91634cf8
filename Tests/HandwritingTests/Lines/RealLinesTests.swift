import Digests
import Foundation
import Lab
import TestSupport
import Testing

/// Tests on the real Brown corpus and the real EMNIST, or an excerpt of EMNIST.
@Suite(.enabled(if: realData != nil, "LAB_TEST_DATA names no folder"))
struct RealLinesTests {
  private func strings(_ data: EMNISTLines) -> [String] {
    (0..<9).map { data.string(of: data.train.labels(at: $0)) }
  }

  // len(text), len(re.findall(" ", text)) + 1, hashlib.sha256(text.encode()).hexdigest()[:8] of the
  // course's text
  @Test func brown() throws {
    let folder = try copyOfMetadata()
    let options = DataOptions(source: .download, folder: folder.folder, report: Lines().add)
    let sentences = try SentenceGenerator(options)
    #expect(!sentences.isSynthetic)
    #expect(sentences.text.count == 5_782_742)
    #expect(sentences.wordStarts.count == 1_013_320)
    let file = folder.url.appending(path: "processed/brown/text.txt")
    #expect(try SHA256.hexadecimal(of: file).hasPrefix("1919f283"))
  }

  /// What the course's notebook and the written walkthrough printed.
  @Test func lines() throws {
    let folder = try copyOfMetadata()
    let options = DataOptions(source: .download, folder: folder.folder, report: Lines().add)
    func lines(_ length: Int, _ overlap: Double, _ start: EMNISTLines.RandomStart) throws
      -> EMNISTLines
    {
      try EMNISTLines(
        options, .init(maxLength: length, minOverlap: 0, maxOverlap: overlap, randomStart: start))
    }
    let stored = try lines(16, 0, .stored)
    #expect(stored.config.inputDims == [1, 28, 448])
    #expect(stored.config.outputDims == [16, 1])
    #expect(stored.sizes == [10_000, 2_000, 2_000])
    let overlapping = try lines(34, 0.33, .stored)
    #expect(overlapping.config.inputDims == [1, 28, 952])
    #expect(overlapping.config.outputDims == [34, 1])
    #expect(strings(overlapping)[0] == "phase of Newark will")

    // How many images there are of a character decides what comes next.
    guard try EMNIST(options).test.count > 50_000 else { return }
    #expect(
      strings(stored) == [
        "phase of", "jobs Each of", "New", "the", "Tribal", "in", "fatal", "a complete",
        "resolutely at",
      ])
    let walkthrough = try lines(16, 0, .walkthrough)
    #expect(
      strings(walkthrough) == [
        "it force", "at this years", "the", "unsupportable", "that way", "59", "world", "followed",
        "as",
      ])
    #expect(
      walkthrough.train.labels(at: 0)
        == [48, 59, 66, 45, 54, 57, 42, 44, 3, 3, 3, 3, 3, 3, 3, 3])
    // The printed batches were drawn at random from these lines; means of batches vary by 0.003.
    expectSome(of: stored, near: (mean: 0.0777, std: 0.2379))
    expectSome(of: overlapping, near: (mean: 0.0805, std: 0.2416))
  }

  /// The model predicts a character almost as one of four, of text that it has not seen.
  @Test func languageModel() throws {
    let folder = try copyOfMetadata()
    let options = DataOptions(source: .download, folder: folder.folder, report: Lines().add)
    let language = try EMNISTLines(options, .init()).languageModel()
    #expect(!language.isSynthetic)
    #expect((1_000_000..<1_100_000).contains(language.model.ngramCount))
    #expect((3.5..<4).contains(language.perplexities[5]))
    #expect(zip(language.perplexities, language.perplexities.dropFirst()).allSatisfy(>))
    var state = language.model.lineStart
    for character in "The jury said".utf8 {
      let sum = language.model.alphabet.reduce(0) {
        $0 + exp(Double(language.model.next($1, after: state).logProbability))
      }
      #expect(abs(sum - 1) < 1e-5)
      state = language.model.next(character, after: state).state
    }
  }

  /// Expects that some batch has the printed statistics, and that labels go from 3 to 66.
  private func expectSome(of data: EMNISTLines, near printed: (mean: Float, std: Float)) {
    let batches = Batches(data.train, batchSize: 128, shuffledBy: Generator(seed: 42))
    #expect(
      batches.contains {
        abs($0.x.mean() - printed.mean) < 0.002 && abs($0.x.std() - printed.std) < 0.002
          && $0.y.elements.min() == 3 && $0.y.elements.max() == 66
      })
  }
}
