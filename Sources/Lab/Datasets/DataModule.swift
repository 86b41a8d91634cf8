import LabRandom
import LabTensors

/// A data set as training uses it: three parts, and what their labels mean.
///
/// ```swift
/// let data = try EMNIST(DataOptions(batchSize: 128))
/// print(data)
/// for batch in data.trainBatches() { … }
/// ```
public protocol DataModule: Sendable, CustomStringConvertible {
  /// The data set's name, as `--data_class` takes it.
  static var name: String { get }

  /// Prepares the files if need be, and maps them into memory.
  ///
  /// - Throws: ``DataError`` if the data cannot be had.
  init(_ options: DataOptions) throws

  /// What was chosen.
  var options: DataOptions { get }
  /// What a model has to know.
  var config: DataConfig { get }
  /// Whether the images were drawn by this program.
  var isSynthetic: Bool { get }
  /// The files that the images were made from, by name, with what tells one version from another: a
  /// SHA-256 sum in most cases.
  var sources: [String: String] { get }
  /// The part to learn from.
  var train: Dataset { get }
  /// The part to watch the training with.
  var val: Dataset { get }
  /// The part to judge the result with.
  var test: Dataset { get }
}

extension DataModule {
  /// Data that are made from no files.
  public var sources: [String: String] { [:] }

  /// The text that each label stands for, by label.
  public var mapping: [String] { config.mapping }

  /// The text that labels stand for, without the signs for blank, start, end and padding.
  public func string(of labels: [Int]) -> String {
    labels.map { mapping[$0] }.filter { !EMNIST.specialTokens.contains($0) }.joined()
  }

  /// The mapping as the course prints it: `['<B>', '<S>', …]`.
  public var mappingText: String {
    "[\(mapping.map(pythonLiteral).joined(separator: ", "))]"
  }

  /// The training part's batches, each time in a new order, augmented if the options say so.
  public func trainBatches(shuffledBy generator: Generator = .shared) -> Batches {
    Batches(
      train, batchSize: options.batchSize, shuffledBy: generator,
      augmentedBy: options.augmentation, workers: options.workers)
  }

  /// The validation part's batches, in order.
  public func valBatches() -> Batches {
    Batches(val, batchSize: options.batchSize, workers: options.workers)
  }

  /// The test part's batches, in order.
  public func testBatches() -> Batches {
    Batches(test, batchSize: options.batchSize, workers: options.workers)
  }

  /// The course's description: classes, sizes, and the statistics of one shuffled training batch.
  ///
  /// That batch is drawn by a generator of its own, so that printing changes nothing that comes
  /// later.
  public var description: String {
    description(
      Self.name, origin: syntheticHandwriting,
      [
        "Num classes: \(mapping.count)",
        "Mapping: \(mappingText)",
        "Dims: \(pythonTuple(config.inputDims))",
      ])
  }

  /// A description in the course's form.
  ///
  /// - Parameters:
  ///   - title: What the data set is called.
  ///   - origin: What the program made itself; only read if it did.
  ///   - facts: The lines between the title and the sizes.
  func description(_ title: String, origin: String, _ facts: [String]) -> String {
    var lines = [isSynthetic ? "SYNTHETIC \(title) Dataset (\(origin))" : "\(title) Dataset"]
    lines += facts
    lines.append("Train/val/test sizes: \(train.count), \(val.count), \(test.count)")
    let batches = Batches(train, batchSize: options.batchSize, shuffledBy: Generator(seed: 42))
    if let batch = try? batches.first() {
      lines.append("Batch x stats: \(batch.x.statistics)")
      lines.append("Batch y stats: \(batch.y.statistics)")
    }
    return lines.joined(separator: "\n")
  }
}
