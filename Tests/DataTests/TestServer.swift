import Foundation
import Synchronization

/// A web server on 127.0.0.1 that misbehaves in the way that a test needs.
final class TestServer: Sendable {
  struct Request: Equatable, Sendable {
    let path: String
    /// The start of the requested range, if there is one.
    let rangeStart: Int?
  }

  struct Response: Sendable {
    var status = 200
    var headers: [String: String] = [:]
    var body = Data()
    /// The number of bytes of the body that are sent before the connection is closed; nil sends all.
    var breaksOffAfter: Int?
    /// Whether the connection stays open without more bytes.
    var hangs = false
    /// Whether the body is sent again and again, and its length is not announced.
    var isEndless = false
    /// Whether the body is sent byte by byte, one in 50 ms.
    var trickles = false
    /// Whether not even the header is sent.
    var isSilent = false
  }

  /// Whether 127.0.0.1 can be reached; not in a sandbox that has no network at all.
  static let loopbackIsUp: Bool = {
    #if os(Linux)
      let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    #else
      let descriptor = socket(AF_INET, SOCK_DGRAM, 0)
    #endif
    defer { close(descriptor) }
    return withLoopbackAddress(port: 9) { connect(descriptor, $0, $1) == 0 }
  }()

  let port: UInt16
  private let listener: Int32
  private let isStopped = Atomic(false)
  private let received = Mutex<[Request]>([])

  /// - Parameter respond: Called with each request and the number of earlier ones.
  init(_ respond: @escaping @Sendable (Request, Int) -> Response) throws {
    listener = streamSocket()
    var address = sockaddr_in()
    let descriptor = listener
    let isListening = withLoopbackAddress(port: 0) { loopback, length in
      var length = length
      return bind(descriptor, loopback, length) == 0 && listen(descriptor, 16) == 0
        && withUnsafeMutablePointer(to: &address) {
          $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            getsockname(descriptor, $0, &length) == 0
          }
        }
    }
    // A client may close the connection in the middle of a response.
    signal(SIGPIPE, SIG_IGN)
    guard listener >= 0, isListening else { throw CocoaError(.fileReadUnknown) }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in
      // Closed by the thread that waits there: elsewhere the number might be another server's by now.
      defer { close(listener) }
      while case let connection = accept(listener, nil, nil), connection >= 0 {
        guard !isStopped.load(ordering: .acquiring) else {
          close(connection)
          return
        }
        Thread.detachNewThread { [self] in
          answer(connection, respond)
          close(connection)
        }
      }
    }
  }

  /// A server of one file that supports ranges.
  convenience init(file: Data) throws {
    try self.init { request, _ in Self.ranged(file, request) }
  }

  /// The requests so far.
  var requests: [Request] { received.withLock { $0 } }

  func address(_ path: String = "file") -> String { "http://127.0.0.1:\(port)/\(path)" }

  func stop() {
    isStopped.store(true, ordering: .releasing)
    // A last connection wakes the thread that waits for one.
    let descriptor = streamSocket()
    _ = withLoopbackAddress(port: port) { connect(descriptor, $0, $1) }
    close(descriptor)
  }

  /// The response of a server that supports ranges.
  static func ranged(_ file: Data, _ request: Request) -> Response {
    guard let start = request.rangeStart else { return Response(body: file) }
    guard start < file.count else { return Response(status: 416) }
    let range = "bytes \(start)-\(file.count - 1)/\(file.count)"
    return Response(
      status: 206, headers: ["Content-Range": range], body: Data(file.dropFirst(start)))
  }

  private func answer(_ connection: Int32, _ respond: (Request, Int) -> Response) {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !text.contains("\r\n\r\n") {
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return }
      text += String(decoding: buffer[..<count], as: UTF8.self)
    }
    let path = text.split(separator: " ").dropFirst().first.map { String($0.dropFirst()) }
    let range = text.firstMatch(of: /Range: bytes=([0-9]+)-/)
    let request = Request(path: path ?? "", rangeStart: range.flatMap { Int($0.1) })
    let earlier = received.withLock { requests in
      requests.append(request)
      return requests.count - 1
    }
    let response = respond(request, earlier)
    var head = "HTTP/1.1 \(response.status) Test\r\nConnection: close\r\n"
    for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
    head += response.isEndless ? "\r\n" : "Content-Length: \(response.body.count)\r\n\r\n"
    let body = response.body.prefix(response.breaksOffAfter ?? response.body.count)
    if response.trickles {
      transmit(Data(head.utf8), to: connection)
      for byte in body {
        guard transmit(Data([byte]), to: connection) else { return }
        Thread.sleep(forTimeInterval: 0.05)
      }
      return
    }
    if !response.isSilent { transmit(Data(head.utf8) + body, to: connection) }
    while response.isEndless, transmit(body, to: connection) {}
    // The client closes the connection.
    if response.hangs { while recv(connection, &buffer, buffer.count, 0) > 0 {} }
  }

  /// Sends bytes; false if the client has closed the connection.
  @discardableResult
  private func transmit(_ bytes: Data, to connection: Int32) -> Bool {
    let bytes = [UInt8](bytes)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        send(connection, $0.baseAddress, $0.count, 0)
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }
}

/// A socket for connections, or a negative number.
private func streamSocket() -> Int32 {
  #if os(Linux)
    socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  #else
    socket(AF_INET, SOCK_STREAM, 0)
  #endif
}

/// Calls `body` with the address of a port of 127.0.0.1.
private func withLoopbackAddress<Result>(
  port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return withUnsafePointer(to: address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
}
