import Foundation
import LabTensors

/// A file of events that TensorBoard shows: scalars, images, and what a run was started with.
///
/// The file is a row of records: the length in eight bytes, its checksum, a message `Event`, its
/// checksum. `tensorboard --logdir output/logs` finds it by its name.
///
/// Source: the definitions event.proto and summary.proto of TensorFlow, and plugin_data.proto of
/// TensorBoard's hparams plugin.
package final class EventFile {
  let log: LogFile

  package init(_ url: URL) throws {
    log = try LogFile(url)
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

  /// Writes that the run has come to its end.
  package func end(step: Int) throws {
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

  /// Writes scalars of a step.
  package func write(_ scalars: [Scalar: Double], step: Int) throws {
    try write(step: step) { event in
      event.add(5) { summary in
        for scalar in Scalar.allCases {
          guard let number = scalars[scalar] else { continue }
          summary.add(1) { value in
            value.add(1, scalar.rawValue)
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
  ///   - name: What it is called.
  ///   - step: When it was made.
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
    try log.append(length + checksum(length) + event.bytes + checksum(event.bytes))
  }

  /// Checksums of bytes that hold checksums would be weak; hence this mask.
  private func checksum(_ bytes: Data) -> Data {
    let crc = crc32c(bytes)
    var sum = Data()
    sum.append(littleEndian: (crc >> 15 | crc << 17) &+ 0xa282_ead8)
    return sum
  }
}
