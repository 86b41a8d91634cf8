import Foundation
import LabRandom
import LabTensors

/// A data set for training: training, validation and test images, and the meaning of the labels.
///
/// The course's data sets are data modules; ``ArrayDataModule`` and ``ImageFolder`` make one from
/// your own data. A type of your own needs five properties:
///
/// ```swift
/// struct Shapes: DataModule {
///   let config = DataConfig(inputDims: [1, 32, 32], outputDims: [1], mapping: ["circle", "square"])
///   let train, val, test: Dataset
///   let batchSize = 64
/// }
/// try Trainer(maxEpochs: 5).fit(model, shapes, optimizer: Adam(model.parameters))
/// ```
public protocol DataModule: Sendable, CustomStringConvertible {
  /// The data set's name; by default that of the type.
  static var name: String { get }

  /// The shapes of inputs and targets, and the classes.
  var config: DataConfig { get }
  /// The training set.
  var train: Dataset { get }
  /// The validation set.
  var val: Dataset { get }
  /// The test set.
  var test: Dataset { get }
  /// The number of images in a batch, at least 1.
  var batchSize: Int { get }

  /// The number of threads that gather batches in advance; 0 by default.
  var workers: Int { get }
  /// The random transformation of training images; none by default.
  var augmentation: (any Augmentation)? { get }
  /// Draws a training set for each epoch, instead of ``train``; none by default.
  var freshTrain: FreshDataset? { get }
  /// Whether the images were drawn by this program; false by default.
  var isSynthetic: Bool { get }
  /// What the images were made from, by name: a SHA-256 digest or another text that changes with the
  /// data. A training run refuses to resume with other sources. Empty by default.
  var sources: [String: String] { get }
  /// The texts in the mapping that are not characters, such as the padding; none by default.
  var specialTokens: [String] { get }
  /// The folders with the files that the data are read from: if one of them changes, the results of a
  /// notebook are out of date. Empty by default.
  var fileFolders: [URL] { get }
}

extension DataModule {
  public static var name: String { "\(Self.self)" }
  public var workers: Int { 0 }
  public var augmentation: (any Augmentation)? { nil }
  public var freshTrain: FreshDataset? { nil }
  public var isSynthetic: Bool { false }
  public var sources: [String: String] { [:] }
  public var specialTokens: [String] { [] }
  public var fileFolders: [URL] { [] }

  /// The text of each label.
  public var mapping: [String] { config.mapping }

  /// The text of some labels, without special tokens.
  public func string(of labels: [Int]) -> String {
    let special = specialTokens
    return labels.map { mapping[$0] }.filter { !special.contains($0) }.joined()
  }

  /// The mapping as the course prints it: `['<B>', '<S>', …]`.
  public var mappingText: String {
    "[\(mapping.map(pythonLiteral).joined(separator: ", "))]"
  }

  /// The training batches: in a new order in each epoch, and transformed by ``augmentation``; of other
  /// images in each epoch if there is a ``freshTrain``.
  public func trainBatches(shuffledBy generator: Generator = .shared) -> Batches {
    if let freshTrain {
      return Batches(
        freshTrain, batchSize: batchSize, shuffledBy: generator, augmentedBy: augmentation,
        workers: workers)
    }
    return Batches(
      train, batchSize: batchSize, shuffledBy: generator, augmentedBy: augmentation,
      workers: workers)
  }

  /// The validation batches, in order.
  public func valBatches() -> Batches {
    Batches(val, batchSize: batchSize, workers: workers)
  }

  /// The test batches, in order.
  public func testBatches() -> Batches {
    Batches(test, batchSize: batchSize, workers: workers)
  }

  /// The course's description: classes, sizes, and the statistics of one shuffled training batch.
  ///
  /// The batch is drawn by a separate generator, so that printing does not change later random
  /// numbers.
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
  ///   - title: The data set's title.
  ///   - origin: What this program made itself; only used if the data are synthetic.
  ///   - facts: The lines between the title and the sizes.
  package func description(_ title: String, origin: String, _ facts: [String]) -> String {
    var lines = [isSynthetic ? "SYNTHETIC \(title) Dataset (\(origin))" : "\(title) Dataset"]
    lines += facts
    lines.append("Train/val/test sizes: \(train.count), \(val.count), \(test.count)")
    let batches = Batches(train, batchSize: batchSize, shuffledBy: Generator(seed: 42))
    if let batch = try? batches.first() {
      lines.append("Batch x stats: \(batch.x.statistics)")
      lines.append("Batch y stats: \(batch.y.statistics)")
    }
    return lines.joined(separator: "\n")
  }
}

