import Foundation

/// EMNIST ByClass as NIST distributes it: a MATLAB struct `dataset` of `train`, `test` (each with
/// `images` and `labels`) and `mapping`.
package struct EMNISTArchive {
  /// Refuses absurd sizes before anything is allocated; ByClass has 697,932 training images.
  private static let maximumCount = 2_500_000

  private let file: MATFile
  private let path: String

  /// Opens the file and checks that its labels mean what this program takes them for.
  ///
  /// - Throws: ``DataError`` if the file is damaged or another one.
  package init(_ url: URL) throws {
    path = url.path(percentEncoded: false)
    file = try MATFile(url, variable: "dataset")
    let classes = EMNIST.characters.count
    let mapping = try file.bytes("mapping", columns: 2, maximumRows: classes)
    let expected = Array(0..<UInt8(classes)) + EMNIST.characters.flatMap(\.utf8)
    guard mapping.elements == expected else {
      throw DataError(.damaged, "\(path): expected the mapping of ByClass, 0-9A-Za-z, got another")
    }
  }

  /// A part's labels, 0..<62.
  package func labels(_ part: CharacterFiles.Part) throws -> [UInt8] {
    let labels = try file.bytes(
      part.rawValue, "labels", columns: 1, maximumRows: Self.maximumCount
    ).elements
    guard !labels.isEmpty, labels.allSatisfy({ $0 < EMNIST.characters.count }) else {
      throw DataError(.damaged, "\(path): expected \(part) labels in 0...61, got others or none")
    }
    return labels
  }

  /// Some of a part's images, upright, 784 bytes each.
  package func upright(_ part: CharacterFiles.Part, _ selection: [Int]) throws -> [UInt8] {
    let pixels = CharacterFiles.side * CharacterFiles.side
    let images = try file.bytes(
      part.rawValue, "images", columns: pixels, maximumRows: Self.maximumCount)
    guard selection.allSatisfy({ $0 < images.rows }) else {
      throw DataError(
        .damaged, "\(path): expected as many \(part) images as labels, got \(images.rows)")
    }
    return Lab.upright(images.elements, .columnsOfPixels(images: images.rows), selection)
  }
}
