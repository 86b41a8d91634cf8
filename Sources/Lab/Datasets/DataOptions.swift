import Foundation

/// Where a data set's images may come from; the command line's `--data_source`.
public enum DataSource: String, CaseIterable, Sendable {
  /// The real images; handwriting drawn by the program if they cannot be downloaded.
  case auto
  /// The real images or an error.
  case download
  /// Handwriting drawn by the program; nothing is downloaded.
  case synthetic
}

/// What can be chosen about a data set.
public struct DataOptions: Sendable {
  /// Where the images may come from.
  public var source: DataSource
  /// The number of images in a batch.
  public var batchSize: Int
  /// The number of threads that gather batches ahead of their use; 0 gathers each when it is asked
  /// for.
  public var workers: Int
  /// How training images are changed at random; nil leaves them as they are.
  public var augmentation: RandomAffine?
  /// Where files are kept.
  public var folder: DataFolder
  /// Called with each line that the user should read while data are prepared.
  public var report: @Sendable (String) -> Void

  /// - Parameters:
  ///   - source: Where the images may come from.
  ///   - batchSize: The number of images in a batch, at least 1.
  ///   - workers: The number of threads that gather batches ahead of their use.
  ///   - augmentation: How training images are changed at random.
  ///   - folder: Where files are kept; by default `LAB_DATA_DIR`, or `data` where the program runs.
  ///   - report: Called with each line for the user; by default written to standard error.
  public init(
    source: DataSource = .auto, batchSize: Int = 128, workers: Int = 0,
    augmentation: RandomAffine? = nil, folder: DataFolder = .standard,
    report: @escaping @Sendable (String) -> Void = DataOptions.writeToStandardError
  ) {
    self.source = source
    self.batchSize = batchSize
    self.workers = workers
    self.augmentation = augmentation
    self.folder = folder
    self.report = report
  }

  /// Writes a line to standard error.
  @Sendable public static func writeToStandardError(_ line: String) {
    // Results printed before belong above the line, also when both go to one file.
    fflush(nil)
    // Nobody can be told when standard error itself cannot be written.
    try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
  }
}

/// What ``SyntheticHandwriting`` is called in messages and titles.
let syntheticHandwriting = "handwriting drawn by this program"

extension DataSource {
  /// The real data or synthetic ones, as the source says: `auto` turns to synthetic data only when
  /// the real ones cannot be had, not when they are damaged.
  ///
  /// - Parameters:
  ///   - name: What it is about, for messages.
  ///   - substitute: What the synthetic data are, for messages.
  ///   - report: Called with the line that says why synthetic data are taken.
  ///   - real: Prepares the real data.
  ///   - synthetic: Prepares the others.
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