/// A data module from data sets in memory.
///
/// ```swift
/// let dataset = try Dataset(images: x, labels: y)   // x: [1000, 1, 28, 28], y: [1000]
/// let data = try ArrayDataModule(dataset, classes: ["cat", "dog"], batchSize: 32)
/// data.train.count, data.val.count, data.test.count  // 800, 100, 100
/// ```
public struct ArrayDataModule: DataModule {
  public let config: DataConfig
  public let train: Dataset
  public let val: Dataset
  public let test: Dataset
  public let batchSize: Int
  public let workers: Int
  public let augmentation: (any Augmentation)?
  /// The SHA-256 digest of each part.
  public let sources: [String: String]

  /// - Parameters:
  ///   - train: The training set.
  ///   - val: The validation set; may be empty, as `train.subset([])` is.
  ///   - test: The test set; may be empty.
  ///   - classes: The text of each label.
  ///   - batchSize: The number of images in a batch.
  ///   - workers: The number of threads that gather batches in advance.
  ///   - augmentation: The random transformation of training images.
  /// - Throws: ``DataError`` if the parts differ in shape, the training set is empty, or a label has
  ///   no class.
  public init(
    train: Dataset, val: Dataset, test: Dataset, classes: [String], batchSize: Int = 128,
    workers: Int = 0, augmentation: (any Augmentation)? = nil
  ) throws {
    try check(batchSize: batchSize, augmentation)
    guard train.count > 0 else {
      throw DataError(.unusable, "expected at least one training image, got none")
    }
    guard augmentation == nil || train.dims.count == 3 else {
      throw DataError(
        .unusable,
        "augmentation: expected images of shape (channels, rows, columns), got \(train.dims)")
    }
    let parts = [("training", train), ("validation", val), ("test", test)]
    for (name, part) in parts {
      guard part.dims == train.dims, part.targetDims == train.targetDims else {
        throw DataError(
          .unusable,
          "expected \(name) images of shape \(train.dims) with labels of shape "
            + "\(train.targetDims), as in the training set, got \(part.dims) and \(part.targetDims)"
        )
      }
      for position in 0..<part.count {
        if let label = part.labels(at: position).first(where: { $0 >= classes.count }) {
          throw DataError(
            .unusable,
            "expected \(name) labels below \(classes.count), the number of classes, got \(label)")
        }
      }
    }
    config = DataConfig(
      inputDims: train.dims,
      outputDims: train.targetDims.isEmpty ? [1] : train.targetDims + [1], mapping: classes)
    (self.train, self.val, self.test) = (train, val, test)
    (self.batchSize, self.workers, self.augmentation) = (batchSize, workers, augmentation)
    sources = [
      "train": try train.digest(), "val": try val.digest(), "test": try test.digest(),
    ]
  }

  /// Splits one data set at random into training, validation and test set.
  ///
  /// - Parameters:
  ///   - dataset: All images.
  ///   - fractions: The share of each part; their sum is 1.
  ///   - seed: The seed of the split.
  ///   - classes: The text of each label.
  ///   - batchSize: The number of images in a batch.
  ///   - workers: The number of threads that gather batches in advance.
  ///   - augmentation: The random transformation of training images.
  /// - Throws: ``DataError`` if the fractions do not add up to 1, the training set is empty, or a
  ///   label has no class.
  public init(
    _ dataset: Dataset, fractions: (train: Double, val: Double, test: Double) = (0.8, 0.1, 0.1),
    seed: UInt64 = 42, classes: [String], batchSize: Int = 128, workers: Int = 0,
    augmentation: (any Augmentation)? = nil
  ) throws {
    let parts = try dataset.randomSplit(
      fractions: [fractions.train, fractions.val, fractions.test],
      generator: Generator(seed: seed))
    try self.init(
      train: parts[0], val: parts[1], test: parts[2], classes: classes, batchSize: batchSize,
      workers: workers, augmentation: augmentation)
  }
}

/// Checks what data modules have in common.
///
/// - Throws: ``DataError`` if batch size or augmentation are out of range.
package func check(batchSize: Int, _ augmentation: (any Augmentation)?) throws {
  guard batchSize > 0 else {
    throw DataError(.unusable, "expected a batch size of at least 1, got \(batchSize)")
  }
  try augmentation?.validate()
}

/// The name of synthetic data in messages and titles.
package let syntheticHandwriting = "handwriting drawn by this program"
