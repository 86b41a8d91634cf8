import Foundation
import LabData

/// A MATLAB v5 file.
///
/// ```swift
/// let file = try MATFile(url, variable: "dataset")
/// let labels = try file.bytes("train", "labels", columns: 1, maximumRows: 1_000_000)
/// labels.rows, labels.columns  // 697932, 1
/// ```
///
/// All sizes in the file are checked against the number of bytes that are there. (libmatio 1.5.23
/// takes over 9 GB of memory for a damaged file of 340 bytes, or crashes.)
package struct MATFile {
  /// A matrix of bytes.
  package struct Matrix {
    /// The elements, column by column.
    package let elements: [UInt8]
    package let rows: Int
    package let columns: Int
  }

  private let title: String
  private let variable: MATArray

  /// Opens a file and looks for a struct in it.
  ///
  /// Compressed data are decompressed to a temporary file beside it, which is mapped into memory and
  /// removed before this returns.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - name: The name of the struct.
  ///   - title: The file's name in messages; by default its path.
  /// - Throws: ``DataError`` if the file is not such a file or has no such variable.
  package init(_ url: URL, variable name: String, title: String? = nil) throws {
    let title = title ?? url.path(percentEncoded: false)
    self.title = title
    let file = try withFile(url, "read") { try Data(contentsOf: url, options: .alwaysMapped) }
    // The header ends with the version and the byte order.
    guard file.count >= 128, file[124..<128].elementsEqual([0, 1] + Array("IM".utf8)) else {
      throw DataError(.damaged, "\(title): expected a MATLAB file")
    }
    var rest = file[128...]
    while let element = MATElement(from: &rest) {
      var body = element
      if element.type == MATElement.packed {
        guard let unpacked = try Self.unpacked(element.bytes, beside: url) else { break }
        body = unpacked
      }
      if body.type == MATElement.matrix, let array = MATArray(body.bytes), array.name == name {
        variable = array
        return
      }
    }
    throw DataError(.damaged, "\(title): expected a whole variable \"\(name)\" in it")
  }

  /// Decompresses an element; `nil` if the bytes are damaged.
  private static func unpacked(_ packed: Data, beside url: URL) throws -> MATElement? {
    let folder = url.deletingLastPathComponent()
    let temporary = try TemporaryFile(in: folder)
    defer { temporary.discard() }
    return try withFile(temporary.url, "write") {
      var (count, size) = (0, 0)
      do {
        let isWhole = try Inflation.forEachPiece(of: packed) { piece in
          // The element begins with its size; no more than that is written to the disk.
          if count == 0 {
            guard piece.count >= 8 else { throw Damage() }
            size = 8 + piece.littleEndian(at: 4, bytes: 4)
            guard size / Inflation.largestRatio <= packed.count else { throw Damage() }
            try requireSpace(
              size, in: folder, for: "unpacking \(url.path(percentEncoded: false))",
              advice: "make room, or set LAB_DATA_DIR to a folder on another disk")
          }
          count += piece.count
          guard count <= size else { throw Damage() }
          try temporary.handle.write(contentsOf: piece)
        }
        guard isWhole else { return nil }
      } catch is Damage {
        return nil
      }
      var bytes = try Data(contentsOf: temporary.url, options: .alwaysMapped)
      return MATElement(from: &bytes)
    }
  }

  private struct Damage: Error {}

  /// The matrix in a field, as bytes; numbers of other types are converted if all are in 0...255.
  ///
  /// - Parameters:
  ///   - names: The names of the field and the fields around it, outermost first.
  ///   - columns: The number of columns that it must have.
  ///   - maximumRows: The largest number of rows.
  /// - Throws: ``DataError`` if there is no such matrix or its elements cannot be read.
  package func bytes(_ names: String..., columns: Int, maximumRows: Int) throws -> Matrix {
    let name = names.joined(separator: ".")
    var field = variable
    for part in names {
      guard let next = field.field(part) else { throw damage("a field \(name)", "none") }
      field = next
    }
    let extents = field.dimensions
    guard extents.count == 2 else {
      throw damage("\(name) to be a matrix", "\(extents.count) dimensions")
    }
    guard extents[1] == columns, extents[0] <= maximumRows, !field.isComplex else {
      throw damage(
        "\(name) to have \(columns) columns and up to \(maximumRows) rows",
        "\(extents[0])×\(extents[1])")
    }
    guard MATArray.numeric.contains(field.kind) else {
      throw damage("\(name) to hold numbers", "MATLAB class \(field.kind)")
    }
    let (count, overflow) = extents[0].multipliedReportingOverflow(by: extents[1])
    if !overflow {
      try requireMemory(
        count, for: "\(name) of \(title)", advice: "end other programs or use a larger machine")
    }
    guard let elements = field.bytes() else {
      throw damage(
        "\(name) to hold \(extents[0] * extents[1]) numbers in 0...255", "others or damaged bytes")
    }
    return Matrix(elements: elements, rows: extents[0], columns: columns)
  }

  private func damage(_ expected: String, _ got: String) -> DataError {
    DataError(.damaged, "\(title): expected \(expected), got \(got)")
  }
}

