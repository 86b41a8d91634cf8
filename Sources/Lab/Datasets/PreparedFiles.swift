import Foundation
import LabData
import LabTensors

/// The two files of one part of a data set: images, and one or several labels per image.
///
/// ```text
/// train-images-idx3-ubyte    bytes (images, rows, columns)
/// train-labels-idx1-ubyte    bytes (images), or labels-idx2: (images, labels per image)
/// ```
package struct DatasetFiles: Sendable {
  /// The file of images.
  package let images: URL
  /// The file of labels.
  package let labels: URL
  /// The names of both.
  package var names: [String] { [images.lastPathComponent, labels.lastPathComponent] }
  private let imageShape: [Int]
  private let labelShape: [Int]
  private let classes: Int

  /// - Parameters:
  ///   - part: The part's name, with which the file names begin.
  ///   - folder: The folder of the files.
  ///   - imageShape: The rows and columns of an image.
  ///   - labelShape: The shape of an image's labels; empty for a single label.
  ///   - classes: The number of different labels.
  package init(
    part: String, in folder: URL, imageShape: [Int], labelShape: [Int], classes: Int
  ) {
    images = folder.appending(path: "\(part)-images-idx\(1 + imageShape.count)-ubyte")
    labels = folder.appending(path: "\(part)-labels-idx\(1 + labelShape.count)-ubyte")
    self.imageShape = imageShape
    self.labelShape = labelShape
    self.classes = classes
  }

  /// Maps both files into memory and checks that they fit together.
  ///
  /// - Parameter normalization: The mean and standard deviation of pixels; see ``Dataset``.
  /// - Throws: ``DataError`` if a file is damaged or they do not fit together.
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

/// Images of characters and their labels: four files that can be mapped into memory, and one that
/// records what they were made from.
///
/// ```text
/// processed/emnist/train-images-idx3-ubyte    bytes (images, 28, 28), upright
/// processed/emnist/train-labels-idx1-ubyte    bytes (images)
/// processed/emnist/test-images-idx3-ubyte
/// processed/emnist/test-labels-idx1-ubyte
/// processed/emnist/contents.json              written last
/// ```
package struct CharacterFiles: Sendable {
  /// The two parts that a data set is distributed in.
  package enum Part: String, CaseIterable, Sendable {
    case train
    case test
  }

  /// What the files are made from.
  package struct Recipe: Codable, Equatable, Sendable {
    /// Increases when this program makes different files from the same sources.
    let version: Int
    /// The SHA-256 digest, or another text that changes with the source, by name.
    let sources: [String: String]
    /// The number of different labels.
    let classes: Int
  }

  /// The height and width of an image.
  package static let side = 28

  /// The folder of the files.
  package let folder: URL
  /// What the files must be made from.
  package let recipe: Recipe

  /// The file of a part's images or labels.
  package func url(_ part: Part, _ kind: Kind) -> URL {
    let files = files(part, in: folder)
    return kind == .images ? files.images : files.labels
  }

  /// The contents of a file.
  package enum Kind: Sendable {
    case images
    case labels
  }

  private func files(_ part: Part, in folder: URL) -> DatasetFiles {
    DatasetFiles(
      part: part.rawValue, in: folder, imageShape: [Self.side, Self.side], labelShape: [],
      classes: recipe.classes)
  }

  /// Loads the data sets in the files. `make` writes them first if they are missing or were made from
  /// something else; see ``PreparedFolder``.
  ///
  /// - Parameters:
  ///   - name: The data set's name, for messages.
  ///   - report: Called with each message for the user.
  ///   - normalization: The mean and standard deviation of pixels; see ``Dataset``.
  ///   - make: Writes the four files, in another folder than these.
  /// - Throws: ``DataError`` if the files cannot be written, or the error that `make` throws.
  package func prepare(
    _ name: String, report: (String) -> Void, normalization: (mean: Float, std: Float)? = nil,
    make: (CharacterFiles) throws -> Void
  ) throws -> (train: Dataset, test: Dataset) {
    try PreparedFolder(url: folder, recipe: recipe).prepare(
      name, report: report, files: Part.allCases.flatMap { files($0, in: folder).names },
      load: {
        (
          try files(.train, in: $0).load(normalization: normalization),
          try files(.test, in: $0).load(normalization: normalization)
        )
      },
      sizes: { [Part.train.rawValue: $0.train.count, Part.test.rawValue: $0.test.count] },
      make: { try make(CharacterFiles(folder: $0, recipe: recipe)) })
  }

  /// Writes the files of a part.
  ///
  /// - Parameters:
  ///   - images: 784 bytes per image, row by row.
  ///   - labels: One label per image.
  ///   - part: The part.
  package func write(images: [UInt8], labels: [UInt8], as part: Part) throws {
    try IDX.write(
      images, shape: [labels.count, Self.side, Self.side], to: url(part, .images))
    try IDX.write(labels, shape: [labels.count], to: url(part, .labels))
  }
}
