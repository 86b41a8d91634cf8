import Digests
import Foundation

/// Signs messages with HMAC-SHA256, as the connection file demands.
///
/// Source: RFC 2104; test vectors are in RFC 4231.
package struct Signer: Sendable {
  private let key: [UInt8]

  /// - Parameter key: The key; with an empty one, messages have no signatures.
  package init(key: String) {
    self.key = Array(key.utf8)
  }

  package init(key: [UInt8]) {
    self.key = key
  }

  /// The signature of the parts of a message, in hexadecimal digits; empty without a key.
  ///
  /// - Throws: `DataError` if libcrypto fails.
  package func signature(of parts: [[UInt8]]) throws -> String {
    guard !key.isEmpty else { return "" }
    let blockSize = 64
    var block = key.count > blockSize ? Self.bytes(try Self.digest([key])) : key
    block += [UInt8](repeating: 0, count: blockSize - block.count)
    let inner = try Self.digest([block.map { $0 ^ 0x36 }] + parts)
    return try Self.digest([block.map { $0 ^ 0x5c }, Self.bytes(inner)])
  }

  /// Whether a message has the right signature.
  ///
  /// - Throws: `DataError` if libcrypto fails.
  package func accepts(_ signature: [UInt8], of parts: [[UInt8]]) throws -> Bool {
    let expected = Array(try self.signature(of: parts).utf8)
    if expected.isEmpty { return true }
    guard expected.count == signature.count else { return false }
    // The time must not say how many digits are right.
    return zip(expected, signature).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private static func digest(_ parts: [[UInt8]]) throws -> String {
    let sum = try SHA256()
    for part in parts { sum.update(Data(part)) }
    return try sum.hexadecimal
  }

  private static func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }
}
