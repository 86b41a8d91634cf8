import Foundation

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
