import COpenSSL
import Foundation

/// The SHA-256 digest of bytes, as 64 hexadecimal digits.
func sha256(_ bytes: Data) -> String {
  var digest = [UInt8](repeating: 0, count: 32)
  let status = bytes.withUnsafeBytes {
    EVP_Digest($0.baseAddress, $0.count, &digest, nil, EVP_sha256(), nil)
  }
  precondition(status == 1, "libcrypto offers no SHA-256; is OpenSSL installed completely?")
  return digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}
