import ArgumentParser
import Foundation
import LabData
import LabDatasets
import LabModels

/// A data set that can be chosen on the command line.
package struct DataClass: RawRepresentable, CaseIterable, Hashable, Sendable {
  /// The data sets by name. A new one is one more line.
  private static let loaders: KeyValuePairs<String, @Sendable (Request) throws -> any DataModule> =
    [
      LabDatasets.MNIST.name: { try LabDatasets.MNIST($0.options) },
      LabDatasets.EMNIST.name: { try LabDatasets.EMNIST($0.options) },
      LabDatasets.EMNISTLines.name: { try LabDatasets.EMNISTLines($0.options, $0.lines) },
      ImageFolder.name: { try $0.folder.load($0.options) },
    ]

  /// What the command line says about the data.
  fileprivate struct Request {
    let options: DataOptions
    let lines: LabDatasets.EMNISTLines.Parameters
    let folder: FolderOptions
  }

  package static var allCases: [DataClass] { loaders.map { DataClass(name: $0.key) } }

  /// The name that `--data_class` takes.
  package let rawValue: String

  /// The data set of a name; nil if there is none.
  package init?(rawValue: String) {
    guard Self.loaders.contains(where: { $0.key == rawValue }) else { return nil }
    self.rawValue = rawValue
  }

  private init(name: String) { rawValue = name }

  package static let MNIST = DataClass(name: LabDatasets.MNIST.name)
  package static let EMNIST = DataClass(name: LabDatasets.EMNIST.name)
  package static let EMNISTLines = DataClass(name: LabDatasets.EMNISTLines.name)
  package static let Folder = DataClass(name: ImageFolder.name)

  fileprivate func load(_ request: Request) throws -> any DataModule {
    guard let loader = Self.loaders.first(where: { $0.key == rawValue })?.value else {
      throw ValidationError("--data_class: expected a data set, got \(rawValue)")
    }
    return try loader(request)
  }
}

extension DataClass: CustomStringConvertible {
  package var description: String { rawValue }
}

/// The data set and how to load it.
package struct DataClassOptions: ParsableArguments {
  @Option(
    name: .customLong("data_class"), help: choices("The data set", default: DataClass.MNIST),
    transform: { try choice($0) })
  package var dataClass = DataClass.MNIST

  @Option(
    name: .customLong("data_source"),
    help: ArgumentHelp(
      "Where the images come from: auto, download, synthetic. (default: auto)",
      discussion: """
        auto downloads them, or draws handwriting if that fails; download ends with an error if it \
        fails; synthetic never downloads.
        """),
    transform: { try choice($0) })
  var dataSource = DataSource.auto

  @Option(
    name: .customLong("batch_size"), help: "Images in a batch. (default: 128)",
    transform: number)
  package var batchSize = 128

  @Option(
    name: .customLong("num_workers"),
    help:
      "Threads that gather batches in advance; 0 gathers each batch when it is needed. (default: 0)",
    transform: number)
  var workers = 0

  @Flag(
    name: .customLong("distinct_val"),
    help: """
      Keep all copies of an image either for training or for validation, with MNIST and EMNIST. (default: \
      split at random, as in the course)
      """)
  var keepsCopiesTogether = false

  @OptionGroup(title: "Data class EMNISTLines") var lines: LineOptions
  @OptionGroup(title: "Data class Folder") var folder: FolderOptions

  /// The largest batch size that may be chosen.
  static let largestBatchSize = 65_536

  package init() {}

  package func validate() throws {
    guard (1...Self.largestBatchSize).contains(batchSize) else {
      throw ValidationError(
        "--batch_size: expected 1 to \(Self.largestBatchSize), got \(batchSize)")
    }
    guard (0...64).contains(workers) else {
      throw ValidationError("--num_workers: expected 0 to 64, got \(workers)")
    }
  }

  /// Loads the data set; prepares its files first, if need be.
  ///
  /// - Parameter augmentation: The random transformation of training images.
  /// - Throws: A `ValidationError` if options do not belong to the data set, ``DataError`` if the
  ///   data cannot be loaded.
  package func load(augmentation: (any Augmentation)? = nil) throws -> any DataModule {
    // Not in `validate`: options given to a resumed run only fit together with those it began with.
    if dataClass == .Folder {
      guard folder.dataDir != nil else {
        throw ValidationError("--data_class=Folder: expected --data_dir=FOLDER too, got none.")
      }
      guard dataSource == .auto else {
        throw ValidationError(
          "--data_source belongs to data sets that can be downloaded, but --data_class is Folder.")
      }
    } else if let name = folder.given {
      throw ValidationError("\(name) belongs to Folder, but --data_class is \(dataClass).")
    }
    if dataClass != .EMNISTLines, let name = lines.given {
      throw ValidationError("\(name) belongs to EMNISTLines, but --data_class is \(dataClass).")
    }
    guard !keepsCopiesTogether || [.MNIST, .EMNIST].contains(dataClass) else {
      throw ValidationError(
        "--distinct_val belongs to MNIST and EMNIST, but --data_class is \(dataClass).")
    }
    let options = DataOptions(
      source: dataSource, batchSize: batchSize, workers: workers, augmentation: augmentation,
      keepsCopiesTogether: keepsCopiesTogether)
    return try dataClass.load(
      .init(options: options, lines: lines.parameters, folder: folder))
  }

  /// One line about a data set.
  package func summary(of data: any DataModule) -> String {
    "Data: \(data.isSynthetic ? "SYNTHETIC " : "")\(dataClass), "
      + "train/val/test sizes \(data.train.count), \(data.val.count), \(data.test.count)"
  }
}

