import Foundation
import LabRandom
import LabTensors

/// Lines of handwriting, put together from EMNIST's characters and sentences of the Brown corpus.
///
/// ```swift
/// let data = try EMNISTLines(DataOptions(), .init(maxLength: 16, minOverlap: 0, maxOverlap: 0))
/// data.config.inputDims                        // [1, 28, 448]: 28·16 columns
/// data.string(of: data.train.labels(at: 0))    // "phase of"
/// ```
///
/// Training and validation lines are put together from EMNIST's training characters, test lines from
/// its test characters; see ``LineComposer`` for how. Labels that a line's text leaves are `<P>`.
public struct EMNISTLines: DataModule {
  public static let name = "EMNISTLines"

  public let options: DataOptions
  public var batchSize: Int { options.batchSize }
  public var workers: Int { options.workers }
  public var augmentation: RandomAffine? { options.augmentation }
  public var folder: DataFolder? { options.folder }
  public var specialTokens: [String] { EMNIST.specialTokens }
  /// What was chosen about the lines.
  public let parameters: Parameters
  public let config: DataConfig
  public let isSynthetic: Bool
  public let sources: [String: String]
  public let train: Dataset
  public let val: Dataset
  public let test: Dataset
  private let origin: String

  private static let partNames = ["train", "val", "test"]

  /// What the files are made from.
  private struct Recipe: Codable, Equatable {
    let version: Int
    let parameters: Parameters
    let characters: CharacterFiles.Recipe
    let sentences: [String: String]
  }

  public init(_ options: DataOptions = DataOptions()) throws {
    try self.init(options, Parameters())
  }

  /// Prepares EMNIST, the corpus and the lines if need be, and maps the lines into memory.
  ///
  /// - Parameters:
  ///   - options: Where images and sentences come from, and how they are batched.
  ///   - parameters: What the lines are to be like.
  /// - Throws: ``DataError`` if there can be no such lines, or EMNIST or the corpus cannot be had.
  public init(_ options: DataOptions, _ parameters: Parameters) throws {
    try options.validate()
    try parameters.validate()
    self.options = options
    self.parameters = parameters
    let emnist = try EMNIST(options)
    let sentences = try SentenceGenerator(options)
    isSynthetic = emnist.isSynthetic || sentences.isSynthetic
    sources = emnist.sources.merging(sentences.sources) { first, _ in first }
    origin = [
      emnist.isSynthetic ? syntheticHandwriting : nil,
      sentences.isSynthetic ? SentenceGenerator.syntheticText : nil,
    ].compactMap { $0 }.joined(separator: ", ")
    let config = DataConfig(
      inputDims: [1, CharacterFiles.side, CharacterFiles.side * parameters.maxLength],
      outputDims: [parameters.maxLength, 1], mapping: emnist.mapping)
    self.config = config

    let folder = PreparedFolder(
      url: options.folder.processed(
        "emnist-lines/\(parameters.folderName)\(isSynthetic ? "-synthetic" : "")"),
      recipe: Recipe(
        version: 1, parameters: parameters, characters: emnist.files.recipe,
        sentences: sentences.sources))
    let files = Self.partNames.map { part in
      DatasetFiles(
        part: part, in: folder.url, imageShape: Array(config.inputDims.dropFirst()),
        labelShape: [parameters.maxLength], classes: emnist.mapping.count)
    }
    let parts = try folder.prepare(
      Self.name, report: options.report, load: { try files.map { try $0.load() } },
      sizes: { Dictionary(uniqueKeysWithValues: zip(Self.partNames, $0.map(\.count))) },
      make: {
        options.report("putting \(parameters.count) lines together for EMNISTLines, once")
        try Self.make(files, emnist, sentences, parameters)
      })
    (train, val, test) = (parts[0], parts[1], parts[2])
  }

  /// The course's description: parameters, sizes, and the statistics of one shuffled training batch.
  public var description: String {
    description(
      "EMNIST Lines", origin: origin,
      [
        String(format: "Min overlap: %g", parameters.minOverlap),
        String(format: "Max overlap: %g", parameters.maxOverlap),
        "Num classes: \(mapping.count)",
        "Dims: \(pythonTuple(config.inputDims))",
        "Output dims: \(pythonTuple(config.outputDims))",
      ])
  }
}

extension EMNISTLines {
  /// Writes all three parts' files; their draws follow one another.
  private static func make(
    _ files: [DatasetFiles], _ emnist: EMNIST, _ sentences: SentenceGenerator,
    _ parameters: Parameters
  ) throws {
    var random =
      switch parameters.randomStart {
      case .stored: RandomState(seed: 42)
      case .walkthrough: try emnist.randomStateAfterBalancing()
      }
    let composers = [emnist.trainval, emnist.test].map {
      LineComposer(sentences, parameters, characters: $0, mapping: emnist.mapping)
    }
    let counts = [parameters.numTrain, parameters.numVal, parameters.numTest]
    let width = CharacterFiles.side * parameters.maxLength
    let encoder = LabelEncoder(mapping: emnist.mapping, parameters)
    let composersOfParts = [composers[0], composers[0], composers[1]]
    // All draws come before the first file: should they fail, there is none.
    let lines = try zip(counts, composersOfParts).map { count, composer in
      try (0..<count).map { _ in try composer.draw(using: &random) }
    }
    for ((files, lines), composer) in zip(zip(files, lines), composersOfParts) {
      try write(
        lines, composer, shape: [lines.count, CharacterFiles.side, width], to: files.images)
      try IDX.write(
        lines.flatMap { encoder.labels($0.sentence) }, shape: [lines.count, parameters.maxLength],
        to: files.labels)
    }
  }