/// One element of a MATLAB v5 file: a type and bytes.
///
/// ```text
/// 4 bytes type, 4 bytes size, then the bytes, padded to a multiple of eight
/// 2 bytes type, 2 bytes size that is not 0, then up to four bytes
/// ```
///
/// Source: MathWorks, "MAT-File Format", chapter 1.
struct MATElement {
  let type: Int
  let bytes: Data

  static let (matrix, packed) = (14, 15)

  /// Removes an element from the front of some bytes.
  ///
  /// - Returns: `nil` if there is no complete one.
  init?(from rest: inout Data) {
    guard rest.count >= 8 else { return nil }
    let (first, second) = (rest.littleEndian(at: 0, bytes: 4), rest.littleEndian(at: 4, bytes: 4))
    if first >> 16 != 0 {
      guard first >> 16 <= 4 else { return nil }
      (type, bytes) = (first & 0xffff, rest.dropFirst(4).prefix(first >> 16))
      rest = rest.dropFirst(8)
    } else {
      guard second <= rest.count - 8 else { return nil }
      (type, bytes) = (first, rest.dropFirst(8).prefix(second))
      // Compressed elements are not padded, and the last element need not be.
      let padding = first == Self.packed ? 0 : -second & 7
      rest = rest.dropFirst(min(rest.count, 8 + second + padding))
    }
  }
}

/// An array of a MATLAB v5 file: a matrix, or a struct.
struct MATArray {
  /// MATLAB's number for the kind of array.
  let kind: Int
  let isComplex: Bool
  let dimensions: [Int]
  let name: String
  /// The bytes after the name: fields or numbers.
  private let contents: Data

  static let structure = 2
  /// Double, single, and the eight kinds of integers.
  static let numeric = 6...15

  /// - Parameter body: The bytes of an element of type ``MATElement/matrix``.
  /// - Returns: `nil` if they are not an array.
  init?(_ body: Data) {
    var rest = body
    guard let flags = MATElement(from: &rest), flags.type == 6, flags.bytes.count == 8,
      let extents = MATElement(from: &rest), extents.type == 5, extents.bytes.count % 4 == 0,
      let name = MATElement(from: &rest), name.type == 1
    else { return nil }
    kind = flags.bytes.littleEndian(at: 0, bytes: 1)
    isComplex = flags.bytes.littleEndian(at: 1, bytes: 1) & 8 != 0
    dimensions = (0..<extents.bytes.count / 4).map {
      extents.bytes.littleEndian(at: 4 * $0, bytes: 4)
    }
    self.name = String(decoding: name.bytes, as: UTF8.self)
    contents = rest
  }

  /// A field of a struct of one element.
  ///
  /// - Returns: `nil` if there is no such field.
  func field(_ name: String) -> MATArray? {
    var rest = contents
    guard kind == Self.structure, dimensions == [1, 1],
      let length = MATElement(from: &rest), length.type == 5, length.bytes.count == 4,
      let names = MATElement(from: &rest), names.type == 1
    else { return nil }
    let size = length.bytes.littleEndian(at: 0, bytes: 4)
    guard size > 0, names.bytes.count % size == 0 else { return nil }
    for start in stride(from: 0, to: names.bytes.count, by: size) {
      guard let field = MATElement(from: &rest), field.type == MATElement.matrix else { return nil }
      let text = names.bytes.dropFirst(start).prefix(size).prefix { $0 != 0 }
      if text.elementsEqual(name.utf8) { return MATArray(field.bytes) }
    }
    return nil
  }

  /// The numbers, column by column, as bytes.
  ///
  /// MATLAB stores numbers in the smallest type that holds all of them, whatever the array's class.
  ///
  /// - Returns: `nil` if they are not integers in 0...255, or not as many as the dimensions say.
  func bytes() -> [UInt8]? {
    var rest = contents
    let count = dimensions.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    guard let numbers = MATElement(from: &rest), let format = MATNumber(rawValue: numbers.type),
      numbers.bytes.count == count * format.size
    else { return nil }
    if format == .uint8 { return Array(numbers.bytes) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for index in 0..<count {
      guard let byte = format.byte(numbers.bytes, index) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}

/// The types that numbers are stored in, by MATLAB's number for them.
private enum MATNumber: Int {
  case int8 = 1
  case uint8, int16, uint16, int32, uint32, single
  case double = 9
  case int64 = 12
  case uint64

  /// The number of bytes.
  var size: Int {
    switch self {
    case .int8, .uint8: 1
    case .int16, .uint16: 2
    case .int32, .uint32, .single: 4
    case .int64, .uint64, .double: 8
    }
  }

  /// One of some numbers; nil if it is not an integer in 0...255.
  func byte(_ data: Data, _ index: Int) -> UInt8? {
    let bits = UInt64(
      truncatingIfNeeded: data.littleEndian(at: size * index, bytes: size))
    return switch self {
    case .int8: UInt8(exactly: Int8(truncatingIfNeeded: bits))
    case .int16: UInt8(exactly: Int16(truncatingIfNeeded: bits))
    case .int32: UInt8(exactly: Int32(truncatingIfNeeded: bits))
    case .int64: UInt8(exactly: Int64(truncatingIfNeeded: bits))
    case .uint8, .uint16, .uint32, .uint64: UInt8(exactly: bits)
    case .single: UInt8(exactly: Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .double: UInt8(exactly: Double(bitPattern: bits))
    }
  }
}
