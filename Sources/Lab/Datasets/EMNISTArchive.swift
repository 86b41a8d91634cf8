import Foundation

/// EMNIST ByClass as NIST distributes it: a MATLAB struct `dataset` of `train`, `test` (each with
/// `images` and `labels`) and `mapping`.
package struct EMNISTArchive {
  /// With more images than this it is another set; ByClass has 697,932 to train with.
  private static let maximumCount = 2_500_000

  private let file: MATFile
  private let title: String

  /// Opens the file and checks that its labels mean what this program takes them for.
  ///
  /// - Parameters:
  ///   - url: The MATLAB file.
  ///   - title: What messages call it; its path if this is nil.
  /// - Throws: ``DataError`` if the file is damaged or another one.
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

  /// A part's labels, 0..<62.
  package func labels(_ part: CharacterFiles.Part) throws -> [UInt8] {
    let labels = try file.bytes(
      part.rawValue, "labels", columns: 1, maximumRows: Self.maximumCount
    ).elements
    guard !labels.isEmpty, labels.allSatisfy({ $0 < EMNIST.characters.count }) else {
      throw DataError(.damaged, "\(title): expected \(part) labels in 0...61, got others or none")
    }
    return labels
  }

  /// Some of a part's images, upright, 784 bytes each.
  ///
  /// - Parameters:
  ///   - part: Which part.
  ///   - selection: Which images, in which order.
  ///   - count: How many images there must be.
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
    return LabDatasets.upright(images.elements, .columnsOfPixels(images: images.rows), selection)
  }
}

/// How the pixels of many images lie in memory.
package enum PixelLayout {
  /// All pixels of the first image, then all of the second.
  case rowsOfPixels
  /// The first pixel of all images, then the second of all: MATLAB's order.
  case columnsOfPixels(images: Int)
}

/// Some of many images, each transposed: EMNIST's files hold them lying on their side, mirrored.
///
/// - Parameters:
///   - images: 784 bytes an image, each column by column.
///   - layout: How they lie in memory.
///   - selection: Which images, in which order.
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
  // Neighbours in memory together, and few at a time: so each cache line is fetched once.
  let order = selection.indices.sorted { selection[$0] < selection[$1] }
  for start in stride(from: 0, to: order.count, by: 256) {
    let block = order[start..<min(order.count, start + 256)]
    for column in 0..<side {
      for row in 0..<side {
        let source = (column * side + row) * pixelStride
        let target = row * side + column
        for place in block {
          result[place * pixels + target] = images[source + selection[place] * imageStride]
        }
      }
    }
  }
  return result
}
