import Foundation
import LabTensors

/// A folder of files that the program makes once, and `contents.json`, written last, that says what
/// they were made from.
package struct PreparedFolder<Recipe: Codable & Equatable> {
  private struct Contents: Codable {
    let recipe: Recipe
    let sizes: [String: Int]
  }

  /// Where the files are.
  package let url: URL
  /// What they are to be made from; files made from something else are made anew.
  package let recipe: Recipe

  package init(url: URL, recipe: Recipe) {
    self.url = url
    self.recipe = recipe
  }

  private var contents: URL { url.appending(path: "contents.json") }

  /// What `load` makes of the files; `make` writes them first, if they are not there, made from
  /// something else, cannot be loaded, or have other sizes than when they were made.
  ///
  /// Two processes may ask at once: one makes the files, the other one waits.
  ///
  /// - Parameters:
  ///   - name: What the files are, for messages.
  ///   - report: Called with each line for the user.
  ///   - load: Opens the files.
  ///   - sizes: How large the parts of the result are, by name.
  ///   - make: Writes the files.
  /// - Throws: ``DataError`` if the folder cannot be written, or what `make` throws.
  package func prepare<Result>(
    _ name: String, report: (String) -> Void, load: () throws -> Result,
    sizes: (Result) -> [String: Int], make: () throws -> Void
  ) throws -> Result {
    func complete() -> Result? {
      guard let recorded = recordedSizes, let result = try? load(), recorded == sizes(result)
      else { return nil }
      return result
    }
    if let result = complete() { return result }
    return try FileLock.hold(
      url.appending(path: ".lock"),
      onWait: { report("waiting for another process that is preparing \(name)") }
    ) {
      if let result = complete() { return result }
      // Without its contents file, a half-remade folder counts as empty.
      try? FileManager.default.removeItem(at: contents)
      try make()
      let result = try load()
      try record(sizes(result))
      return result
    }
  }

  /// The sizes that the contents file states; nil unless the files were made from ``recipe``.
  private var recordedSizes: [String: Int]? {
    guard let json = try? Data(contentsOf: contents),
      let found = try? JSONDecoder().decode(Contents.self, from: json), found.recipe == recipe
    else { return nil }
    return found.sizes
  }

  private func record(_ sizes: [String: Int]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let json = try encoder.encode(Contents(recipe: recipe, sizes: sizes))
    try writeWhole(to: contents) { try $0.write(contentsOf: json) }
  }
}

/// The two files of one part of a data set: images and their labels, one or several an image.
///
/// ```text
/// train-images-idx3-ubyte    bytes (images, rows, columns)
/// train-labels-idx1-ubyte    bytes (images), or labels-idx2: (images, labels an image)
/// ```
package struct DatasetFiles: Sendable {
  /// The file of images.
  package let images: URL
  /// The file of labels.
  package let labels: URL
  private let imageShape: [Int]
  private let labelShape: [Int]
  private let classes: Int

  /// - Parameters:
  ///   - part: The part's name, which the files' names begin with.
  ///   - folder: Where they are.
  ///   - imageShape: An image's rows and columns.
  ///   - labelShape: The shape of an image's labels; empty for a single one.
  ///   - classes: The number of values that a label can have.
  package init(
    part: String, in folder: URL, imageShape: [Int], labelShape: [Int], classes: Int
  ) {
    images = folder.appending(path: "\(part)-images-idx\(1 + imageShape.count)-ubyte")
    labels = folder.appending(path: "\(part)-labels-idx\(1 + labelShape.count)-ubyte")
    self.imageShape = imageShape
    self.labelShape = labelShape
    self.classes = classes
  }

  /// Maps both files and checks that they belong together.
  ///
  /// - Parameter normalization: What becomes of pixels; see ``Dataset``.
  /// - Throws: ``DataError`` if they are not what they should be.
  package func load(normalization: (mean: Float, std: Float)? = nil) throws -> Dataset {
    let images = try IDX(mapping: images, rank: 1 + imageShape.count)
    let labels = try IDX(mapping: labels, rank: 1 + labelShape.count)
    guard labels.shape == [labels.count] + labelShape else {
      throw DataError(
        .damaged,
        "\(self.labels.path(percentEncoded: false)): expected labels of shape \(labelShape), "
          + "got shape \(labels.shape)")
    }
    guard images.shape == [labels.count] + imageShape, labels.count > 0 else {
      let size = imageShape.map(String.init).joined(separator: "×")
      throw DataError(
        .damaged,
        "\(self.images.path(percentEncoded: false)): expected \(labels.count) images of "
          + "\(size), as there are labels, got shape \(images.shape)")
    }
    let largest = labels.withBytes { bytes in
      bytes.byteOffsets.reduce(0) {
        max($0, Int(bytes.unsafeLoad(fromByteOffset: $1, as: UInt8.self)))
      }
    }
    guard largest < classes else {
      throw DataError(
        .damaged,
        "\(self.labels.path(percentEncoded: false)): expected labels below "
          + "\(classes), got \(largest)")
    }
    return Dataset(images: images, labels: labels, normalization: normalization)
  }
}

