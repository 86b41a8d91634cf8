import Foundation

/// One element of a MATLAB v5 file: a type and bytes.
///
/// ```text
/// 4 bytes type, 4 bytes size, then the bytes, filled up to a multiple of eight
/// 2 bytes type, 2 bytes size that is not 0, then up to four bytes
/// ```
///
/// Source: MathWorks, "MAT-File Format", chapter 1.
struct MATElement {
  let type: Int
  let bytes: Data

  static let (matrix, packed) = (14, 15)

  /// Takes an element from the front of some bytes.
  ///
  /// - Returns: `nil` if there is no whole one.
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
      // What is packed is not filled up, nor need the last element be.
      let filling = first == Self.packed ? 0 : -second & 7
      rest = rest.dropFirst(min(rest.count, 8 + second + filling))
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
  /// What is behind the name: fields or numbers.
  private let contents: Data

  static let (structure, doubles, bytes) = (2, 6, 9)

  /// - Parameter body: The bytes of an element of type ``MATElement/matrix``.
  /// - Returns: `nil` if they are no array.
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

  /// The field of a struct of one element.
  ///
  /// - Returns: `nil` if there is none.
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
  /// - Returns: `nil` if they are no integers of 0...255, or not as many as the dimensions say.
  func bytes() -> [UInt8]? {
    var rest = contents
    let count = dimensions.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    guard let numbers = MATElement(from: &rest) else { return nil }
    let data = numbers.bytes
    // MATLAB stores numbers in the smallest type that holds all of them.
    let sizes = [1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 9: 8]
    guard let size = sizes[numbers.type], data.count == count * size else { return nil }
    switch numbers.type {
    case 2: return Array(data)
    case 9:
      return exactly(count) { place in
        let bits = UInt64(truncatingIfNeeded: data.littleEndian(at: 8 * place, bytes: 8))
        return UInt8(exactly: Double(bitPattern: bits))
      }
    default:
      // A negative number has a large last byte, so that it is no byte either.
      return exactly(count) { UInt8(exactly: data.littleEndian(at: size * $0, bytes: size)) }
    }
  }

  private func exactly(_ count: Int, _ byte: (Int) -> UInt8?) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for place in 0..<count {
      guard let byte = byte(place) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
