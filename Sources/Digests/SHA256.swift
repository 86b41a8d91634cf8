import COpenSSL
import Foundation

/// The SHA-256 digest of bytes that come in pieces.
///
/// ```swift
/// let sum = try SHA256()
/// sum.update(Data("ab".utf8))
/// try sum.hexadecimal  // "fb8e20fc2e4c3f24…", the digest of "ab"
/// sum.update(Data("c".utf8))
/// try sum.hexadecimal  // "ba7816bf8f01cfea…", the digest of "abc"
/// ```
package final class SHA256 {
  private let context: OpaquePointer

  /// The digest of no bytes.
  ///
  /// - Throws: ``DigestError`` if libcrypto fails, for example without memory.
  package init() throws {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      throw DigestError(
        description: "libcrypto offers no SHA-256; is OpenSSL installed completely?")
    }
    self.context = context
  }

  deinit {
    EVP_MD_CTX_free(context)
  }

  /// Appends bytes.
  package func update(_ bytes: Data) { update(bytes.bytes) }

  /// Appends bytes.
  package func update(_ bytes: RawSpan) {
    bytes.withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
  }

  /// The digest of all bytes so far, as 64 hexadecimal digits. More bytes may follow.
  ///
  /// - Throws: ``DigestError`` if libcrypto fails, for example without memory.
  package var hexadecimal: String {
    get throws {
      try digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
  }

  /// The 32 bytes of the digest of all bytes so far. More bytes may follow.
  ///
  /// - Throws: ``DigestError`` if libcrypto fails, for example without memory.
  package var digest: [UInt8] {
    get throws {
      // A context that has given its digest cannot be used again, so a copy gives it.
      let copy = EVP_MD_CTX_new()
      defer { EVP_MD_CTX_free(copy) }
      var digest = [UInt8](repeating: 0, count: 32)
      guard EVP_MD_CTX_copy_ex(copy, context) == 1, EVP_DigestFinal_ex(copy, &digest, nil) == 1
      else {
        throw DigestError(description: "libcrypto cannot finish a SHA-256; is there memory left?")
      }
      return digest
    }
  }

  /// The digest of bytes, as 64 hexadecimal digits.
  ///
  /// - Throws: ``DigestError`` if libcrypto fails, for example without memory.
  package static func hexadecimal(of bytes: Data) throws -> String {
    let sum = try SHA256()
    sum.update(bytes)
    return try sum.hexadecimal
  }
}

/// libcrypto cannot compute a digest.
package struct DigestError: Error, CustomStringConvertible {
  package let description: String
}
