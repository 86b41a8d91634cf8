import CMatio
import Foundation

/// A MATLAB v5 file, through libmatio.
///
/// ```swift
/// let file = try MATFile(url, variable: "dataset")
/// let labels = try file.bytes("train", "labels")
/// labels.rows, labels.columns  // 697932, 1
/// ```
package final class MATFile {
  /// A matrix of bytes.
  package struct Matrix {
    /// The elements, column by column.
    package let elements: [UInt8]
    package let rows: Int
    package let columns: Int
  }

  private let title: String
  private let size: Int
  private let file: OpaquePointer
  private let variable: UnsafeMutablePointer<matvar_t>

  /// Opens a file and reads the layout of a struct in it, but no elements.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - name: The struct's name.
  ///   - title: What messages call the file; its path if this is nil.
  /// - Throws: ``DataError`` if the file isn't such a file or has no such variable.
  package init(_ url: URL, variable name: String, title: String? = nil) throws {
    let path = url.path(percentEncoded: false)
    self.title = title ?? path
    size = try withFile(url, "read") {
      try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
    }
    guard let file = Mat_Open(path, Int32(MAT_ACC_RDONLY.rawValue)) else {
      throw DataError(.damaged, "\(self.title): expected a MATLAB file")
    }
    guard let variable = Mat_VarReadInfo(file, name) else {
      Mat_Close(file)
      throw DataError(.damaged, "\(self.title): expected a whole variable \"\(name)\" in it")
    }
    self.file = file
    self.variable = variable
  }

  deinit {
    Mat_VarFree(variable)
    Mat_Close(file)
  }

  /// The matrix that a chain of field names leads to; numbers of other types are converted if all
  /// of them fit into bytes.
  ///
  /// - Parameters:
  ///   - names: The names, outermost first.
  ///   - columns: How many columns it must have.
  ///   - maximumRows: How many rows it may have; libmatio counts elements in 31 bits.
  /// - Throws: ``DataError`` if there is no such matrix or its elements cannot be read.
  package func bytes(_ names: String..., columns: Int, maximumRows: Int) throws -> Matrix {
    let name = names.joined(separator: ".")
    var field = variable
    for part in names {
      guard let next = member(part, of: field) else { throw damage("a field \(name)", "none") }
      field = next
    }
    guard field.pointee.rank == 2, let dims = field.pointee.dims else {
      throw damage("\(name) to be a matrix", "\(field.pointee.rank) dimensions")
    }
    let rows = Int(clamping: dims[0])
    guard dims[1] == columns, rows <= maximumRows, field.pointee.isComplex == 0 else {
      throw damage(
        "\(name) to have \(columns) columns and up to \(maximumRows) rows", "\(dims[0])×\(dims[1])")
    }
    let count = rows * columns
    // Deflate packs at most 1032 bytes into one, so that more is a lie about the size.
    guard count / 1032 <= size else {
      throw damage("\(name) to fit into a file of \(size) bytes", "\(rows)×\(columns)")
    }
    switch field.pointee.class_type {
    case MAT_C_UINT8:
      return Matrix(
        elements: try read(field, count, name, as: UInt8.self), rows: rows, columns: columns)
    case MAT_C_DOUBLE:
      let elements = try read(field, count, name, as: Double.self).map { number in
        guard let byte = UInt8(exactly: number) else {
          throw damage("\(name) to hold numbers in 0...255", "\(number)")
        }
        return byte
      }
      return Matrix(elements: elements, rows: rows, columns: columns)
    default:
      throw damage("\(name) to hold bytes", "MATLAB class \(field.pointee.class_type.rawValue)")
    }
  }

  /// One field of a struct. Damaged files leave parts of libmatio's own records empty, which its
  /// look-up by name does not expect.
  private func member(
    _ name: String, of variable: UnsafeMutablePointer<matvar_t>
  ) -> UnsafeMutablePointer<matvar_t>? {
    guard variable.pointee.class_type == MAT_C_STRUCT, variable.pointee.data != nil,
      variable.pointee.rank == 2, let dims = variable.pointee.dims, dims[0] == 1, dims[1] == 1,
      let names = Mat_VarGetStructFieldnames(variable)
    else { return nil }
    let index = (0..<Int(Mat_VarGetNumberOfFields(variable))).first { index in
      names[index].map { String(cString: $0) } == name
    }
    return index.flatMap { Mat_VarGetStructFieldByIndex(variable, $0, 0) }
  }

  private func read<Element>(
    _ field: UnsafeMutablePointer<matvar_t>, _ count: Int, _ name: String, as: Element.Type
  ) throws -> [Element] {
    guard count > 0 else { return [] }
    return try [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      let code = Mat_VarReadDataLinear(file, field, buffer.baseAddress, 0, 1, Int32(count))
      guard code == 0 else { throw damage("\(count) elements of \(name)", "damaged or cut bytes") }
      initialized = count
    }
  }

  private func damage(_ expected: String, _ got: String) -> DataError {
    DataError(.damaged, "\(title): expected \(expected), got \(got)")
  }
}
