import Foundation
import LabData
import LabFiles

/// EMNIST ByClass in the form that NIST distributes: a MATLAB struct `dataset` with `train`, `test`
/// (each with `images` and `labels`) and `mapping`.
package struct EMNISTArchive {
  /// Other data sets may have more images; ByClass has 697,932 training images.
  private static let maximumCount = 2_500_000

  private let file: MATFile
  private let title: String

  /// Opens the file and checks its mapping of labels to characters.
  ///
  /// - Parameters:
  ///   - url: The MATLAB file.
  ///   - title: The file's name in messages; by default its path.
  /// - Throws: ``DataError`` if the file is damaged or a different one.
  package init(_ url: URL, title: String? = nil) throws {
    let title = title ?? url.path(percentEncoded: false)
    self.title = title
    file = try MATFile(url, variable: "dataset", title: title)
    let classes = EMNIST.characters.count
    let mapping = try file.bytes("mapping", columns: 2, maximumRows: classes)
    let expected = Array(0..<UInt8(classes)) + EMNIST.characters.flatMap(\.utf8)
    guard mapping.elements == expected else {
      throw DataError(.damaged, "\(title): expected the mapping of ByClass, 0-9A-Za-z, got another")
    }
  }

  /// The labels of a part, in 0..<62.
  package func labels(_ part: CharacterFiles.Part) throws -> [UInt8] {
    let labels = try file.bytes(
      part.rawValue, "labels", columns: 1, maximumRows: Self.maximumCount
    ).elements
    guard !labels.isEmpty, labels.allSatisfy({ $0 < EMNIST.characters.count }) else {
      throw DataError(.damaged, "\(title): expected \(part) labels in 0...61, got others or none")
    }
    return labels
  }

  /// Some images of a part, upright, 784 bytes each.
  ///
  /// - Parameters:
  ///   - part: The part.
  ///   - selection: The indices of the images.
  ///   - count: The number of images that the part must have.
  package func upright(
    _ part: CharacterFiles.Part, _ selection: [Int], of count: Int
  ) throws -> [UInt8] {
    let pixels = CharacterFiles.side * CharacterFiles.side
    let images = try file.bytes(
      part.rawValue, "images", columns: pixels, maximumRows: Self.maximumCount)
    guard images.rows == count else {
      throw DataError(
        .damaged,
        "\(title): expected as many \(part) images as labels, \(count), "
          + "got \(images.rows)")
    }
    try requireMemory(
      selection.count * pixels, for: "\(selection.count) \(part) images of \(title)",
      advice: "end other programs or use a larger machine")
    return LabDatasets.upright(images.elements, .columnsOfPixels(images: images.rows), selection)
  }
}

/// The order of the pixels of many images in memory.
package enum PixelLayout {
  /// All pixels of the first image, then all of the second.
  case rowsOfPixels
  /// The first pixel of all images, then the second of all: MATLAB's order.
  case columnsOfPixels(images: Int)
}

/// Transposes some of many images: in EMNIST's files rows and columns are exchanged.
///
/// - Parameters:
///   - images: 784 bytes per image, column by column.
///   - layout: The order of the pixels.
///   - selection: The indices of the images.
package func upright(
  _ images: [UInt8], _ layout: PixelLayout, _ selection: [Int]
) -> [UInt8] {
  let side = CharacterFiles.side
  let pixels = side * side
  let (imageStride, pixelStride) =
    switch layout {
    case .rowsOfPixels: (pixels, 1)
    case .columnsOfPixels(let count): (1, count)
    }
  var result = [UInt8](repeating: 0, count: selection.count * pixels)
  // In blocks of images that are neighbours in memory, so that each cache line is loaded once.
  let order = selection.indices.sorted { selection[$0] < selection[$1] }
  for start in stride(from: 0, to: order.count, by: 256) {
    let block = order[start..<min(order.count, start + 256)]
    for column in 0..<side {
      for row in 0..<side {
        let source = (column * side + row) * pixelStride
        let target = row * side + column
        for index in block {
          result[index * pixels + target] = images[source + selection[index] * imageStride]
        }
      }
    }
  }
  return result
}
