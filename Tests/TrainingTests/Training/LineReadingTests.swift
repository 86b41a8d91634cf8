import Foundation
import Lab
import TestSupport
import Testing

/// Metrics and predictions of lines. Labels: 0 is the blank, 3 the padding, from 4 on characters.
struct LineReadingTests {
  private let special: Set<Int> = [0, 1, 2, 3]

  /// Logits that are 5 for one class at each step, and 0 for the others.
  private func logits(_ lines: [[Int]], classes: Int = 8) -> Tensor {
    let steps = lines[0].count
    var elements = [Float](repeating: 0, count: lines.count * classes * steps)
    for (line, best) in lines.enumerated() {
      for (step, label) in best.enumerated() {
        elements[(line * classes + label) * steps + step] = 5
      }
    }
    return Tensor(elements, shape: [lines.count, classes, steps])
  }

  private func batch(_ labels: [[Int]]) -> Batch {
    Batch(
      x: Tensor(repeating: 0, shape: [labels.count, 1, 1, 1]),
      y: IntTensor(labels.flatMap { $0 }, shape: [labels.count, labels[0].count]))
  }

  /// Lines "ab" (read as "aab") and "abcd" (read as "acd"): one edit each.
  @Test func ctcCountsEditsOfTheCollapsedText() throws {
    let reading = LineReading(.ctc, padding: 3, special: special)
    let output = logits([[4, 4, 0, 4, 5, 0], [4, 0, 6, 6, 7, 7]])
    let batch = batch([[4, 5, 3, 3], [4, 5, 6, 7]])
    let score = try reading.score(output, batch)
    #expect(score.metrics.map(\.name) == ["acc", "cer", "line_cer"])
    // [4, 4, 5, 3] has two labels right, [4, 6, 7, 3] one.
    #expect(score.metrics[0].sum.item == 3 && score.metrics[0].count == 8)
    #expect(score.metrics[1].sum.item == 2 && score.metrics[1].count == 6)
    #expect(abs(score.metrics[2].sum.item - (1.0 / 3 + 1.0 / 4)) < 1e-6)
    #expect(score.metrics[2].count == 2)
    let expected = try ctcLoss(
      logSoftmax(permute(output, order: [2, 0, 1])), batch.y, inputLengths: [6, 6],
      targetLengths: [2, 4], blank: 0, zeroInfinity: true)
    #expect(score.loss == expected)
  }

  @Test func ctcPredictionsSayWhereCharactersWereRead() throws {
    let reading = LineReading(.ctc, padding: 3, special: special)
    let output = logits([[4, 4, 0, 4, 5, 3], [0, 0, 6, 6, 7, 2]])
    let lines = try reading.predictions(output, batch([[4, 5, 3, 3], [6, 7, 3, 3]]), from: 10)
    #expect(lines.map(\.position) == [10, 11])
    #expect(lines.map(\.labels) == [[4, 5], [6, 7]])
    #expect(lines.map(\.predicted) == [[4, 4, 5], [6, 7]])
    #expect(lines.map(\.starts) == [[0, 3, 4], [2, 4]])
    #expect(lines.map(\.ends) == [[2, 4, 5], [4, 5]])
    let confidence = exp(Float(5)) / (exp(Float(5)) + 7)
    #expect(lines[0].confidences.allSatisfy { abs($0 - confidence) < 1e-5 })
    #expect(lines.map(\.edits) == [1, 0])
    #expect(lines.map(\.errorRate) == [1.0 / 3, 0])
    let decoded = try JSONDecoder().decode(
      [LinePrediction].self, from: JSONEncoder().encode(lines))
    #expect(decoded == lines)
  }

  @Test func crossEntropyTakesEachStepAsALabel() throws {
    let reading = LineReading(.crossEntropy, padding: 3, special: special)
    let output = logits([[4, 4, 3, 3]])
    let score = try reading.score(output, batch([[4, 5, 3, 3]]))
    #expect(score.metrics[0].sum.item == 3 && score.metrics[0].count == 4)
    #expect(score.metrics[1].sum.item == 1 && score.metrics[1].count == 2)
    let rows = try reshape(permute(output, order: [0, 2, 1]), to: [4, 8])
    #expect(score.loss == (try crossEntropy(rows, IntTensor([4, 5, 3, 3]))))
  }

  @Test func trainingStepsDoNotDecode() throws {
    let tape = Tape()
    let reading = LineReading(.ctc, padding: 3, special: special)
    let output = tape.variable(logits([[4, 0, 5, 0]]))
    #expect(try reading.score(output, batch([[4, 5, 3]])).metrics.isEmpty)
  }

  @Test func emptyLinesAreNoDivisionByZero() throws {
    let reading = LineReading(.ctc, padding: 3, special: special)
    let lines = try reading.predictions(
      logits([[0, 0], [4, 0]]), batch([[3, 3], [3, 3]]), from: 0)
    #expect(lines.map(\.errorRate) == [0, 1])
  }

