import Foundation
import LabData
import LabFiles
import LabRandom
import LabTensors

/// EMNIST ByClass: handwritten digits, capital and small letters of 28×28 pixels, balanced between
/// the classes; 80 % of the training images are for training and 20 % for validation.
///
/// ```swift
/// let data = try EMNIST()
/// data.mapping[data.test.label(at: 0)]  // "0": the test set is sorted by class
/// ```
///
/// The first four labels are special tokens for lines of text: blank, start, end and padding. The 62
/// characters follow, then space and punctuation, which have no images.
///
/// Source: G. Cohen, S. Afshar, J. Tapson, A. van Schaik, "EMNIST: an extension of MNIST to
/// handwritten letters", arXiv:1702.05373 (2017).
public struct EMNIST: DataModule {
  public static let name = "EMNIST"

  /// The characters with images, in the order of ByClass's labels.
  package static let characters =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".map(String.init)
  /// The texts of the labels below ``firstLabel``.
  package static let specialTokens = ["<B>", "<S>", "<E>", "<P>"]
  /// The label of the first of ``characters``.
  package static let firstLabel = specialTokens.count
  private static let punctuation = " !\"#&'()*+,-./:;?".map(String.init)

  public let options: DataOptions
  public let isSynthetic: Bool
  /// The balanced images that ``train`` and ``val`` are split from, sorted by class.
  public let trainval: Dataset
  public let train: Dataset
  public let val: Dataset
  public let test: Dataset

  public let config = Self.dataConfig

  /// The shapes and classes of this data set.
  package static let dataConfig = DataConfig(
    inputDims: [1, 28, 28], outputDims: [1],
    mapping: specialTokens + characters + punctuation)

  /// The prepared files.
  package let files: CharacterFiles
  public var batchSize: Int { options.batchSize }
  public var workers: Int { options.workers }
  public var augmentation: (any Augmentation)? { options.augmentation }
  public var fileFolders: [URL] { [files.folder] }
  public var specialTokens: [String] { Self.specialTokens }
  public var sources: [String: String] { options.sources(files.recipe.sources) }

  /// Downloads and prepares the files if they are not there, and maps them into memory.
  ///
  /// - Throws: ``DataError`` if the data are not available or damaged.
  public init(_ options: DataOptions = DataOptions()) throws {
    try options.validate()
    self.options = options
    let (prepared, isSynthetic) = try options.source.choose(
      Self.name, report: options.report, real: { try Self.real(options) },
      synthetic: { try Self.synthetic(options) })
    self.isSynthetic = isSynthetic
    (files, trainval, test) = prepared
    let trainCount = Int(0.8 * Double(trainval.count))
    (train, val) = try options.split(trainval, valCount: trainval.count - trainCount)
  }

  /// The state of the course's `np.random` after the test images were balanced.
  ///
  /// - Throws: ``DataError`` if the file of all test labels cannot be read.
  package func randomStateAfterBalancing() throws -> RandomState {
    let labels = try IDX(mapping: Self.allTestLabels(in: files), rank: 1)
    var random = RandomState(seed: Self.seed)
    _ = balance(labels: labels.elements, using: &random)
    return random
  }

  private static let classes = firstLabel + characters.count
  /// The course seeds NumPy again for each part.
  private static let seed: UInt32 = 42

  private typealias Prepared = (files: CharacterFiles, trainval: Dataset, test: Dataset)

  private static func real(_ options: DataOptions) throws -> Prepared {
    let metadata = try Metadata.load("emnist", in: options.folder)
    let files = CharacterFiles(
      folder: options.folder.processed("emnist"),
      recipe: .init(version: 2, sources: metadata.sums, classes: classes))
    let parts = try files.prepare(name, report: options.report) { files in
      let folder = options.folder.downloaded("emnist")
      try Downloader(report: options.report).fetch(
        try metadata.file("matlab.zip", of: "emnist"), into: folder)
      options.report("unpacking and balancing EMNIST, once")
      let matlab = files.folder.appending(path: "emnist-byclass.mat")
      defer { try? FileManager.default.removeItem(at: matlab) }
      let zip = folder.appending(path: "matlab.zip")
      // ByClass is well under half a gigabyte.
      try Archive.extract("matlab/emnist-byclass.mat", from: zip, to: matlab, limit: 1 << 31)
      let archive = try EMNISTArchive(
        matlab, title: "emnist-byclass.mat in \(zip.path(percentEncoded: false))")
      for part in CharacterFiles.Part.allCases {
        let labels = try archive.labels(part)
        try write(labels, as: part, to: files) {
          try archive.upright(part, $0, of: labels.count)
        }
      }
    }
    return (files, parts.train, parts.test)
  }

  private static func synthetic(_ options: DataOptions) throws -> Prepared {
    let drawing = SyntheticCharacters(
      trainPerClass: 1_600, testPerClass: 320, classes: characters.count)
    let files = CharacterFiles(
      folder: options.folder.processed("emnist-synthetic"),
      recipe: .init(version: 2, sources: try drawing.sources(), classes: classes))
    let parts = try files.prepare(name, report: options.report) { files in
      options.report("drawing \(drawing.count) SYNTHETIC characters for EMNIST, once")
      for part in CharacterFiles.Part.allCases {
        let raw = drawing.draw(part)
        try write(raw.labels, as: part, to: files) { upright(raw.images, .rowsOfPixels, $0) }
      }
    }
    return (files, parts.train, parts.test)
  }

  /// Balances the classes of a part and writes its files.
  private static func write(
    _ rawLabels: [UInt8], as part: CharacterFiles.Part, to files: CharacterFiles,
    images: ([Int]) throws -> [UInt8]
  ) throws {
    let labels = rawLabels.map { $0 + UInt8(firstLabel) }
    if part == .test {
      try IDX.write(labels, shape: [labels.count], to: allTestLabels(in: files))
    }
    var random = RandomState(seed: seed)
    let selection = balance(labels: labels, using: &random)
    try files.write(images: images(selection), labels: selection.map { labels[$0] }, as: part)
  }

  /// The file of all test labels, before balancing.
  private static func allTestLabels(in files: CharacterFiles) -> URL {
    files.folder.appending(path: "test-all-labels-idx1-ubyte")
  }
}

/// Draws a subset in which classes are balanced: from each class as many images as classes have on
/// average, with replacement, without the duplicates.
///
/// This is the course's `_sample_to_balance`, with the same random numbers: for each label in
/// ascending order `unique(choice(indices of the label, n))`, with `n = int(bincount(labels).mean())`.
///
/// ```swift
/// var random = RandomState(seed: 42)
/// let selection = balance(labels: labels, using: &random)
/// ```
///
/// - Parameters:
///   - labels: The label of each image; 0 counts as a class even if no image has it.
///   - random: The source of random numbers.
/// - Returns: The indices of the subset, sorted by label.
/// - Complexity: O(images · log images)
package func balance(labels: [UInt8], using random: inout RandomState) -> [Int] {
  guard let largest = labels.max() else { return [] }
  var indices = [[Int]](repeating: [], count: Int(largest) + 1)
  for (index, label) in labels.enumerated() { indices[Int(label)].append(index) }
  let draws = labels.count / indices.count
  return indices.flatMap { indices -> [Int] in
    guard !indices.isEmpty else { return [] }
    let chosen = Set(random.choice(below: indices.count, count: draws))
    return chosen.sorted().map { indices[$0] }
  }
}
