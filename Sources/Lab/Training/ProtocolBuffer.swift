import Foundation

/// A message in protocol buffers' encoding, field by field.
///
/// Event files need a handful of fields of a handful of messages; code generated for TensorFlow's
/// definitions, and the library that it calls, would be many times as long.
///
/// Source: protobuf.dev, "Encoding".
package struct ProtocolBuffer {
  package private(set) var bytes = Data()

  package init() {}

  /// An integer that is not negative.
  package mutating func add(_ field: Int, _ value: Int) {
    key(field, wireType: 0)
    varint(UInt64(value))
  }

  package mutating func add(_ field: Int, _ value: Double) {
    key(field, wireType: 1)
    bytes.append(littleEndian: value.bitPattern)
  }

  package mutating func add(_ field: Int, _ value: Float) {
    key(field, wireType: 5)
    bytes.append(littleEndian: value.bitPattern)
  }

  package mutating func add(_ field: Int, _ value: some Collection<UInt8>) {
    key(field, wireType: 2)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  package mutating func add(_ field: Int, _ text: String) {
    add(field, Array(text.utf8))
  }

  /// A message within the message.
  package mutating func add(_ field: Int, _ fill: (inout ProtocolBuffer) -> Void) {
    var message = ProtocolBuffer()
    fill(&message)
    add(field, message.bytes)
  }

  private mutating func key(_ field: Int, wireType: Int) {
    varint(UInt64(field << 3 | wireType))
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f | 0x80))
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
