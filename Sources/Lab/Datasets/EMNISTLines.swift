import Foundation
import LabData
import LabRandom
import LabTensors

/// EMNIST Lines: synthetic lines of handwriting, composed of EMNIST's characters and sentences of the
/// Brown corpus.
///
/// ```swift
/// let data = try EMNISTLines(DataOptions(), .init(maxLength: 16, minOverlap: 0, maxOverlap: 0))
/// data.config.inputDims                        // [1, 28, 448]: 28·16 columns
/// data.string(of: data.train.labels(at: 0))    // "phase of"
/// ```
///
/// Training and validation lines are composed of EMNIST's training characters, test lines of its test
/// characters; see `LineComposer`. Labels after the end of a line's text are `<P>`.
///
/// With ``Parameters/freshLines`` each epoch has other training lines, which are composed when a batch
/// needs them. Their sentences use no text of validation and test lines; see ``freshTrain``.
public struct EMNISTLines: DataModule {
  public static let name = "EMNISTLines"

  public let options: DataOptions
  public var batchSize: Int { options.batchSize }
  public var workers: Int { options.workers }
  public var augmentation: (any Augmentation)? { options.augmentation }
  public let fileFolders: [URL]
  public var specialTokens: [String] { EMNIST.specialTokens }
  /// The parameters of the lines.
  public let parameters: Parameters
  public let config: DataConfig
  public let isSynthetic: Bool
  public let sources: [String: String]
  public let train: Dataset
  public let val: Dataset
  public let test: Dataset
  public let freshTrain: FreshDataset?
  private let emnist: EMNIST
  package let sentences: SentenceGenerator
  /// What the prepared files are made from.
  let recipe: Recipe
  private let origin: String

  private static let partNames = ["train", "val", "test"]

  /// What the lines are made from.
  struct Recipe: Codable, Equatable {
    let version: Int
    let parameters: Parameters
    let characters: CharacterFiles.Recipe
    let sentences: [String: String]
  }

  public init(_ options: DataOptions = DataOptions()) throws {
    try self.init(options, Parameters())
  }

  /// Prepares EMNIST, the corpus and the lines if they are not there, and maps the lines into memory.
  ///
  /// - Parameters:
  ///   - options: The source of images and sentences, the batch size and so on.
  ///   - parameters: The parameters of the lines.
  /// - Throws: ``DataError`` if a parameter is out of range, or EMNIST or the corpus is not available.
  public init(_ options: DataOptions, _ parameters: Parameters) throws {
    try options.validate()
    try parameters.validate()
    self.options = options
    self.parameters = parameters
    let all = options.folder.processed("emnist-lines")
    let isPrepared = try [true, false].contains {
      let name = parameters.folderName(isSynthetic: $0)
      return try FileStatus.of(all.appending(path: "\(name)/contents.json")) != nil
    }
    // Before anything is downloaded for them.
    if !isPrepared { try parameters.requireRoom(in: all) }
    let emnist = try EMNIST(options)
    let sentences = try SentenceGenerator(options)
    (self.emnist, self.sentences) = (emnist, sentences)
    isSynthetic = emnist.isSynthetic || sentences.isSynthetic
    sources = emnist.sources.merging(sentences.sources) { first, _ in first }
      .merging(parameters.freshLines ? ["fresh lines": "1"] : [:]) { first, _ in first }
    origin = [
      emnist.isSynthetic ? syntheticHandwriting : nil,
      sentences.isSynthetic ? SentenceGenerator.syntheticText : nil,
    ].compactMap { $0 }.joined(separator: ", ")
    let config = DataConfig(
      inputDims: [1, CharacterFiles.side, CharacterFiles.side * parameters.maxLength],
      outputDims: [parameters.maxLength, 1], mapping: emnist.mapping)
    self.config = config

    let folder = PreparedFolder(
      url: all.appending(
        path: parameters.folderName(isSynthetic: isSynthetic),
        directoryHint: .isDirectory),
      recipe: Recipe(
        version: 1, parameters: parameters.stored, characters: emnist.files.recipe,
        sentences: sentences.sources))
    recipe = folder.recipe
    fileFolders = [folder.url]
    func files(in folder: URL) -> [DatasetFiles] {
      Self.partNames.map { part in
        DatasetFiles(
          part: part, in: folder, imageShape: Array(config.inputDims.dropFirst()),
          labelShape: [parameters.maxLength], classes: emnist.mapping.count)
      }
    }
    let parts = try folder.prepare(
      Self.name, report: options.report, files: files(in: folder.url).flatMap(\.names),
      load: { try files(in: $0).map { try $0.load() } },
      sizes: { Dictionary(uniqueKeysWithValues: zip(Self.partNames, $0.map(\.count))) },
      make: {
        options.report("composing \(parameters.count) lines for EMNISTLines, once")
        try parameters.requireRoom(in: all)
        try Self.make(files(in: $0), emnist, sentences, parameters)
      })
    (train, val, test) = (parts[0], parts[1], parts[2])
    freshTrain =
      parameters.freshLines
      ? try Self.freshTrain(emnist, sentences, parameters, config: config) : nil
  }

