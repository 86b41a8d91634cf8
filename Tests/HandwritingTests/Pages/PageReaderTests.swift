import DrawnPages
import Foundation
import ImageFiles
import Lab
import TestSupport
import Testing

/// A page is read with a network that knows two letters by their widths: "l" and "o".
struct PageReaderTests {
  private let folder: TemporaryFolder
  private let mapping = ["<B>", "<S>", "<E>", "<P>", "l", "o", " "]
  private let window = LineWindow(width: 8, stride: 4)

  init() throws {
    folder = try TemporaryFolder()
  }

  private func page(_ lines: [String], _ change: (inout PageStyle) -> Void = { _ in }) throws
    -> PagePicture
  {
    let style = PageStyle("a") {
      ($0.maxOverlap, $0.lineHeight) = (0, 40)
      change(&$0)
    }
    let drawn = DrawnPage(style, lines: lines, seed: 7) { character, _ in
      // A stroke or a ring.
      let image = (0..<784).map { index -> UInt8 in
        let (x, y) = (Double(index % 28) - 13.5, Double(index / 28) - 13.5)
        let distance =
          character == "l"
          ? max(abs(x) - 1.5, abs(y) - 10.5) : abs((x * x + y * y).squareRoot() - 10) - 1.5
        return UInt8(255 * min(max(0.5 - distance, 0), 1))
      }
      return character == " " ? nil : image
    }
    let file = folder.url.appending(path: "page.png")
    try Data(drawn.picture.encoded()).write(to: file)
    return try PagePicture(contentsOf: file)
  }

  /// The log-probabilities of each line: letters in the middle of ink, spaces in the middle of wide gaps.
  private func network(_ x: Tensor) throws -> [LogProbabilities] {
    let (width, pixels) = (x.shape[3], x.elements)
    let steps = (width - window.width) / window.stride + 1
    return try (0..<x.shape[0]).map { line in
      let hasInk = (0..<width).map { column in
        (0..<28).contains { pixels[(line * 28 + $0) * width + column] > 0.3 }
      }
      var labels = [Int](repeating: 0, count: steps)
      var start = 0
      for end in 1...width where end == width || hasInk[end] != hasInk[start] {
        let step = min(steps - 1, max(0, ((start + end) / 2 - window.width / 2) / window.stride))
        if hasInk[start] {
          labels[step] = end - start > 12 ? 5 : 4
        } else if end - start > 22, start > 0, end < width {
          labels[step] = 6
        }
        start = end
      }
      let values = labels.flatMap { label in
        mapping.indices.map { $0 == label ? Float(-0.1) : -5 }
      }
      return try LogProbabilities(values, classes: mapping.count)
    }
  }

  private func reader(width: Int = 896) -> PageReader {
    PageReader(
      width: width, window: window, mapping: mapping, specialTokens: ["<B>", "<S>", "<E>", "<P>"],
      network: network)
  }

  @Test func linesAreReadInOrder() throws {
    let lines = ["lol ool", "o", "llo lo looll", "oo ll oo ll oo"]
    for slant in [0.0, 3] {
      let read = try reader().read(page(lines) { $0.slant = slant })
      #expect(read.map(\.text) == lines)
      for line in read {
        #expect(abs(line.confidence - 0.905) < 1e-3)
        #expect(line.characters.count == line.text.count)
      }
    }
  }

  @Test func charactersAreWhereTheyWereWritten() throws {
    let read = try reader().read(page(["lo ol"]))
    let line = try #require(read.first)
    for character in line.characters {
      let middle = (character.columns.lowerBound + character.columns.upperBound) / 2
      let reach = character.text == " " ? 6 : 12
      let columns = max(0, Int(middle) - reach)..<min(line.line.width, Int(middle) + reach)
      let ink = columns.filter { column in
        (0..<28).contains { line.line.pixels[$0 * line.line.width + column] > 0.3 }
      }
      if character.text == " " {
        #expect(ink.isEmpty, "\(character)")
      } else {
        // Up to the rounding to steps, the character's columns are centered on its ink.
        let center = Double(ink.reduce(0, +)) / Double(max(1, ink.count)) + 0.5
        #expect(!ink.isEmpty && abs(center - middle) < 4, "\(character), ink at \(center)")
      }
    }
  }

  /// The width of the network's lines changes neither words nor spaces.
  @Test func longLinesAreReadInParts() throws {
    let text = "lol ool lo olo loll oo ll ol lolo oll"
    let page = try page([text])
    let line = try #require(page.lines.first)
    #expect(line.width > 800)
    for width in [2000, 896, 400, 200] {
      let read = try reader(width: width).read(page)
      #expect(read.map(\.text) == [text], "\(width)")
      let middles = read[0].characters.map(\.columns.lowerBound)
      #expect(middles == middles.sorted() && middles.allSatisfy { $0 < Double(line.width) })
    }
  }

  @Test func manyLinesAreReadInSeveralBatches() throws {
    let lines = (0..<40).map { $0.isMultiple(of: 3) ? "lo" : "ol" }
    #expect(try reader().read(page(lines) { $0.lineHeight = 34 }).map(\.text) == lines)
  }

  @Test func spacesAreSingle() throws {
    var reader = reader()
    reader.decoder = { lines in
      lines.map { _ in
        [6, 6, 4, 6, 6, 1, 5, 3, 6].enumerated().map {
          ReadLabel(label: $1, steps: $0..<$0 + 1, confidence: 0.5)
        }
      }
    }
    let read = try reader.read(page(["lo"]))
    #expect(read.map(\.text) == ["l o"])
    #expect(read.map(\.confidence) == [0.5])
    reader.decoder = { $0.map { _ in [] } }
    let empty = try reader.read(page(["lo"]))
    #expect(empty.map(\.text) == [""] && empty.map(\.confidence) == [0])
  }

  @Test func badNetworksAreOneLine() throws {
    let page = try page(["lo", "ol"])
    func read(_ output: @escaping () throws -> [LogProbabilities]) throws {
      _ = try PageReader(
        width: 896, window: window, mapping: mapping, specialTokens: [],
        network: { _ in try output() }
      ).read(page)
    }
    #expect(
      throws: DataError(
        .unusable,
        "PageReader: expected log-probabilities of 2 lines and 7 classes, got 1 lines and 3 classes"
      )
    ) {
      try read { [try LogProbabilities([0, 0, 0], classes: 3)] }
    }
    #expect(
      throws: DataError(
        .unusable, "PageReader: expected log-probabilities of 2 lines and 7 classes, got 0 lines")
    ) {
      try read { [] }
    }
    #expect(
      throws: DataError(
        .damaged,
        "PageReader: expected log-probabilities that are numbers, got others; the weights are too large, "
          + "as those of a training that diverged")
    ) {
      let values = [Float](repeating: .nan, count: 7)
      try read { try [0, 1].map { _ in try LogProbabilities(values, classes: 7) } }
    }
  }

  @Test func otherModelsAreOneLine() throws {
    let file = folder.url.appending(path: "mlp.safetensors")
    try Checkpoint.save(MLP(MNIST.dataConfig), to: file)
    let text =
      "mlp: expected a model that reads lines of 28 rows, such as LineCNN, got MLP for images of "
      + "1×28×28"
    #expect(throws: DataError(.unusable, text)) {
      _ = try PageReader(CheckpointedModel(file), named: "mlp")
    }
  }
}
