import Foundation
import LabData
import LabRandom

/// Where a data set's images may come from; the command line's `--data_source`.
public enum DataSource: String, CaseIterable, Sendable {
  /// The real images; handwriting drawn by this program if they cannot be downloaded.
  case auto
  /// The real images, or an error.
  case download
  /// Handwriting drawn by this program; nothing is downloaded.
  case synthetic
}

/// Options of the course's data sets ``MNIST``, ``EMNIST`` and ``EMNISTLines``.
public struct DataOptions: Sendable {
  /// Where the images may come from.
  public var source: DataSource
  /// The number of images in a batch.
  public var batchSize: Int
  /// The number of threads that gather batches in advance; 0 gathers each batch when it is needed.
  public var workers: Int
  /// The random transformation of training images; nil leaves them as they are.
  public var augmentation: (any Augmentation)?
  /// Whether all copies of an image are either for training or for validation, see
  /// ``Dataset/splitWithoutCopies(second:generator:)``, and not split at random as in the course.
  /// ``EMNISTLines`` has a split of its own and does not look at this.
  public var keepsCopiesTogether: Bool
  /// Where files are stored.
  public var folder: DataFolder
  /// Called with each message for the user while data are prepared.
  public var report: @Sendable (String) -> Void

  /// - Parameters:
  ///   - source: Where the images may come from.
  ///   - batchSize: The number of images in a batch, at least 1.
  ///   - workers: The number of threads that gather batches in advance.
  ///   - augmentation: The random transformation of training images.
  ///   - keepsCopiesTogether: Whether all copies of an image are either for training or for validation.
  ///   - folder: Where files are stored; by default `LAB_DATA_DIR`, or `data` in the current
  ///     directory.
  ///   - report: Called with each message for the user; by default written to standard error.
  public init(
    source: DataSource = .auto, batchSize: Int = 128, workers: Int = 0,
    augmentation: (any Augmentation)? = nil, keepsCopiesTogether: Bool = false,
    folder: DataFolder = .standard,
    report: @escaping @Sendable (String) -> Void = StandardError.writeLine
  ) {
    self.source = source
    self.batchSize = batchSize
    self.workers = workers
    self.augmentation = augmentation
    self.keepsCopiesTogether = keepsCopiesTogether
    self.folder = folder
    self.report = report
  }

  /// - Throws: ``DataError`` if batch size or augmentation are out of range.
  func validate() throws {
    try check(batchSize: batchSize, augmentation)
  }

  /// Splits images into training and validation set.
  ///
  /// - Parameters:
  ///   - images: All training images.
  ///   - valCount: The number of images for validation; a few more with ``keepsCopiesTogether``.
  func split(_ images: Dataset, valCount: Int) throws -> (train: Dataset, val: Dataset) {
    let generator = Generator(seed: 42)
    guard keepsCopiesTogether, images.count > 0 else {
      let parts = try images.randomSplit([images.count - valCount, valCount], generator: generator)
      return (parts[0], parts[1])
    }
    let parts = try images.splitWithoutCopies(
      second: Double(valCount) / Double(images.count), generator: generator)
    return (parts.first, parts.second)
  }

  /// What data sets are made from, with the way in which they are split.
  func sources(_ sources: [String: String]) -> [String: String] {
    keepsCopiesTogether ? sources.merging(["split": "without copies"]) { $1 } : sources
  }
}

extension DataSource {
  /// Prepares the real data or the synthetic ones, as the source says. `auto` takes synthetic data
  /// only if the real ones are unavailable, not if they are damaged.
  ///
  /// - Parameters:
  ///   - name: The data set's name, for messages.
  ///   - substitute: A description of the synthetic data, for messages.
  ///   - report: Called with the reason why synthetic data are used.
  ///   - real: Prepares the real data.
  ///   - synthetic: Prepares the synthetic data.
  package func choose<Parts>(
    _ name: String, substitute: String = syntheticHandwriting, report: (String) -> Void,
    real: () throws -> Parts, synthetic: () throws -> Parts
  ) throws -> (parts: Parts, isSynthetic: Bool) {
    switch self {
    case .download: return (try real(), false)
    case .synthetic: return (try synthetic(), true)
    case .auto:
      do {
        return (try real(), false)
      } catch let error as DataError where error.kind == .unavailable {
        report("\(name): using SYNTHETIC \(substitute): \(error)")
        return (try synthetic(), true)
      }
    }
  }
}
