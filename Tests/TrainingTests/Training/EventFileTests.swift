import Foundation
import Lab
import Testing

/// The whole file is read back by TensorBoard's own reader in `make parity`.
struct EventFileTests {
  /// RFC 3720, appendix B.4, and the usual check value.
  @Test(
    arguments: [
      (Array("123456789".utf8), 0xe306_9283), ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
      (Array(0..<32), 0x46dd_794e), ([], 0),
    ] as [([UInt8], UInt32)])
  func checksums(bytes: [UInt8], sum: UInt32) {
    #expect(crc32c(bytes) == sum)
  }

  /// The examples of protobuf.dev's page on the encoding, and a number of each size.
  @Test func messages() {
    var message = ProtocolBuffer()
    message.add(1, 150)
    message.add(2, "testing")
    message.add(3) { $0.add(1, 150) }
    message.add(4, 1.0)
    message.add(16, Float(1))
    var expected: [UInt8] = [0x08, 0x96, 0x01, 0x12, 0x07]
    expected += Array("testing".utf8)
    expected += [0x1a, 0x03, 0x08, 0x96, 0x01, 0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]
    expected += [0x85, 0x01, 0, 0, 0x80, 0x3f]
    #expect(Array(message.bytes) == expected)
  }

  /// ```python
  /// crc = google_crc32c.value(struct.pack("<Q", n)); ((crc >> 15 | crc << 17) + 0xa282ead8) % 2**32
  /// ```
  @Test func aRecordIsFramedByItsLengthAndChecksums() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
    defer { try? FileManager.default.removeItem(at: url) }
    let file = try EventFile(url)
    try file.log(
      LogEntry(epoch: 0, step: 7, values: [(.learningRate, 0.25), (.valLoss, 0.5)]))
    let bytes = Array(try Data(contentsOf: url))
    // The event: a time of 9 bytes, the step, and a summary of two values.
    var summary: [UInt8] = [0x2a, 31, 0x0a, 9, 0x0a, 2]
    summary += Array("lr".utf8)
    summary += [0x15, 0, 0, 0x80, 0x3e, 0x0a, 15, 0x0a, 8]
    summary += Array("val_loss".utf8)
    summary += [0x15, 0, 0, 0, 0x3f]
    summary[1] = UInt8(summary.count - 2)
    let length = 9 + 2 + summary.count
    #expect(Array(bytes.prefix(8)) == [UInt8(length), 0, 0, 0, 0, 0, 0, 0])
    #expect(bytes.count == length + 16)
    let event: [UInt8] = [0x10, 7] + summary
    #expect(Array(bytes[21..<12 + length]) == event)
    for (part, offset) in [(bytes[..<8], 8), (bytes[12..<12 + length], 12 + length)] {
      let crc = crc32c(part)
      let masked = (crc >> 15 | crc << 17) &+ 0xa282_ead8
      let sum = (0..<4).map { UInt8(truncatingIfNeeded: masked >> (8 * UInt32($0))) }
      #expect(Array(bytes[offset..<offset + 4]) == sum)
    }
  }
}