  /// The course's description: parameters, sizes, and the statistics of one shuffled training batch.
  public var description: String {
    description(
      "EMNIST Lines", origin: origin,
      [
        String(format: "Min overlap: %g", parameters.minOverlap),
        String(format: "Max overlap: %g", parameters.maxOverlap),
      ]
        + (parameters.varyCharacters ? ["Characters: another image for each one"] : [])
        + (parameters.freshLines ? ["Train lines: drawn anew in each epoch"] : []) + [
          "Num classes: \(mapping.count)",
          "Dims: \(pythonTuple(config.inputDims))",
          "Output dims: \(pythonTuple(config.outputDims))",
        ])
  }
}

extension EMNISTLines {
  /// Draws the lines of all three parts, which share one stream of random numbers.
  private static func draw(
    _ emnist: EMNIST, _ sentences: SentenceGenerator, _ parameters: Parameters
  ) throws -> [(lines: [LineComposer.Line], composer: LineComposer)] {
    var random =
      switch parameters.randomStart {
      case .stored: RandomState(seed: 42)
      case .walkthrough: try emnist.randomStateAfterBalancing()
      }
    let composers = [emnist.trainval, emnist.test].map {
      LineComposer(sentences, parameters, characters: $0, mapping: emnist.mapping)
    }
    let counts = [parameters.numTrain, parameters.numVal, parameters.numTest]
    return try zip(counts, [composers[0], composers[0], composers[1]]).map { count, composer in
      (try (0..<count).map { _ in try composer.draw(using: &random) }, composer)
    }
  }

  /// The texts of the lines of all three parts, whose offsets are those of the text they are from.
  ///
  /// - Throws: ``DataError`` if the lines cannot be drawn.
  package func sentencesOfParts() throws -> [[ArraySlice<UInt8>]] {
    try Self.sentencesOfParts(emnist, sentences, parameters)
  }

  private static func sentencesOfParts(
    _ emnist: EMNIST, _ sentences: SentenceGenerator, _ parameters: Parameters
  ) throws -> [[ArraySlice<UInt8>]] {
    try draw(emnist, sentences, parameters).map { $0.lines.map(\.sentence) }
  }

  /// The stretches of text that validation and test lines use. There are none if the text is
  /// synthetic: it is so short that the lines use all of it.
  package static func reservedStretches(
    _ parts: [[ArraySlice<UInt8>]], of sentences: SentenceGenerator
  ) -> TextStretches {
    TextStretches(
      sentences.isSynthetic
        ? [] : parts.dropFirst().joined().map { $0.startIndex..<$0.endIndex })
  }

