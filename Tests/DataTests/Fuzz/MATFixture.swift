import Lab

/// A MATLAB v5 file in EMNIST's layout that is not packed, so that damage reaches what is in it.
///
/// ```text
/// header              116 bytes of text, 8 of zero, version 0x0100, "IM"
/// element             type, size, and the bytes, up to a multiple of eight
/// matrix element 14   array flags, dimensions, name, and the data or the fields
/// ```
///
/// Source: MathWorks, "MAT-File Format", chapter 1.
enum MATFixture {
  /// The file's bytes.
  ///
  /// - Parameter images: How many images there are in both parts.
  static func bytes(images: Int = 1) -> [UInt8] {
    bytes(images: images, labels: matrix([UInt8](repeating: 3, count: images), images, 1))
  }

  /// The file's bytes with labels of another type than bytes.
  ///
  /// - Parameters:
  ///   - labels: The labels' bit patterns.
  ///   - size: The number of bytes of a label.
  ///   - type: MATLAB's number for the type in the file.
  ///   - kind: MATLAB's number for the class of the array.
  static func bytes(labels: [UInt64], size: Int, type: UInt8, kind: UInt8) -> [UInt8] {
    let numbers = labels.flatMap { label in
      (0..<size).map { UInt8(truncatingIfNeeded: label >> (8 * $0)) }
    }
    return bytes(
      images: labels.count,
      labels: element(14, head(kind, labels.count, 1, "") + element(type, numbers)))
  }

  private static func bytes(images: Int, labels: [UInt8]) -> [UInt8] {
    let part = structure(
      "",
      [
        ("images", matrix([UInt8](repeating: 9, count: images * 784), images, 784)),
        ("labels", labels),
      ])
    let characters = (0..<62).map { UInt8($0) } + EMNIST.characters.flatMap(\.utf8)
    let dataset = structure(
      "dataset",
      [("train", part), ("test", part), ("mapping", matrix(characters, 62, 2))])
    var header = Array("MATLAB 5.0 MAT-file".utf8)
    header += [UInt8](repeating: 0x20, count: 116 - header.count)
    return header + [UInt8](repeating: 0, count: 8) + [0, 1] + Array("IM".utf8) + dataset
  }

  private static func element(_ type: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [type, 0, 0, 0] + number(bytes.count) + bytes
      + [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
  }

  private static func number(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func head(_ kind: UInt8, _ rows: Int, _ columns: Int, _ name: String) -> [UInt8] {
    element(6, [kind, 0, 0, 0, 0, 0, 0, 0]) + element(5, number(rows) + number(columns))
      + element(1, Array(name.utf8))
  }

  private static func matrix(_ bytes: [UInt8], _ rows: Int, _ columns: Int) -> [UInt8] {
    element(14, head(9, rows, columns, "") + element(2, bytes))
  }

  private static func structure(_ name: String, _ fields: [(String, [UInt8])]) -> [UInt8] {
    let names = fields.flatMap { field in
      Array(field.0.utf8) + [UInt8](repeating: 0, count: 8 - field.0.utf8.count)
    }
    // Names take eight bytes each; that number is a short element: type and size in four bytes.
    return element(
      14,
      head(2, 1, 1, name) + [5, 0, 4, 0, 8, 0, 0, 0] + element(1, names) + fields.flatMap(\.1))
  }
}
