import Foundation

/// Numbers in files whose first byte is the least significant one.

extension Data {
  /// Appends the bytes of a number.
  package mutating func append(littleEndian number: some FixedWidthInteger) {
    for shift in stride(from: 0, to: number.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }
}

extension RandomAccessCollection<UInt8> where Index == Int {
  /// A number.
  ///
  /// - Parameters:
  ///   - offset: The offset of its first byte.
  ///   - count: The number of its bytes, at most eight.
  package func littleEndian(at offset: Int, bytes count: Int) -> Int {
    (0..<count).reversed().reduce(0) { $0 << 8 | Int(self[startIndex + offset + $1]) }
  }
}
