import Foundation
import Lab
import TestSupport
import Testing

@Suite struct EMNISTLinesTests {
  /// A data folder with a small EMNIST and a small corpus to download.
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try EMNISTFixture.install(in: folder)
    try BrownFixture.install(in: folder)
    return folder
  }

  private func options(_ folder: TemporaryFolder, _ lines: Lines = Lines()) -> DataOptions {
    DataOptions(source: .download, folder: folder.folder, report: lines.add)
  }

  private func small(
    maxLength: Int = 16, tokens: Bool = false, start: EMNISTLines.RandomStart = .stored
  ) -> EMNISTLines.Parameters {
    EMNISTLines.Parameters(
      maxLength: maxLength, numTrain: 30, numVal: 20, numTest: 10, withStartEndTokens: tokens,
      randomStart: start)
  }

  private func files(in folder: URL) throws -> Set<String> {
    Set(
      try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)))
  }

  private func strings(_ data: EMNISTLines, _ part: Dataset) -> [String] {
    (0..<part.count).map { data.string(of: part.labels(at: $0)) }
  }

  @Test func hasTheShapeOfTheCourse() throws {
    let folder = try folder()
    let data = try EMNISTLines(options(folder), small())
    #expect(data.config.inputDims == [1, 28, 448])
    #expect(data.config.outputDims == [16, 1])
    #expect(data.mapping.count == 83)
    #expect(data.sizes == [30, 20, 10])
    for folder in data.fileFolders {
      #expect(folder.path().contains("/processed/emnist-lines/"))
      #expect(try files(in: folder).isSuperset(of: ["train-images-idx3-ubyte", "contents.json"]))
    }
    let batch = try data.trainBatches().first()
    #expect(batch.x.shape == [30, 1, 28, 448])
    #expect(batch.y.shape == [30, 16])
    for part in [data.train, data.val, data.test] {
      for position in 0..<part.count {
        let labels = part.labels(at: position)
        let padding = labels.drop { $0 != 3 }
        // Two labels are reserved, and one is for the space after the last word.
        #expect(padding.count >= 3 && padding.allSatisfy { $0 == 3 })
      }
    }
  }

  // The fixture's images have one pixel, of value class + 1, at column 0 and row n % 28.
  @Test func pixelsBelongToTheLabels() throws {
    let folder = try folder()
    let parameters = EMNISTLines.Parameters(
      maxLength: 20, minOverlap: 0.25, maxOverlap: 0.25, numTrain: 50, numVal: 1, numTest: 50)
    let data = try EMNISTLines(options(folder), parameters)
    for part in [data.train, data.test] {
      for position in 0..<part.count {
        let image = part.batch(at: [position]).x.elements
        let seen = (0..<20).map { place in
          (0..<28).reduce(0) { $0 + image[$1 * 560 + place * 21] }
        }
        let expected = part.labels(at: position).map { (4..<66).contains($0) ? $0 - 3 : 0 }
        #expect(seen.map { Int(($0 * 255).rounded()) } == expected)
        #expect(image.count { $0 > 0 } == expected.count { $0 > 0 })
      }
    }
  }

  @Test func startAndEndTokensSurroundTheText() throws {
    let folder = try folder()
    let plain = try EMNISTLines(options(folder), small())
    let marked = try EMNISTLines(options(folder), small(tokens: true))
    for position in 0..<plain.train.count {
      let text = plain.train.labels(at: position).filter { $0 != 3 }
      let labels = marked.train.labels(at: position)
      #expect(labels == [1] + text + [2] + [Int](repeating: 3, count: 14 - text.count))
      #expect(plain.train[image: position] == marked.train[image: position])
    }
    #expect(strings(plain, plain.test) == strings(marked, marked.test))
  }

  @Test func partsShareOneStreamOfRandomNumbers() throws {
    let folder = try folder()
    let data = try EMNISTLines(options(folder), small())
    let longer = try EMNISTLines(
      options(folder),
      EMNISTLines.Parameters(maxLength: 16, numTrain: 50, numVal: 1, numTest: 1))
    // Validation lines are drawn from the training characters, so they are the next training lines.
    #expect(
      strings(longer, longer.train) == strings(data, data.train) + strings(data, data.val))
    for position in 0..<20 {
      #expect(longer.train[image: 30 + position] == data.val[image: position])
    }
  }

  // np.random.seed(42); y = the fixture's test labels + 4; n = int(np.bincount(y).mean())
  // for l in np.unique(y): np.random.choice(np.where(y == l)[0], n)
  // np.random.randint(2**32)
  @Test func theWalkthroughStartsAfterBalancing() throws {
    let folder = try folder()
    let emnist = try EMNIST(options(folder))
    let balanced = try emnist.randomStateAfterBalancing()
    var copy = balanced
    #expect(copy.integer(below: 1 << 32) == 1_734_463_155)
    let sentences = try SentenceGenerator(options(folder))
    for start in EMNISTLines.RandomStart.allCases {
      var random = start == .stored ? RandomState(seed: 42) : balanced
      let first = try sentences.generate(maxLength: 14, using: &random)
      // The lines do not depend on whether EMNIST was prepared before.
      for _ in 0..<2 {
        let data = try EMNISTLines(options(folder), small(start: start))
        #expect(strings(data, data.train).first == first)
        try FileManager.default.removeItem(
          at: folder.url.appending(path: "processed/emnist-lines"))
        try FileManager.default.removeItem(at: folder.url.appending(path: "processed/emnist"))
      }
    }
  }

  @Test func all14000LinesAreReproducible() throws {
    let (one, other) = (try folder(), try folder())
    let first = try EMNISTLines(options(one))
    let second = try EMNISTLines(options(other))
    #expect(first.sizes == [10_000, 2_000, 2_000])
    #expect(second.sizes == [10_000, 2_000, 2_000])
    let name = "length-32-overlap-0.0-0.33-lines-10000-2000-2000-stored"
    #expect(try one.names(in: "processed/emnist-lines") == [name])
    let files = try one.names(in: "processed/emnist-lines/\(name)")
    #expect(
      files == [
        ".lock", "contents.json", "test-images-idx3-ubyte", "test-labels-idx2-ubyte",
        "train-images-idx3-ubyte", "train-labels-idx2-ubyte", "val-images-idx3-ubyte",
        "val-labels-idx2-ubyte",
      ])
    for file in files {
      let path = "processed/emnist-lines/\(name)/\(file)"
      #expect(try one.read(path) == other.read(path), "\(file)")
    }
    // Constant bytes would be the same, too.
    #expect(Set(strings(first, first.train)).count > 100)
    #expect(first.train[image: 0] != first.train[image: 1])
  }

  @Test func linesAreMadeOnceForEachChoiceOfParameters() throws {
    let folder = try folder()
    let lines = Lines()
    for parameters in [small(), small(maxLength: 20), small(), small(maxLength: 20)] {
      _ = try EMNISTLines(options(folder, lines), parameters)
    }
    #expect(
      lines.all.filter { $0.hasPrefix("composing") }
        == [String](repeating: "composing 60 lines for EMNISTLines, once", count: 2))
  }

  @Test func linesOfAnotherCorpusAreMadeAgain() throws {
    let folder = try folder()
    let lines = Lines()
    _ = try EMNISTLines(options(folder), small())
    try BrownFixture.install(in: folder, bytes: BrownFixture.zip + Data("\n".utf8))
    _ = try EMNISTLines(options(folder, lines), small())
    #expect(lines.all.last == "composing 60 lines for EMNISTLines, once")
  }

  @Test func printsTheTextOfTheCourse() throws {
    let folder = try folder()
    let data = try EMNISTLines(options(folder), small())
    let lines = data.description.split(separator: "\n").map(String.init)
    #expect(
      lines.prefix(7) == [
        "EMNIST Lines Dataset", "Min overlap: 0", "Max overlap: 0.33", "Num classes: 83",
        "Dims: (1, 28, 448)", "Output dims: (16, 1)", "Train/val/test sizes: 30, 20, 10",
      ])
    #expect(lines[7].hasPrefix("Batch x stats: shape (30, 1, 28, 448), type float32, min 0.0000"))
    #expect(lines[8].hasPrefix("Batch y stats: shape (30, 16), type int64, min 3, max 66"))
    #expect(lines.count == 9)
  }

  @Test func syntheticPartsAreNamed() throws {
    let folder = try TemporaryFolder()
    try EMNISTFixture.install(in: folder)
    try CorpusFixture.makeUnavailable(in: folder)
    let data = try EMNISTLines(
      DataOptions(folder: folder.folder, report: Lines().add), small())
    #expect(data.isSynthetic)
    #expect(
      data.description.hasPrefix(
        "SYNTHETIC EMNIST Lines Dataset (text written for this program)\n"))
    #expect(
      try folder.names(in: "processed/emnist-lines")
        == ["length-16-overlap-0.0-0.33-lines-30-20-10-stored-synthetic"])
  }

  @Test(arguments: [
    (EMNISTLines.Parameters(maxLength: 3), "max_length: expected 4 to 1000, got 3"),
    (.init(maxLength: .max), "max_length: expected 4 to 1000, got 9223372036854775807"),
    (.init(minOverlap: -0.1), "min_overlap: expected a number from 0 to 1, got -0.1"),
    (.init(maxOverlap: 1.01), "max_overlap: expected a number from 0 to 1, got 1.01"),
    (.init(maxOverlap: .nan), "max_overlap: expected a number from 0 to 1, got nan"),
    (
      .init(minOverlap: 0.4), "min_overlap: expected at most max_overlap, which is 0.33, got 0.4"
    ),
    (.init(numTrain: 0), "num_train: expected 1 to 1000000, got 0"),
    (.init(numVal: -1), "num_val: expected 1 to 1000000, got -1"),
    (.init(numTest: 1_000_001), "num_test: expected 1 to 1000000, got 1000001"),
  ])
  func refusesParameters(parameters: EMNISTLines.Parameters, message: String) throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: DataError.self) { try EMNISTLines(options(folder), parameters) }
    #expect(error?.description == message)
  }

  @Test func refusesWhatCannotFitBeforeAnythingIsDownloaded() throws {
    let folder = try folder()
    let error = #expect(throws: DataError.self) {
      try EMNISTLines(
        options(folder),
        .init(maxLength: 1000, numTrain: 1_000_000, numVal: 1_000_000, numTest: 1_000_000))
    }
    #expect(error?.kind == .unusable)
    #expect(
      error?.description.contains("3000000 lines of EMNISTLines with max_length 1000: ") == true)
    #expect(
      error?.description.hasSuffix(
        "; choose a smaller max_length, num_train, num_val or num_test") == true)
    #expect(!folder.exists("downloaded") && !folder.exists("processed"))
  }

  @Test func refusesALengthBelowAllWords() throws {
    let folder = try folder()
    let error = #expect(throws: DataError.self) {
      try EMNISTLines(options(folder), small(maxLength: 5))
    }
    #expect(
      error?.description
        == "10 words were drawn, and none has fewer than 3 characters; use a larger max_length")
    let name = try #require(folder.names(in: "processed/emnist-lines").first)
    #expect(try folder.names(in: "processed/emnist-lines/\(name)") == [".lock"])
  }
}

extension Dataset {
  /// The pixels of an image.
  fileprivate subscript(image position: Int) -> [Float] { batch(at: [position]).x.elements }
}
