import Foundation

/// Numbers in files whose first byte counts least.

extension Data {
  /// Appends all bytes of a number.
  package mutating func append(littleEndian number: some FixedWidthInteger) {
    for shift in stride(from: 0, to: number.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }
}

extension RandomAccessCollection<UInt8> where Index == Int {
  /// A number of some bytes, at most eight.
  ///
  /// - Parameters:
  ///   - place: Where it begins, counted from the first byte.
  ///   - count: How many bytes it has.
  package func littleEndian(at place: Int, bytes count: Int) -> Int {
    (0..<count).reversed().reduce(0) { $0 << 8 | Int(self[startIndex + place + $1]) }
  }
}