  @Test func tokensAreFoundInTheData() throws {
    try withTinyLines { data in
      let reading = LineReading(.ctc, data)
      #expect(reading.blank == 0 && reading.padding == 3)
      let lines = try reading.predictions(logits([[1, 2, 4, 3]]), batch([[1, 4, 2, 3]]), from: 0)
      #expect(lines[0].labels == [4] && lines[0].predicted == [4])
    }
  }

  /// Twice "ab" with half the probability of each of two paths; alone, no path has most of it.
  @Test func aSearchFindsTheMostProbableText() throws {
    var reading = LineReading(.ctc, padding: 3, special: special)
    // The probabilities of blank and "a" at two steps: greedily nothing is read, but P("a") is 0.64.
    var elements = [Float](repeating: -20, count: 8 * 2)
    (elements[0], elements[1], elements[8], elements[9]) = (log(0.6), log(0.6), log(0.4), log(0.4))
    let output = Tensor(elements, shape: [1, 8, 2])
    let batch = batch([[4, 3]])
    func read() throws -> LinePrediction { try reading.predictions(output, batch, from: 0)[0] }
    #expect(try read().predicted == [])
    reading.search = BeamSearch(mapping: ["", "<S>", "<E>", "<P>", "a", "b", "c", "d"])
    #expect(try read().predicted == [4])
    #expect(try read().starts.count == 1 && read().ends[0] - read().starts[0] == 1)
    #expect(try reading.score(output, batch).metrics[1].sum.item == 0)
    reading.search = BeamSearch(mapping: ["", "a"])
    expectShapeError(
      "LineReading: expected logits of the classes of the search, got 8 classes"
    ) { () throws(ShapeError) in try reading.predictions(output, batch, from: 0) }
  }

  /// A model whose logits are its input.
  private struct Echo: Layer {
    func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
      try reshape(x, to: [x.shape[0], x.shape[2], x.shape[3]])
    }
  }

  @Test func outputsAreThoseOfAllBatches() throws {
    let images = logits([[4, 0, 5], [6, 0, 7], [4, 0, 6]])
    let data = try Dataset(
      images: reshape(images, to: [3, 1, 8, 3]),
      labels: IntTensor([1, 4, 5, 4, 3, 3, 4, 6, 3], shape: [3, 3]))
    let reading = LineReading(.ctc, padding: 3, special: special)
    let (lines, labels) = try reading.outputs(of: Echo(), Batches(data, batchSize: 2))
    #expect(labels == [[4, 5], [4], [4, 6]])
    #expect(lines == (try LogProbabilities.lines(of: images)))
  }

  @Test func theWorstLinesComeFirst() throws {
    let reading = LineReading(.ctc, padding: 3, special: special)
    let output = logits([[4, 0, 5], [6, 0, 7], [4, 0, 6]])
    let batch = batch([[4, 5], [4, 5], [4, 5]])
    let results = Evaluation(
      metrics: Metrics(), predictions: try reading.predictions(output, batch, from: 0),
      mapping: [])
    #expect(results.worstLines(5).map(\.position) == [1, 2])
    #expect(results.worstLines(1).map(\.position) == [1])
  }

  @Test func messages() {
    let ctc = LineReading(.ctc, padding: 3, special: special)
    let steps = LineReading(.crossEntropy, padding: 3, special: special)
    func expect(
      _ text: String, _ reading: LineReading, _ output: Tensor, _ labels: [[Int]]
    ) {
      expectShapeError(text) { () throws(ShapeError) in
        try reading.score(output, batch(labels)).loss
      }
    }
    expect(
      "LineReading: expected 2 steps, as many as a line has labels, for the cross-entropy, got 3; "
        + "--limit_output_length leaves out the others; --loss=ctc takes any number",
      steps, logits([[4, 5, 6]]), [[4, 5]])
    expect(
      "LineReading: expected 3 steps, as many as a line has labels, for the cross-entropy, got 2; "
        + "use a smaller --window_stride",
      steps, logits([[4, 5]]), [[4, 5, 6]])
    expect(
      "LineReading: expected logits of shape [lines, classes, steps] for labels of shape "
        + "[lines, length], got [2, 8] and [1, 2]",
      ctc, pattern([2, 8]), [[4, 5]])
    expect(
      "LineReading: expected labels in 0..<8, the classes of the logits, got 8; the last layer's "
        + "size is the number of classes",
      ctc, logits([[4, 5, 6]]), [[4, 8]])
  }
}

/// Runs `body` with a few lines of synthetic handwriting.
private func withTinyLines(_ body: (EMNISTLines) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
  defer { try? FileManager.default.removeItem(at: folder) }
  let options = DataOptions(source: .synthetic, folder: DataFolder(folder), report: { _ in })
  try body(EMNISTLines(options, .init(maxLength: 16, numTrain: 4, numVal: 2, numTest: 2)))
}
