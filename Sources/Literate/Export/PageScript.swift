import Digests
import Foundation

/// The script of a page, and the digest by which its Content-Security-Policy permits this script alone.
package struct PageScript {
  /// The script, as it stands in the page.
  package let text: String
  /// The digest as a source expression, such as `sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=`.
  package let source: String

  /// - Throws: An error if the digest cannot be computed.
  package init(_ text: String) throws {
    self.text = text
    let digits = Array(try SHA256.hexadecimal(of: Data(text.utf8)).utf8)
    let bytes = stride(from: 0, to: digits.count, by: 2).map { index in
      UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) ?? 0
    }
    source = "sha256-\(Data(bytes).base64EncodedString())"
  }
}
