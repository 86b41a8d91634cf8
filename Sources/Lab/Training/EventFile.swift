import Foundation
import LabData

/// A file of events for TensorBoard: scalars, images, histograms, and a run's hyperparameters.
///
/// The file is a sequence of records: the length in eight bytes, its checksum, a message `Event`, its
/// checksum. `tensorboard --logdir output/logs` finds it by its name.
///
/// Source: the definitions event.proto and summary.proto of TensorFlow, and plugin_data.proto of
/// TensorBoard's hparams plugin.
package final class EventFile: TrainingObserver {
  let file: LogFile

  package init(_ url: URL) throws {
    file = try LogFile(url)
  }

  /// Writes the file's version, and the hyperparameters for the tab HPARAMS.
  ///
  /// - Parameter hyperparameters: Texts by name; those that are numbers are written as numbers.
  package func begin(_ hyperparameters: [String: String]) throws {
    try write(step: 0) { $0.add(3, "brain.Event:2") }
    try write(step: 0) { event in
      event.add(5) { summary in
        self.addSession("session_start_info", to: &summary) { plugin in
          plugin.add(3) { session in
            for (name, text) in hyperparameters.sorted(by: { $0.key < $1.key }) {
              session.add(1) { entry in
                entry.add(1, name)
                entry.add(2) { value in
                  if let number = Double(text) { value.add(2, number) } else { value.add(3, text) }
                }
              }
            }
            session.add(5, Date.now.timeIntervalSince1970)
          }
        }
      }
    }
  }

  /// Cuts the file back to the size that it had when a state was saved.
  ///
  /// - Parameters:
  ///   - size: The size.
  ///   - hyperparameters: Texts by name, for a file that has lost its beginning.
  /// - Returns: What is wrong with the file; nil if nothing is.
  func restore(to size: UInt64, _ hyperparameters: [String: String]) throws -> String? {
    let found = file.size
    // Half a record would make all that follow unreadable.
    var end: UInt64 = 0
    while end < min(size, found) {
      let length = try file.bytes(at: end, count: 8)
      guard length.count == 8, length[4...].allSatisfy({ $0 == 0 }) else { break }
      let next = end + UInt64(length.littleEndian(at: 0, bytes: 4)) + 16
      guard next <= min(size, found) else { break }
      end = next
    }
    try file.cut(to: end)
    if end == 0 { try begin(hyperparameters) }
    return file.problem(found: found, expected: size, entries: "records")
  }

  /// Writes that the run has ended.
  package func testEnded(_ metrics: Metrics, step: Int) throws {
    try write(step: step) { event in
      event.add(5) { summary in
        self.addSession("session_end_info", to: &summary) { plugin in
          plugin.add(4) { session in
            session.add(1, 1)  // STATUS_SUCCESS
            session.add(2, Date.now.timeIntervalSince1970)
          }
        }
      }
    }
  }

  package func log(_ entry: LogEntry) throws {
    try write(step: entry.step) { event in
      event.add(5) { summary in
        for (scalar, number) in entry.values {
          summary.add(1) { value in
            value.add(1, scalar.name)
            value.add(2, Float(number))
          }
        }
      }
    }
  }

  /// Writes an image.
  ///
  /// - Parameters:
  ///   - png: The bytes of a PNG file.
  ///   - width: Its width in pixels.
  ///   - height: Its height in pixels.
  ///   - name: Its name in TensorBoard.
  ///   - step: The steps made so far, in all epochs.
  package func write(png: [UInt8], width: Int, height: Int, name: String, step: Int) throws {
    try write(step: step) { event in
      event.add(5) { summary in
        summary.add(1) { value in
          value.add(1, name)
          value.add(4) { image in
            image.add(1, height)
            image.add(2, width)
            image.add(3, 3)  // RGB
            image.add(4, png)
          }
        }
      }
    }
  }

  /// Writes histograms.
  ///
  /// - Parameters:
  ///   - histograms: The histograms with their names in TensorBoard.
  ///   - step: The steps made so far, in all epochs.
  package func write(_ histograms: [(name: String, histogram: Histogram)], step: Int) throws {
    try write(step: step) { event in
      event.add(5) { summary in
        for (name, histogram) in histograms {
          summary.add(1) { value in
            value.add(1, name)
            value.add(5) { message in
              message.add(1, histogram.min)
              message.add(2, histogram.max)
              message.add(3, Double(histogram.count))
              message.add(4, histogram.sum)
              message.add(5, histogram.sumOfSquares)
              message.add(6, histogram.limits)
              message.add(7, histogram.counts.map { Double($0) })
            }
          }
        }
      }
    }
  }

  /// Writes the network's graph.
  ///
  /// - Parameter graph: A message `GraphDef`.
  package func write(graph: Data) throws {
    try write(step: 0) { $0.add(4, graph) }
  }

  /// A value for the hparams plugin, which finds it by its tag.
  private func addSession(
    _ tag: String, to summary: inout ProtocolBuffer, _ fill: (inout ProtocolBuffer) -> Void
  ) {
    summary.add(1) { value in
      value.add(1, "_hparams_/\(tag)")
      value.add(9) { metadata in
        metadata.add(1) { data in
          data.add(1, "hparams")
          data.add(2, fill)
        }
      }
    }
  }

  /// Writes a record.
  private func write(step: Int, _ fill: (inout ProtocolBuffer) -> Void) throws {
    var event = ProtocolBuffer()
    event.add(1, Date.now.timeIntervalSince1970)
    event.add(2, step)
    fill(&event)
    var length = Data()
    length.append(littleEndian: UInt64(event.bytes.count))
    try file.append(length + checksum(length) + event.bytes + checksum(event.bytes))
  }

  /// A masked checksum: checksums of bytes that contain checksums would be weak.
  private func checksum(_ bytes: Data) -> Data {
    let crc = crc32c(bytes)
    var sum = Data()
    sum.append(littleEndian: (crc >> 15 | crc << 17) &+ 0xa282_ead8)
    return sum
  }
}

/// A message in the encoding of protocol buffers, written field by field.
///
/// Event files use few fields of few messages; code generated from TensorFlow's definitions, and its
/// library, would be many times as long.
///
/// Source: protobuf.dev, "Encoding".
package struct ProtocolBuffer {
  package private(set) var bytes = Data()

  package init() {}

  /// A non-negative integer.
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

  /// Numbers of a repeated field, packed.
  package mutating func add(_ field: Int, _ values: [Double]) {
    var packed = Data()
    for value in values { packed.append(littleEndian: value.bitPattern) }
    add(field, packed)
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

/// The CRC-32C checksum (Castagnoli) of some bytes, as iSCSI and TensorFlow's records use it.
///
/// Source: RFC 3720, appendix B.4.
package func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
  ~bytes.reduce(~0) { crc, byte in crc >> 8 ^ table[Int((crc ^ UInt32(byte)) & 0xff)] }
}

/// The change of the checksum for each value of a byte.
private let table: [UInt32] = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0x82f6_3b78 : 0) }
}
