import Foundation

/// A request over a socket of its own, so that every header can be wrong.
struct Request {
  /// Sends bytes to a port of 127.0.0.1 and reads what comes back.
  ///
  /// - Parameters:
  ///   - text: The bytes.
  ///   - port: The port.
  ///   - host: The address.
  ///   - isEnough: Called with what has come so far; reading ends when it returns `true`, at the end of
  ///     the connection, or after ten seconds; of a large answer it is not called any more.
  /// - Returns: What came; `nil` if nobody listens there.
  static func send(
    _ text: String, port: UInt16, host: String = "127.0.0.1",
    until isEnough: (String) -> Bool = { _ in false }
  ) -> String? {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var pause = timeval(tv_sec: 0, tv_usec: 200_000)
    setsockopt(
      socket, SOL_SOCKET, SO_RCVTIMEO, &pause, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, host, &address.sin_addr)
    let isConnected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else { return nil }
    let bytes = Array(text.utf8)
    _ = write(socket, bytes, bytes.count)
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let limit = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < limit {
      let count = read(socket, &buffer, buffer.count)
      if count == 0 { break }
      if count > 0 { received += buffer[..<count] }
      if received.count < 1 << 20, isEnough(String(decoding: received, as: UTF8.self)) { break }
    }
    return String(decoding: received, as: UTF8.self)
  }
}
