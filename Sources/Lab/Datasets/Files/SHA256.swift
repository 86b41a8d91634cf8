import COpenSSL
import Foundation
import LabTensors

/// The SHA-256 digest of bytes that come in pieces.
///
/// ```swift
/// let sum = try SHA256()
/// sum.update(Data("abc".utf8))
/// sum.hexadecimal  // "ba7816bf8f01cfea…"
/// ```
package final class SHA256 {
  private let context: OpaquePointer

  /// The digest of nothing so far.
  ///
  /// - Throws: ``DataError`` if libcrypto refuses, as it does out of memory.
  package init() throws {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      throw DataError(.unusable, "libcrypto offers no SHA-256; is OpenSSL installed whole?")
    }
    self.context = context
  }

  private init(copying other: SHA256) throws {
    guard let context = EVP_MD_CTX_new(), EVP_MD_CTX_copy_ex(context, other.context) == 1 else {
      throw DataError(.unusable, "libcrypto cannot copy a SHA-256 state; is memory short?")
    }
    self.context = context
  }

  /// The digest of the bytes so far, which goes on by itself.
  package func copy() throws -> SHA256 { try SHA256(copying: self) }

  deinit {
    EVP_MD_CTX_free(context)
  }

  /// Takes in the next bytes.
  package func update(_ bytes: Data) {
    bytes.withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
  }

  /// The digest of all bytes taken in, as 64 hexadecimal digits; to be read once.
  package var hexadecimal: String {
    var digest = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &digest, nil)
    return digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// Takes in a whole file.
  ///
  /// - Throws: ``DataError`` if it cannot be read.
  package func update(withContentsOf url: URL) throws {
    try withFile(url, "read") {
      let file = try FileHandle(forReadingFrom: url)
      defer { try? file.close() }
      while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty { update(piece) }
    }
  }

  /// The digest of a file.
  ///
  /// - Throws: ``DataError`` if it cannot be read.
  package static func hexadecimal(of url: URL) throws -> String {
    let sum = try SHA256()
    try sum.update(withContentsOf: url)
    return sum.hexadecimal
  }
}
