import Foundation
import LabRandom
import LabTensors

/// Handwritten digits, capitals and small letters, 28×28, from EMNIST ByClass: balanced, upright,
/// and split 80 to 20 into a part to learn from and one to watch.
///
/// ```swift
/// let data = try EMNIST()
/// data.mapping[data.test.label(at: 0)]  // "0": the test part is in the order of the classes
/// ```
///
/// Labels leave the first four values to the blank, the start, the end and the padding that
/// lines of text need later; after the 62 characters come the space and punctuation, which have
/// no images.
///
/// Source: G. Cohen, S. Afshar, J. Tapson, A. van Schaik, "EMNIST: an extension of MNIST to
/// handwritten letters", arXiv:1702.05373 (2017).
public struct EMNIST: DataModule {
  public static let name = "EMNIST"

  /// The characters that there are images of, in the order of ByClass's labels.
  package static let characters =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".map(String.init)
  /// What labels below ``firstLabel`` stand for.
  package static let specialTokens = ["<B>", "<S>", "<E>", "<P>"]
  /// The label of the first of ``characters``.
  package static let firstLabel = specialTokens.count
  private static let punctuation = " !\"#&'()*+,-./:;?".map(String.init)

  public let options: DataOptions
  public let isSynthetic: Bool
  /// The balanced images that ``train`` and ``val`` are split from, in the order of the classes.
  public let trainval: Dataset
  public let train: Dataset
  public let val: Dataset
  public let test: Dataset

  public let config = Self.dataConfig

  /// What a model has to know of this data set.
  package static let dataConfig = DataConfig(
    inputDims: [1, 28, 28], outputDims: [1],
    mapping: specialTokens + characters + punctuation)

  /// The prepared files.
  package let files: CharacterFiles
  public var batchSize: Int { options.batchSize }
  public var workers: Int { options.workers }
  public var augmentation: RandomAffine? { options.augmentation }
  public var folder: DataFolder? { options.folder }
  public var specialTokens: [String] { Self.specialTokens }
  public var sources: [String: String] { files.recipe.sources }

  /// Prepares the files if need be, and maps them into memory.
  ///
  /// - Throws: ``DataError`` if the data cannot be had.
  public init(_ options: DataOptions = DataOptions()) throws {
    try options.validate()
    self.options = options
    let (prepared, isSynthetic) = try options.source.choose(
      Self.name, report: options.report, real: { try Self.real(options) },
      synthetic: { try Self.synthetic(options) })
    self.isSynthetic = isSynthetic
    (files, trainval, test) = prepared
    let trainCount = Int(0.8 * Double(trainval.count))
    let split = try trainval.randomSplit(
      [trainCount, trainval.count - trainCount], generator: Generator(seed: 42))
    (train, val) = (split[0], split[1])
  }

  /// NumPy's random state where the course's `np.random` is after it has balanced the test images.
  ///
  /// - Throws: ``DataError`` if the file of all test labels cannot be read.
  package func randomStateAfterBalancing() throws -> RandomState {
    let labels = try IDX(mapping: Self.allTestLabels(in: files), rank: 1)
    var random = RandomState(seed: Self.seed)
    _ = balance(labels: labels.elements, using: &random)
    return random
  }

  private static let classes = firstLabel + characters.count
  /// The course seeds NumPy anew for each part.
  private static let seed: UInt32 = 42

  private typealias Prepared = (files: CharacterFiles, trainval: Dataset, test: Dataset)

  private static func real(_ options: DataOptions) throws -> Prepared {
    let metadata = try Metadata.load("emnist", in: options.folder)
    let files = CharacterFiles(
      folder: options.folder.processed("emnist"),
      recipe: .init(version: 2, sources: metadata.sums, classes: classes))
    let parts = try files.prepare(name, report: options.report) {
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
    let parts = try files.prepare(name, report: options.report) {
      options.report("drawing \(drawing.count) SYNTHETIC characters for EMNIST, once")
      for part in CharacterFiles.Part.allCases {
        let raw = drawing.draw(part)
        try write(raw.labels, as: part, to: files) { upright(raw.images, .rowsOfPixels, $0) }
      }
    }
    return (files, parts.train, parts.test)
  }

  /// Balances a part and writes its files.
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

  /// The file of the test labels before they were balanced.
  private static func allTestLabels(in files: CharacterFiles) -> URL {
    files.folder.appending(path: "test-all-labels-idx1-ubyte")
  }
}

/// Draws a subset in which frequent classes are less so: from each class as many images as classes
/// have on average, with replacement, each kept once.
///
/// The draws are the course's, NumPy's number for number: per label in ascending order
/// `unique(choice(places of the label, draws))`, with `draws = int(bincount(labels).mean())`.
///
/// ```swift
/// var random = RandomState(seed: 42)
/// let selection = balance(labels: labels, using: &random)
/// // random goes on where the course's `np.random` does after balancing these labels
/// ```
///
/// - Parameters:
///   - labels: The label of each image; 0 counts as a class even when no image has it.
///   - random: Where the draws come from.
/// - Complexity: O(images · log images)
package func balance(labels: [UInt8], using random: inout RandomState) -> [Int] {
  guard let largest = labels.max() else { return [] }
  var places = [[Int]](repeating: [], count: Int(largest) + 1)
  for (place, label) in labels.enumerated() { places[Int(label)].append(place) }
  let draws = labels.count / places.count
  return places.flatMap { places -> [Int] in
    guard !places.isEmpty else { return [] }
    // Sorting numbers of places sorts places, which ascend.
    let chosen = Set(random.choice(below: places.count, count: draws))
    return chosen.sorted().map { places[$0] }
  }
}