  /// Training lines that are drawn from a seed: as the stored ones, but of sentences that use no text of
  /// validation and test lines.
  private static func freshTrain(
    _ emnist: EMNIST, _ sentences: SentenceGenerator, _ parameters: Parameters, config: DataConfig
  ) throws -> FreshDataset {
    let reserved = reservedStretches(
      try sentencesOfParts(emnist, sentences, parameters), of: sentences)
    let remaining = RemainingSentences(
      sentences, without: reserved, maxLength: parameters.maxSentenceLength)
    guard !remaining.isEmpty else {
      throw DataError(
        .unusable,
        "fresh_lines: expected text that no validation or test line uses, got none; use a smaller "
          + "num_val or num_test, or a larger max_length")
    }
    let composer = LineComposer(
      remaining, parameters, characters: emnist.trainval, mapping: emnist.mapping)
    let encoder = LabelEncoder(mapping: emnist.mapping, parameters)
    return try FreshDataset(
      count: parameters.numTrain, dims: config.inputDims, targetDims: [parameters.maxLength]
    ) { seed in
      var random = RandomState(seed: UInt32(truncatingIfNeeded: seed))
      let lines = (0..<parameters.numTrain).map { _ in
        composer.draw(remaining.bytes(using: &random), using: &random)
      }
      return FreshDataset.Images(
        labels: lines.flatMap { encoder.labels($0.sentence).map(Int.init) },
        bytes: { positions in composer.pixels(of: positions.map { lines[$0] }) })
    }
  }

  /// Writes the files of all three parts.
  private static func make(
    _ files: [DatasetFiles], _ emnist: EMNIST, _ sentences: SentenceGenerator,
    _ parameters: Parameters
  ) throws {
    let width = CharacterFiles.side * parameters.maxLength
    let encoder = LabelEncoder(mapping: emnist.mapping, parameters)
    // All lines are drawn before the first file is written, since drawing can fail.
    let parts = try draw(emnist, sentences, parameters)
    for (files, (lines, composer)) in zip(files, parts) {
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
    // Few enough lines to be in the processor's cache still when they are written.
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

/// Encodes sentences as labels.
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
  /// The number of lines in all three parts.
  fileprivate var count: Int { numTrain + numVal + numTest }

  /// Checks that the files fit on the disk, and the random choices for all lines into memory.
  ///
  /// - Throws: ``DataError`` if they do not.
  func requireRoom(in folder: URL) throws {
    let title = "\(count) lines of EMNISTLines with max_length \(maxLength)"
    let advice = "choose a smaller max_length, num_train, num_val or num_test"
    let side = CharacterFiles.side
    try requireSpace(
      count * (side * side + 1) * maxLength, in: folder, for: title, advice: advice)
    let perLine =
      MemoryLayout<LineComposer.Line>.stride + MemoryLayout<Int?>.stride * maxLength
    try requireMemory(
      count * perLine + max(numTrain, numVal, numTest) * maxLength, for: title, advice: advice)
  }
}

extension EMNISTLines {
  /// The parameters of the lines. Lines are stored separately for each choice of parameters.
  public struct Parameters: Codable, Equatable, Sendable {
    /// The number of labels of a line; an image has room for as many characters.
    public var maxLength: Int
    /// The smallest overlap of neighbouring characters, as a fraction of a character's width.
    public var minOverlap: Double
    /// The largest overlap of neighbouring characters, as a fraction of a character's width.
    public var maxOverlap: Double
    /// The number of training lines.
    public var numTrain: Int
    /// The number of validation lines.
    public var numVal: Int
    /// The number of test lines.
    public var numTest: Int
    /// Whether a line's labels begin with `<S>` and end with `<E>`.
    public var withStartEndTokens: Bool
    /// The state of the random numbers for the first line.
    public var randomStart: RandomStart
    /// Whether every character of a line has an image of its own; otherwise all e's of a line look the
    /// same, as in the course.
    public var varyCharacters: Bool
    /// Whether each epoch has other training lines. Those that are stored do not depend on it.
    public var freshLines: Bool

    /// Parameters with the course's defaults.
    public init(
      maxLength: Int = 32, minOverlap: Double = 0, maxOverlap: Double = 0.33,
      numTrain: Int = 10_000, numVal: Int = 2_000, numTest: Int = 2_000,
      withStartEndTokens: Bool = false, randomStart: RandomStart = .stored,
      varyCharacters: Bool = false, freshLines: Bool = false
    ) {
      self.maxLength = maxLength
      self.minOverlap = minOverlap
      self.maxOverlap = maxOverlap
      self.numTrain = numTrain
      self.numVal = numVal
      self.numTest = numTest
      self.withStartEndTokens = withStartEndTokens
      self.randomStart = randomStart
      self.varyCharacters = varyCharacters
      self.freshLines = freshLines
    }

    private enum CodingKeys: CodingKey {
      case maxLength, minOverlap, maxOverlap, numTrain, numVal, numTest, withStartEndTokens
      case randomStart, varyCharacters, freshLines
    }

    // Records of versions that had neither varied characters nor fresh lines stay as they are.

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      maxLength = try values.decode(Int.self, forKey: .maxLength)
      minOverlap = try values.decode(Double.self, forKey: .minOverlap)
      maxOverlap = try values.decode(Double.self, forKey: .maxOverlap)
      numTrain = try values.decode(Int.self, forKey: .numTrain)
      numVal = try values.decode(Int.self, forKey: .numVal)
      numTest = try values.decode(Int.self, forKey: .numTest)
      withStartEndTokens = try values.decode(Bool.self, forKey: .withStartEndTokens)
      randomStart = try values.decode(RandomStart.self, forKey: .randomStart)
      varyCharacters = try values.decodeIfPresent(Bool.self, forKey: .varyCharacters) ?? false
      freshLines = try values.decodeIfPresent(Bool.self, forKey: .freshLines) ?? false
    }

    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(maxLength, forKey: .maxLength)
      try values.encode(minOverlap, forKey: .minOverlap)
      try values.encode(maxOverlap, forKey: .maxOverlap)
      try values.encode(numTrain, forKey: .numTrain)
      try values.encode(numVal, forKey: .numVal)
      try values.encode(numTest, forKey: .numTest)
      try values.encode(withStartEndTokens, forKey: .withStartEndTokens)
      try values.encode(randomStart, forKey: .randomStart)
      if varyCharacters { try values.encode(varyCharacters, forKey: .varyCharacters) }
      if freshLines { try values.encode(freshLines, forKey: .freshLines) }
    }
  }