/// Images of characters and their labels, ready for use: four files that map into memory, and one
/// that says what they were made from.
///
/// ```text
/// processed/emnist/train-images-idx3-ubyte    bytes (images, 28, 28), upright
/// processed/emnist/train-labels-idx1-ubyte    bytes (images)
/// processed/emnist/test-images-idx3-ubyte
/// processed/emnist/test-labels-idx1-ubyte
/// processed/emnist/contents.json              written last
/// ```
package struct CharacterFiles: Sendable {
  /// One of the two parts that a data set comes in.
  package enum Part: String, CaseIterable, Sendable {
    case train
    case test
  }

  /// What the files are made from; files made from something else are made anew.
  package struct Recipe: Codable, Equatable, Sendable {
    /// Grows when the program makes the files differently from the same sources.
    let version: Int
    /// The sources, by name, and what tells one version of them from another.
    let sources: [String: String]
    /// The number of values that a label can have.
    let classes: Int
  }

  /// The height and width of an image.
  package static let side = 28

  /// Where the files are.
  package let folder: URL
  /// What they are to be made from.
  package let recipe: Recipe

  /// The mapped files.
  ///
  /// - Parameters:
  ///   - part: Which part.
  ///   - kind: Images or labels.
  package func url(_ part: Part, _ kind: Kind) -> URL {
    let files = files(part)
    return kind == .images ? files.images : files.labels
  }

  /// What is in a file.
  package enum Kind: Sendable {
    case images
    case labels
  }

  private func files(_ part: Part) -> DatasetFiles {
    DatasetFiles(
      part: part.rawValue, in: folder, imageShape: [Self.side, Self.side], labelShape: [],
      classes: recipe.classes)
  }

  /// The files' data sets; made first, if they are not there or made from something else.
  ///
  /// Two processes may ask at once: one makes the files, the other one waits.
  ///
  /// - Parameters:
  ///   - name: The data set's name, for messages.
  ///   - report: Called with each line for the user.
  ///   - normalization: What becomes of pixels; see ``Dataset``.
  ///   - make: Writes the four files.
  /// - Throws: ``DataError`` if they cannot be made, or what `make` throws.
  package func prepare(
    _ name: String, report: (String) -> Void, normalization: (mean: Float, std: Float)? = nil,
    make: () throws -> Void
  ) throws -> (train: Dataset, test: Dataset) {
    try PreparedFolder(url: folder, recipe: recipe).prepare(
      name, report: report,
      load: {
        (
          try files(.train).load(normalization: normalization),
          try files(.test).load(normalization: normalization)
        )
      },
      sizes: { [Part.train.rawValue: $0.train.count, Part.test.rawValue: $0.test.count] },
      make: make)
  }

  /// Writes one part's files.
  ///
  /// - Parameters:
  ///   - images: 784 bytes an image, row by row.
  ///   - labels: As many labels.
  ///   - part: Which part.
  package func write(images: [UInt8], labels: [UInt8], as part: Part) throws {
    try IDX.write(
      images, shape: [labels.count, Self.side, Self.side], to: url(part, .images))
    try IDX.write(labels, shape: [labels.count], to: url(part, .labels))
  }
}
