import Foundation
import LabData
import LabNetworks
import LabTensors
import LabText

/// Trains a model to read lines.
///
/// | | shape |
/// | --- | --- |
/// | output | N × classes × S steps: logits |
/// | labels | N × L integers in `0..<classes`, filled up with the padding's label |
///
/// | metric | |
/// | --- | --- |
/// | `loss` | see ``Criterion`` |
/// | `acc` | the fraction of the N · L labels that were predicted, padding included |
/// | `cer` | the character error rate: all edits divided by all characters of the text |
/// | `line_cer` | the mean over lines of ``LinePrediction/errorRate`` |
///
/// Edits are insertions, deletions and substitutions of characters, without special tokens. `cer` is
/// what is usually reported, `line_cer` is the course's. They are computed in validation and test.
///
/// ```swift
/// let data = try EMNISTLines()
/// let reading = LineReading(.ctc, data)
/// try trainer.fit(model, data, optimizer: Adam(model.parameters), objective: reading)
/// let results = try trainer.test(model, data, objective: reading)
/// results.metrics["cer"]
/// data.string(of: results.predictions[0].predicted)
/// ```
public struct LineReading: Objective, Sendable {
  /// What training minimises.
  public enum Criterion: Sendable {
    /// The mean of the cross-entropy over all labels; the model has as many steps as a line has labels.
    case crossEntropy
    /// Connectionist temporal classification: steps need not stand where characters are; see `ctcLoss`.
    case ctc
  }

  public let metricNames = ["loss", "acc", "cer", "line_cer"]
  /// What training minimises.
  public let criterion: Criterion
  /// The label of the blank of CTC.
  public let blank: Int
  /// The label that lines are filled up with; nil if all lines have the same length.
  public let padding: Int?
  /// Finds the text of each line in validation and test, for ``Criterion/ctc``; nil takes the most
  /// probable class of each step.
  public var search: BeamSearch?
  /// The labels that are not characters.
  private let special: Set<Int>

  /// - Parameters:
  ///   - criterion: What training minimises.
  ///   - data: The lines, in whose mapping `<B>` is the blank and `<P>` the padding.
  public init(_ criterion: Criterion, _ data: some DataModule) {
    let tokens = data.specialTokens
    self.init(
      criterion, blank: data.mapping.firstIndex(of: "<B>") ?? 0,
      padding: data.mapping.firstIndex(of: "<P>"),
      special: Set(data.mapping.indices.filter { tokens.contains(data.mapping[$0]) }))
  }

  /// - Parameters:
  ///   - criterion: What training minimises.
  ///   - blank: The label of the blank of CTC.
  ///   - padding: The label that lines are filled up with; nil if all lines have the same length.
  ///   - special: The labels that are not characters.
  public init(_ criterion: Criterion, blank: Int = 0, padding: Int?, special: Set<Int>) {
    (self.criterion, self.blank, self.padding) = (criterion, blank, padding)
    self.special = special
  }

  public func score(_ output: Tensor, _ batch: Batch) throws(ShapeError) -> BatchScore {
    try check(output, batch.y)
    let loss =
      switch criterion {
      case .crossEntropy: try crossEntropy(output, batch.y)
      case .ctc: try ctc(output, batch.y)
      }
    // Decoding waits for the output to be computed, which a training step does not.
    if output.tape != nil { return BatchScore(loss: loss, count: batch.count) }
    let length = batch.y.shape[1]
    var (correct, edits, characters, rates) = (0, 0, 0, 0.0)
    for (index, outputs) in try read(output).enumerated() {
      let labels = batch.y.elements[index * length..<(index + 1) * length]
      let filled = outputs.map(\.label) + repeatElement(padding ?? -1, count: length)
      correct += zip(labels, filled).count { $0 == $1 }
      let line = prediction(outputs, labels, position: index)
      edits += line.edits
      characters += line.labels.count
      rates += line.errorRate
    }
    return BatchScore(
      loss: loss, count: batch.count,
      metrics: [
        MetricSum("acc", sum: Tensor([Float(correct)]), count: batch.y.count),
        MetricSum("cer", sum: Tensor([Float(edits)]), count: characters),
        MetricSum("line_cer", sum: Tensor([Float(rates)]), count: batch.count),
      ])
  }

  public func predictions(
    _ output: Tensor, _ batch: Batch, from first: Int
  ) throws(ShapeError) -> [LinePrediction] {
    try check(output, batch.y)
    let length = batch.y.shape[1]
    return try read(output).enumerated().map { index, outputs in
      prediction(
        outputs, batch.y.elements[index * length..<(index + 1) * length], position: first + index)
    }
  }

  /// The labels that the outputs of each line stand for, special tokens included.
  func read(_ output: Tensor) throws(ShapeError) -> [[ReadLabel]] {
    let lines = try LogProbabilities.lines(of: output)
    if criterion == .ctc, let search {
      do {
        return zip(lines, try search.read(lines)).map { line, found in
          found.first.flatMap { locate($0.labels, in: line, blank: blank) } ?? []
        }
      } catch {
        throw ShapeError(
          "LineReading", expected: "logits of the classes of the search",
          got: "\(output.shape[1]) classes")
      }
    }
    return lines.map { line in
      switch criterion {
      case .ctc: greedyDecode(line, blank: blank)
      case .crossEntropy:
        line.best.enumerated().map { step, label in
          ReadLabel(label: label, steps: step..<step + 1, confidence: exp(line[step, label]))
        }
      }
    }
  }

