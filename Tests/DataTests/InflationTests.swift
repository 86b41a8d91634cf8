import Foundation
import Lab
import Testing

struct InflationTests {
  /// "hello, hello, hello\n", as `zlib.compress` compresses it.
  private static let packed =
    Data(base64Encoded: "eJzLSM3JyddRyECiuABLBwbf") ?? Data()

  private func unpack(_ packed: Data) throws -> [UInt8]? {
    var bytes: [UInt8] = []
    return try Inflation.forEachPiece(of: packed) { bytes += $0 } ? bytes : nil
  }

  @Test func unpacks() throws {
    #expect(try unpack(Self.packed) == Array("hello, hello, hello\n".utf8))
  }

  @Test func decompressesMoreThanOnePiece() throws {
    let noise = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
    #expect(try unpack(stored(noise)) == noise)
  }

  /// A zlib stream of uncompressed blocks.
  private func stored(_ bytes: [UInt8]) -> Data {
    var stream: [UInt8] = [0x78, 0x01]
    for start in stride(from: 0, to: bytes.count, by: 65_535) {
      let block = bytes[start..<min(bytes.count, start + 65_535)]
      let size = UInt16(block.count)
      stream.append(block.endIndex == bytes.count ? 1 : 0)
      for number in [size, ~size] { stream += [UInt8(number & 255), UInt8(number >> 8)] }
      stream += block
    }
    // The Adler-32 checksum.
    var (a, b) = (1, 0)
    for byte in bytes {
      a = (a + Int(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return Data(stream + [b >> 8, b & 255, a >> 8, a & 255].map { UInt8($0) })
  }

  @Test func refusesCutStreams() throws {
    for count in 0..<Self.packed.count { #expect(try unpack(Self.packed.prefix(count)) == nil) }
  }

  @Test func refusesAWrongChecksumAndMoreBytes() throws {
    var wrong = Self.packed
    wrong[wrong.count - 1] ^= 1
    #expect(try unpack(wrong) == nil)
    #expect(try unpack(Self.packed + [0]) == nil)
  }
}
