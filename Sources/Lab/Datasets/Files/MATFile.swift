import Foundation

/// A MATLAB v5 file.
///
/// ```swift
/// let file = try MATFile(url, variable: "dataset")
/// let labels = try file.bytes("train", "labels", columns: 1, maximumRows: 1_000_000)
/// labels.rows, labels.columns  // 697932, 1
/// ```
///
/// No size in the file is believed: what it says must be there. (libmatio 1.5.23 takes over 9 GB of
/// memory for a damaged file of 340 bytes, or traps.)
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
  /// What is packed is unpacked to a file beside, which is gone again when this returns; its bytes
  /// stay mapped.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - name: The struct's name.
  ///   - title: What messages call the file; its path if this is nil.
  /// - Throws: ``DataError`` if the file isn't such a file or has no such variable.
  package init(_ url: URL, variable name: String, title: String? = nil) throws {
    let title = title ?? url.path(percentEncoded: false)
    self.title = title
    let file = try withFile(url, "read") { try Data(contentsOf: url, options: .alwaysMapped) }
    // The version and the order of bytes stand at the header's end.
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

  /// The element that is packed in some bytes; `nil` if they are damaged.
  private static func unpacked(_ packed: Data, beside url: URL) throws -> MATElement? {
    let target = url.deletingLastPathComponent().appending(
      path: ".\(url.lastPathComponent)-\(UUID())")
    defer { try? FileManager.default.removeItem(at: target) }
    return try withFile(target, "write") {
      try Data().write(to: target)
      let file = try FileHandle(forWritingTo: target)
      defer { try? file.close() }
      var (count, size) = (0, 0)
      do {
        let isWhole = try Inflation.forEachPiece(of: packed) { piece in
          // The element's own size stands in front; more is not written to the disk.
          if count == 0 {
            guard piece.count >= 8 else { throw Damage() }
            size = 8 + piece.littleEndian(at: 4, bytes: 4)
            guard size / Inflation.largestRatio <= packed.count else { throw Damage() }
          }
          count += piece.count
          guard count <= size else { throw Damage() }
          try file.write(contentsOf: piece)
        }
        guard isWhole else { return nil }
      } catch is Damage {
        return nil
      }
      var bytes = try Data(contentsOf: target, options: .alwaysMapped)
      return MATElement(from: &bytes)
    }
  }

  private struct Damage: Error {}

  /// The matrix that a chain of field names leads to; numbers of other types are converted if all
  /// of them fit into bytes.
  ///
  /// - Parameters:
  ///   - names: The names, outermost first.
  ///   - columns: How many columns it must have.
  ///   - maximumRows: How many rows it may have.
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
    guard [MATArray.bytes, MATArray.doubles].contains(field.kind) else {
      throw damage("\(name) to hold bytes", "MATLAB class \(field.kind)")
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
