import Foundation
import LabData
import LabFiles
import LabRandom
import LabTensors

/// MNIST: 70,000 handwritten digits of 28×28 pixels: 55,000 for training, 5,000 for validation and
/// 10,000 for the test.
///
/// ```swift
/// let data = try MNIST()
/// data.train.count  // 55000
/// ```
///
/// Pixels are normalized with mean 0.1307 and standard deviation 0.3081.
///
/// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
public struct MNIST: DataModule {
  public static let name = "MNIST"

  public let options: DataOptions
  public var batchSize: Int { options.batchSize }
  public var workers: Int { options.workers }
  public var augmentation: (any Augmentation)? { options.augmentation }
  public var fileFolders: [URL] {
    [options.folder.processed(isSynthetic ? "mnist-synthetic" : "mnist")]
  }
  public let isSynthetic: Bool
  public let sources: [String: String]
  public let train: Dataset
  public let val: Dataset
  public let test: Dataset

  public let config = Self.dataConfig

  /// The shapes and classes of this data set.
  package static let dataConfig = DataConfig(
    inputDims: [1, 28, 28], outputDims: [1], mapping: (0...9).map(String.init))

  /// Downloads and prepares the files if they are not there, and maps them into memory.
  ///
  /// There are fewer synthetic digits: 27,500, 2,500 and 5,000.
  ///
  /// - Throws: ``DataError`` if the data are not available or damaged.
  public init(_ options: DataOptions = DataOptions()) throws {
    try options.validate()
    self.options = options
    let (parts, isSynthetic) = try options.source.choose(
      Self.name, report: options.report, real: { try Self.real(options) },
      synthetic: { try Self.synthetic(options) })
    self.isSynthetic = isSynthetic
    (test, sources) = (parts.test, options.sources(parts.sources))
    // 5,000 of MNIST's 60,000.
    (train, val) = try options.split(parts.train, valCount: parts.train.count / 12)
  }

  /// The mean and standard deviation of pixels in 0...1.
  package static let normalization: (mean: Float, std: Float) = (0.1307, 0.3081)

  private typealias Parts = (train: Dataset, test: Dataset, sources: [String: String])

  private static func real(_ options: DataOptions) throws -> Parts {
    let metadata = try Metadata.load("mnist", in: options.folder)
    let sources = [
      (CharacterFiles.Part.train, CharacterFiles.Kind.images, "train-images-idx3-ubyte.gz"),
      (.train, .labels, "train-labels-idx1-ubyte.gz"),
      (.test, .images, "t10k-images-idx3-ubyte.gz"),
      (.test, .labels, "t10k-labels-idx1-ubyte.gz"),
    ]
    let files = CharacterFiles(
      folder: options.folder.processed("mnist"),
      recipe: .init(version: 1, sources: metadata.sums, classes: 10))
    let parts = try files.prepare(name, report: options.report, normalization: normalization) {
      files in
      let downloader = Downloader(report: options.report)
      let folder = options.folder.downloaded("mnist")
      for (part, kind, filename) in sources {
        try downloader.fetch(try metadata.file(filename, of: "mnist"), into: folder)
        try Archive.gunzip(
          folder.appending(path: filename), to: files.url(part, kind), limit: 1 << 30)
      }
    }
    return (parts.train, parts.test, files.recipe.sources)
  }

  private static func synthetic(_ options: DataOptions) throws -> Parts {
    let drawing = SyntheticCharacters(trainPerClass: 3_000, testPerClass: 500, classes: 10)
    let files = CharacterFiles(
      folder: options.folder.processed("mnist-synthetic"),
      recipe: .init(version: 1, sources: try drawing.sources(), classes: 10))
    let parts = try files.prepare(name, report: options.report, normalization: normalization) {
      files in
      options.report("drawing \(drawing.count) SYNTHETIC digits for MNIST, once")
      for part in CharacterFiles.Part.allCases {
        let raw = drawing.draw(part)
        try files.write(
          images: upright(raw.images, .rowsOfPixels, Array(raw.labels.indices)),
          labels: raw.labels, as: part)
      }
    }
    return (parts.train, parts.test, files.recipe.sources)
  }
}