  private static func write(
    _ lines: [LineComposer.Line], _ composer: LineComposer, shape: [Int], to file: URL
  ) throws {
    let lineBytes = shape.dropFirst().reduce(1, *)
    // So few at a time that they are still in the processor's cache when they are written.
    let linesAtOnce = max(1, 1 << 17 / lineBytes)
    try IDX.write(shape: shape, to: file) { file in
      try file.write(
        pieces: (lines.count + linesAtOnce - 1) / linesAtOnce, ofSize: linesAtOnce * lineBytes
      ) { piece in
        let start = piece * linesAtOnce
        return composer.pixels(of: lines[start..<min(lines.count, start + linesAtOnce)])
      }
    }
  }
}

/// Turns sentences into labels.
private struct LabelEncoder {
  private let labelByCode: [UInt8: UInt8]
  private let start, end: [UInt8]
  private let padding: UInt8
  private let length: Int

  init(mapping: [String], _ parameters: EMNISTLines.Parameters) {
    func label(_ token: String) -> UInt8 {
      UInt8(mapping.firstIndex(of: token) ?? 0)
    }
    labelByCode = Dictionary(
      mapping.filter { $0.utf8.count == 1 }.map { ($0.utf8.first ?? 0, label($0)) },
      uniquingKeysWith: { first, _ in first })
    start = parameters.withStartEndTokens ? [label("<S>")] : []
    end = parameters.withStartEndTokens ? [label("<E>")] : []
    padding = label("<P>")
    length = parameters.maxLength
  }

  func labels(_ sentence: ArraySlice<UInt8>) -> [UInt8] {
    let labels = start + sentence.compactMap { labelByCode[$0] } + end
    return labels + [UInt8](repeating: padding, count: length - labels.count)
  }
}

extension EMNISTLines.Parameters {
  /// The number of all lines.
  fileprivate var count: Int { numTrain + numVal + numTest }
}

extension EMNISTLines {
  /// What can be chosen about the lines; files are kept for each choice.
  public struct Parameters: Codable, Equatable, Sendable {
    /// The number of places for characters in a line.
    public var maxLength: Int
    /// The least share of its width by which a character reaches into the one before.
    public var minOverlap: Double
    /// The greatest share of its width by which a character reaches into the one before.
    public var maxOverlap: Double
    /// The number of lines to learn from.
    public var numTrain: Int
    /// The number of lines to watch.
    public var numVal: Int
    /// The number of lines to test on.
    public var numTest: Int
    /// Whether a line's labels begin with `<S>` and end with `<E>`.
    public var withStartEndTokens: Bool
    /// Where the draws start.
    public var randomStart: RandomStart

    /// The course's parameters, with its defaults.
    public init(
      maxLength: Int = 32, minOverlap: Double = 0, maxOverlap: Double = 0.33,
      numTrain: Int = 10_000, numVal: Int = 2_000, numTest: Int = 2_000,
      withStartEndTokens: Bool = false, randomStart: RandomStart = .stored
    ) {
      self.maxLength = maxLength
      self.minOverlap = minOverlap
      self.maxOverlap = maxOverlap
      self.numTrain = numTrain
      self.numVal = numVal
      self.numTest = numTest
      self.withStartEndTokens = withStartEndTokens
      self.randomStart = randomStart
    }
  }

  /// Where NumPy's random numbers stand when the first line is drawn.
  ///
  /// The course seeds NumPy before it makes its lines, but preparing EMNIST draws from the same
  /// numbers: which lines come out depends on whether EMNIST had been prepared before.
  public enum RandomStart: String, Codable, CaseIterable, Sendable {
    /// At seed 42, as in the course's stored notebook: "phase of", "jobs Each of", "New".
    case stored
    /// Behind the numbers that balance EMNIST's test images, as in the written walkthrough: "it
    /// force", "at this years", "the".
    case walkthrough
  }
}

extension EMNISTLines.Parameters {
  /// The places of a line that its sentence leaves free: the course keeps them for `<S>` and `<E>`,
  /// asked for or not.
  static let reservedPlaces = 2

  /// The number of characters that a line's sentence may have, with a space behind each word.
  var maxSentenceLength: Int { maxLength - Self.reservedPlaces }

  /// Refuses what no lines can be made with.
  ///
  /// - Throws: ``DataError`` that names the parameter.
  public func validate() throws {
    // Even the shortest word has a letter, and the space behind it.
    let lengths = Self.reservedPlaces + 2...1_000
    guard lengths.contains(maxLength) else {
      throw DataError(
        .unusable,
        "max_length: expected \(lengths.lowerBound) to \(lengths.upperBound), got \(maxLength)")
    }
    for (name, overlap) in [("min_overlap", minOverlap), ("max_overlap", maxOverlap)] {
      guard (0...1).contains(overlap) else {
        throw DataError(.unusable, "\(name): expected a number from 0 to 1, got \(overlap)")
      }
    }
    guard minOverlap <= maxOverlap else {
      throw DataError(
        .unusable,
        "min_overlap: expected at most max_overlap, which is \(maxOverlap), got \(minOverlap)")
    }
    let counts = 1...1_000_000
    for (name, count) in [("num_train", numTrain), ("num_val", numVal), ("num_test", numTest)] {
      guard counts.contains(count) else {
        throw DataError(
          .unusable,
          "\(name): expected \(counts.lowerBound) to \(counts.upperBound), got \(count)")
      }
    }
  }

  /// A folder's name for these parameters.
  var folderName: String {
    let tokens = withStartEndTokens ? "-tokens" : ""
    return "length-\(maxLength)-overlap-\(minOverlap)-\(maxOverlap)"
      + "-lines-\(numTrain)-\(numVal)-\(numTest)\(tokens)-\(randomStart)"
  }
}