  /// The state of NumPy's random numbers when the first line is drawn.
  ///
  /// The course seeds NumPy before it makes its lines, but preparing EMNIST uses the same random
  /// numbers. So its lines depend on whether EMNIST was prepared in the same run.
  public enum RandomStart: String, Codable, CaseIterable, Sendable {
    /// Seed 42, as in the course's stored notebook: "phase of", "jobs Each of", "New".
    case stored
    /// After balancing EMNIST's test images, as in the written walkthrough: "it force", "at this
    /// years", "the".
    case walkthrough
  }
}

extension EMNISTLines.Parameters {
  /// The number of labels that the course reserves for `<S>` and `<E>`, whether they are used or not.
  static let reservedLabels = 2

  /// The largest number of characters of a line's sentence, with a space after each word.
  var maxSentenceLength: Int { maxLength - Self.reservedLabels }

  /// Checks the parameters.
  ///
  /// - Throws: ``DataError`` that names the parameter.
  public func validate() throws {
    // Even the shortest word has a letter and the space after it.
    let lengths = Self.reservedLabels + 2...1_000
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

  /// The parameters that what is stored depends on.
  var stored: Self {
    var stored = self
    stored.freshLines = false
    return stored
  }

  /// The name of the folder for these parameters.
  ///
  /// - Parameter isSynthetic: Whether images or text were made by this program.
  func folderName(isSynthetic: Bool) -> String {
    let tokens = withStartEndTokens ? "-tokens" : ""
    let varied = varyCharacters ? "-varied" : ""
    return "length-\(maxLength)-overlap-\(minOverlap)-\(maxOverlap)"
      + "-lines-\(numTrain)-\(numVal)-\(numTest)\(tokens)\(varied)-\(randomStart)"
      + (isSynthetic ? "-synthetic" : "")
  }
}
