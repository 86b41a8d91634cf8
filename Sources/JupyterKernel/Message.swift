import Foundation

/// A message of Jupyter's protocol.
///
/// Source: [Messaging in Jupyter](https://jupyter-client.readthedocs.io/en/stable/messaging.html)
package struct Message: Equatable, Sendable {
  /// Where a reply goes.
  package var identities: [[UInt8]]
  /// The bytes of the header, which a reply repeats.
  package var header: [UInt8]
  package var type: String
  package var session: String
  package var metadata: JSON
  package var content: JSON

  /// The version of the protocol.
  package static let version = "5.3"

  private static let delimiter = Array("<IDS|MSG>".utf8)

  /// Reads a message and checks its signature.
  ///
  /// - Throws: ``KernelError`` if it is none, or if its signature is wrong.
  package init(_ frames: [[UInt8]], _ signer: Signer) throws {
    guard let mark = frames.firstIndex(of: Self.delimiter), frames.count >= mark + 6 else {
      throw KernelError("expected a message of at least 6 parts, got \(frames.count)")
    }
    let parts = Array(frames[(mark + 2)..<(mark + 6)])
    guard try signer.accepts(frames[mark + 1], of: parts) else {
      throw KernelError("a message has a wrong signature")
    }
    identities = Array(frames[..<mark])
    header = parts[0]
    guard let head = try? JSON(header), let type = head["msg_type"]?.string,
      let metadata = try? JSON(parts[2]), let content = try? JSON(parts[3])
    else { throw KernelError("a message is not JSON as the protocol has it") }
    self.type = type
    session = head["session"]?.string ?? ""
    (self.metadata, self.content) = (metadata, content)
  }

  /// The parts of a message of the kernel.
  ///
  /// - Parameters:
  ///   - type: Its type, such as `execute_reply`.
  ///   - content: Its content.
  ///   - identities: Where it goes.
  ///   - parent: The request that it belongs to.
  ///   - session: The identifier of the kernel's session.
  ///   - signer: Signs it.
  /// - Throws: `DataError` if it cannot be signed.
  package static func frames(
    _ type: String, _ content: JSON, to identities: [[UInt8]], parent: Message?, session: String,
    _ signer: Signer
  ) throws -> [[UInt8]] {
    let header: JSON = [
      "msg_id": .string(UUID().uuidString), "session": .string(session), "username": "kernel",
      "date": .string(
        Date().formatted(
          .iso8601.dateTimeSeparator(.standard).time(includingFractionalSeconds: true))),
      "msg_type": .string(type), "version": .string(version),
    ]
    let parts = [
      header.bytes, parent?.header ?? Array("{}".utf8), Array("{}".utf8), content.bytes,
    ]
    return identities + [delimiter, Array(try signer.signature(of: parts).utf8)] + parts
  }
}

/// The file with which Jupyter starts a kernel.
package struct ConnectionFile: Decodable, Equatable, Sendable {
  package var transport: String
  package var ip: String
  package var shell_port: Int
  package var control_port: Int
  package var iopub_port: Int
  package var stdin_port: Int
  package var hb_port: Int
  package var key: String
  package var signature_scheme: String

  /// Reads the file.
  ///
  /// - Throws: ``KernelError``.
  package init(contentsOf path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw KernelError("cannot read the connection file \(path)")
    }
    do {
      self = try JSONDecoder().decode(Self.self, from: data)
    } catch {
      throw KernelError("\(path): expected a connection file of Jupyter, found something else")
    }
    guard key.isEmpty || signature_scheme == "hmac-sha256" else {
      throw KernelError("\(path): expected the signatures hmac-sha256, found \(signature_scheme)")
    }
    guard ["tcp", "ipc"].contains(transport) else {
      throw KernelError("\(path): expected the transport tcp or ipc, found \(transport)")
    }
  }

  /// The address of a channel.
  package func address(_ port: Int) -> String {
    transport == "ipc" ? "ipc://\(ip)-\(port)" : "tcp://\(ip):\(port)"
  }
}