  /// What the weights of a ``BeamSearch`` are chosen on: the log-probabilities of lines, and the labels
  /// of their text.
  ///
  /// ```swift
  /// let (lines, labels) = try reading.outputs(of: model, data.valBatches())
  /// reading.search = try search.choosingWeights(on: lines, labels: labels).best
  /// try trainer.test(model, data, objective: reading)
  /// ```
  ///
  /// - Parameters:
  ///   - model: The model; it computes off the tape, so that dropout is off.
  ///   - batches: The lines.
  /// - Throws: ``ShapeError`` if the model does not fit the lines.
  public func outputs(
    of model: some Layer, _ batches: Batches
  ) throws(ShapeError) -> (lines: [LogProbabilities], labels: [[Int]]) {
    var (lines, labels): ([LogProbabilities], [[Int]]) = ([], [])
    let device = model.device
    for batch in batches {
      let output = try model(batch.x.to(device))
      try check(output, batch.y)
      lines += try LogProbabilities.lines(of: output)
      let length = batch.y.shape[1]
      for line in 0..<batch.count {
        labels.append(
          batch.y.elements[line * length..<(line + 1) * length].filter { !special.contains($0) })
      }
    }
    return (lines, labels)
  }

  /// The characters among the outputs and labels of a line.
  private func prediction(
    _ outputs: [ReadLabel], _ labels: ArraySlice<Int>, position: Int
  ) -> LinePrediction {
    LinePrediction(
      position: position, labels: labels.filter { !special.contains($0) },
      outputs: outputs.filter { !special.contains($0.label) })
  }

  private func ctc(_ output: Tensor, _ labels: IntTensor) throws(ShapeError) -> Tensor {
    let (count, length) = (labels.shape[0], labels.shape[1])
    let lengths = (0..<count).map { line in
      let labels = labels.elements[line * length..<(line + 1) * length]
      return labels.firstIndex { $0 == padding }.map { $0 - line * length } ?? length
    }
    let steps = output.shape[2]
    return try ctcLoss(
      logSoftmax(permute(output, order: [2, 0, 1])), labels,
      inputLengths: [Int](repeating: steps, count: count), targetLengths: lengths, blank: blank,
      zeroInfinity: true)
  }

  private func check(_ output: Tensor, _ labels: IntTensor) throws(ShapeError) {
    guard labels.shape.count == 2, output.rank == 3, output.shape[0] == labels.shape[0] else {
      throw ShapeError(
        "LineReading",
        expected: "logits of shape [lines, classes, steps] for labels of shape [lines, length]",
        got: "\(output.shape) and \(labels.shape)")
    }
    guard criterion == .ctc || output.shape[2] == labels.shape[1] else {
      throw ShapeError(
        "LineReading",
        expected: "\(labels.shape[1]) steps, as many as a line has labels, for the cross-entropy",
        got: "\(output.shape[2])",
        hint: output.shape[2] > labels.shape[1]
          ? "--limit_output_length leaves out the others; --loss=ctc takes any number"
          : "use a smaller --window_stride")
    }
    let classes = output.shape[1]
    if let wrong = labels.elements.first(where: { !(0..<classes).contains($0) }) {
      throw ShapeError(
        "LineReading", expected: "labels in 0..<\(classes), the classes of the logits",
        got: "\(wrong)", hint: "the last layer's size is the number of classes")
    }
  }
}

/// What a model read in a line.
public struct LinePrediction: Equatable, Codable, Sendable {
  /// The line's index in the data set.
  public let position: Int
  /// The labels of the text, without special tokens.
  public let labels: [Int]
  /// The labels that were read, without special tokens.
  public let predicted: [Int]
  /// For each label that was read, the first step of the outputs that it was read from, and the step
  /// after the last one.
  public let starts, ends: [Int]
  /// For each label that was read, the largest probability that it had at one of its steps, in 0…1.
  public let confidences: [Float]

  init(position: Int, labels: [Int], outputs: [ReadLabel]) {
    (self.position, self.labels, predicted) = (position, labels, outputs.map(\.label))
    (starts, ends) = (outputs.map(\.steps.lowerBound), outputs.map(\.steps.upperBound))
    confidences = outputs.map(\.confidence)
  }

  /// The number of edits that turn what was read into the text; see ``editDistance(_:_:)``.
  public var edits: Int { editDistance(predicted, labels) }

  /// The edits divided by the length of the text or of what was read, whichever is longer; 0 if both
  /// are empty.
  public var errorRate: Double {
    let length = max(predicted.count, labels.count)
    return length == 0 ? 0 : Double(edits) / Double(length)
  }
}

extension Evaluation where Output == LinePrediction {
  /// The lines with the largest error rate, the worst first.
  ///
  /// - Parameter count: How many, at most.
  public func worstLines(_ count: Int) -> [LinePrediction] {
    let wrong = predictions.map { (line: $0, rate: $0.errorRate) }.filter { $0.rate > 0 }
      .sorted { ($1.rate, $0.line.position) < ($0.rate, $1.line.position) }
    return wrong.prefix(count).map(\.line)
  }
}
