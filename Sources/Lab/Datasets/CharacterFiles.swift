import Foundation
import LabTensors

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
