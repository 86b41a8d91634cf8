import LabData
import LabDatasets
import LabModels
import LabTensors
import LabText

/// Reads the lines of a page of handwriting with a network for lines.
///
/// ```swift
/// let reader = try PageReader(CheckpointedModel(URL(filePath: "last.safetensors")), named: "last")
/// let page = try PagePicture(contentsOf: URL(filePath: "page.jpg"))
/// for line in try reader.read(page) { print(line.text, line.confidence) }
/// ```
///
/// Lines that are longer than those that the network was trained on are divided between words.
public struct PageReader {
  /// The log-probabilities of a batch of lines.
  ///
  /// | | shape |
  /// | --- | --- |
  /// | x | N × 1 × 28 × W, the lines: white on black |
  public typealias Network = (_ x: Tensor) throws -> [LogProbabilities]
  /// The labels of each line with their steps, the blank left out.
  public typealias Decoder = (_ lines: [LogProbabilities]) throws -> [[ReadLabel]]

  /// The width of the lines that the network is given.
  public let width: Int
  /// The windows of a line that the network has a step for.
  public let window: LineWindow
  /// The text of each class.
  public let mapping: [String]
  /// Finds the labels.
  public var decoder: Decoder
  private let network: Network
  private let special: Set<Int>

  /// The number of lines in a batch.
  private static let batchSize = 32

  /// - Parameters:
  ///   - width: The width of the lines that the network is given.
  ///   - window: The windows of a line that the network has a step for.
  ///   - mapping: The text of each class.
  ///   - specialTokens: The texts of classes that are not characters; the first class is CTC's blank.
  ///   - network: The network.
  public init(
    width: Int, window: LineWindow, mapping: [String], specialTokens: [String],
    network: @escaping Network
  ) {
    (self.width, self.window, self.mapping) = (width, window, mapping)
    self.network = network
    special = Set(mapping.indices.filter { specialTokens.contains(mapping[$0]) })
    decoder = { lines in lines.map { greedyDecode($0) } }
  }

  /// Reads the lines of a page.
  ///
  /// - Throws: What the network throws, or ``DataError`` if its output has another number of lines or
  ///   classes, or is NaN.
  public func read(_ page: PagePicture) throws -> [ReadLine] {
    let parts = page.lines.enumerated().flatMap { number, line in
      line.parts(most: width).map { (number: number, part: $0) }
    }
    var lines = page.lines.map { ReadLine($0) }
    for start in stride(from: 0, to: parts.count, by: Self.batchSize) {
      let batch = parts[start..<min(parts.count, start + Self.batchSize)]
      let pixels = batch.flatMap { page.lines[$0.number].pixels(of: $0.part, width: width) }
      let x = Tensor(pixels, shape: [batch.count, 1, PageLine.height, width])
      let probabilities = try network(x)
      guard probabilities.count == batch.count,
        probabilities.allSatisfy({ $0.classes == mapping.count })
      else {
        throw DataError(
          .unusable,
          "PageReader: expected log-probabilities of \(batch.count) lines and \(mapping.count) "
            + "classes, got \(probabilities.count) lines"
            + (probabilities.first.map { " and \($0.classes) classes" } ?? ""))
      }
      guard probabilities.allSatisfy({ $0.values.allSatisfy { !$0.isNaN } }) else {
        throw DataError(
          .damaged,
          "PageReader: expected log-probabilities that are numbers, got others; the weights are too large, as those "
            + "of a training that diverged")
      }
      for ((number, part), labels) in zip(batch, try decoder(probabilities)) {
        lines[number].append(labels.filter { !special.contains($0.label) }, of: part, self)
      }
    }
    return lines
  }
}

/// A character that was read in a line of a page.
public struct ReadCharacter: Equatable, Sendable {
  /// The character.
  public let text: String
  /// Where in the line's image the network saw it.
  public let columns: Range<Double>
  /// Its largest probability, from 0 to 1; 1 for a space between parts of the line.
  public let confidence: Float
}

/// What was read in a line of a page.
public struct ReadLine: Sendable {
  /// The line.
  public let line: PageLine
  /// The characters, without spaces at the beginning and the end.
  public private(set) var characters: [ReadCharacter] = []

  init(_ line: PageLine) {
    self.line = line
  }

  /// The text.
  public var text: String { characters.map(\.text).joined() }

  /// The mean of the characters' confidences; 0 without any.
  public var confidence: Float {
    characters.isEmpty
      ? 0 : characters.reduce(0) { $0 + $1.confidence } / Float(characters.count)
  }

  /// Adds what was read in a part.
  fileprivate mutating func append(
    _ labels: [ReadLabel], of part: PageLine.Part, _ reader: PageReader
  ) {
    let first = Double(part.columns.lowerBound)
    var found = labels.map { label in
      // A step looks at its whole window; it stands for the middle.
      let margin = Double(reader.window.width - reader.window.stride) / 2
      let start = Double(reader.window.columns(of: label.steps.lowerBound).lowerBound) + margin
      let width = Double(label.steps.count * reader.window.stride)
      return ReadCharacter(
        text: reader.mapping[label.label], columns: first + start..<first + start + width,
        confidence: label.confidence)
    }
    if part.startsWord, !characters.isEmpty {
      found.insert(ReadCharacter(text: " ", columns: first..<first + 1, confidence: 1), at: 0)
    }
    for character in found {
      let isDouble = character.text == " " && characters.last.map { $0.text == " " } ?? true
      if !isDouble { characters.append(character) }
    }
    // A part that begins a word adds a space before it.
    while characters.last?.text == " " { characters.removeLast() }
  }
}

extension PageReader {
  /// A reader with the network of a checkpoint.
  ///
  /// - Parameters:
  ///   - checkpoint: The checkpoint of a model for lines, trained with CTC.
  ///   - name: The checkpoint's name in messages.
  /// - Throws: ``DataError`` if the model does not read lines of 28 rows, or was not trained with CTC.
  public init(_ checkpoint: CheckpointedModel, named name: String) throws(DataError) {
    let dims = checkpoint.config.inputDims
    guard let model = checkpoint.model as? any LineModel,
      dims.count == 3, dims.prefix(2).elementsEqual([1, PageLine.height])
    else {
      throw DataError(
        .unusable,
        "\(name): expected a model that reads lines of \(PageLine.height) rows, such as LineCNN, got "
          + "\(checkpoint.configuration.modelClass) for images of "
          + dims.map(String.init).joined(separator: "×"))
    }
    guard checkpoint.loss ?? LossName.ctc.rawValue == LossName.ctc.rawValue else {
      throw DataError(
        .unusable,
        "\(name): expected a model that was trained with --loss=ctc, got one trained with "
          + "--loss=\(checkpoint.loss ?? "")")
    }
    self.init(
      width: dims[2], window: model.window, mapping: checkpoint.config.mapping,
      specialTokens: EMNIST.specialTokens
    ) { try LogProbabilities.lines(of: model($0.to(model.device))) }
  }
}