/// Options of the data class Folder: PNG and JPEG files in one folder per class.
struct FolderOptions: ParsableArguments {
  @Option(
    name: .customLong("data_dir"),
    help: ArgumentHelp(
      "The folder of PNG and JPEG files, FOLDER/CLASS/*.png.",
      discussion: """
        Images are split at random into training, validation and test set, unless FOLDER has \
        sub-folders train, val and test.
        """, valueName: "folder"))
  var dataDir: String?

  @Option(
    name: .customLong("image_size"),
    help: ArgumentHelp(
      "Resize images to this height and width, or to a square. (default: all must have one size)",
      valueName: "height,width"),
    transform: size)
  var imageSize: ImageSize?

  @Flag(help: "Read images as RGB. (default: gray)")
  var color = false

  @Option(
    name: .customLong("val_fraction"),
    help: "The fraction of the images for validation. (default: 0.1)",
    transform: number)
  var valFraction: Double?

  @Option(
    name: .customLong("test_fraction"),
    help: "The fraction of the images for the test. (default: 0.1)",
    transform: number)
  var testFraction: Double?

  @Option(
    name: .customLong("split_seed"), help: "The seed of the random split. (default: 42)",
    transform: number)
  var splitSeed: UInt64?

  /// The first option that was given.
  fileprivate var given: String? {
    let options = [
      ("data_dir", dataDir != nil), ("image_size", imageSize != nil), ("color", color),
      ("val_fraction", valFraction != nil), ("test_fraction", testFraction != nil),
      ("split_seed", splitSeed != nil),
    ]
    return options.first { $0.1 }.map { "--\($0.0)" }
  }

  fileprivate func load(_ options: DataOptions) throws -> any DataModule {
    try ImageFolder(
      URL(filePath: dataDir ?? "", directoryHint: .isDirectory), color: color,
      imageSize: imageSize.map { ($0.height, $0.width) },
      fractions: (valFraction ?? 0.1, testFraction ?? 0.1), seed: splitSeed ?? 42,
      batchSize: options.batchSize, workers: options.workers, augmentation: options.augmentation)
  }
}

/// The size of an image in pixels.
struct ImageSize {
  let height: Int
  let width: Int
}

/// A size from a text such as `28` or `28,56`.
private func size(_ text: String) throws -> ImageSize {
  let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
  guard let height = numbers[0], let width = numbers[numbers.count - 1], numbers.count <= 2,
    (1...65_535).contains(height), (1...65_535).contains(width)
  else {
    throw ValidationError(
      "expected one or two numbers from 1 to 65535, such as 28 or 28,56, got \(text)")
  }
  return ImageSize(height: height, width: width)
}

extension DataModule {
  /// The data set's name for folders and titles; it marks synthetic data.
  package var displayName: String { isSynthetic ? "\(Self.name)-SYNTHETIC" : Self.name }
}
