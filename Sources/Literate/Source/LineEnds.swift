/// The text with `\n` as the end of each line, and without a byte order mark. Editors on Windows write
/// `\r\n`, which is one `Character`, and put the mark in front.
package func withUnixLineEnds(_ text: String) -> String {
  let text =
    text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
  guard text.utf8.contains(0x0D) else { return text }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(text.utf8.count)
  for byte in text.utf8 {
    while byte == 0x0A, bytes.last == 0x0D { bytes.removeLast() }
    bytes.append(byte)
  }
  return String(decoding: bytes, as: UTF8.self)
}
