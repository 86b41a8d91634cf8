/// The CRC-32C checksum (Castagnoli) of some bytes, as iSCSI and TensorFlow's records use it.
///
/// Source: RFC 3720, appendix B.4.
package func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
  ~bytes.reduce(~0) { crc, byte in crc >> 8 ^ table[Int((crc ^ UInt32(byte)) & 0xff)] }
}

/// What each value of a byte does to the checksum.
private let table: [UInt32] = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0x82f6_3b78 : 0) }
}
