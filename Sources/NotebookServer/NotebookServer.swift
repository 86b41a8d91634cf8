import CEmbeddedFiles
import FlyingFox
import FlyingSocks
import Foundation
import Literate
import Synchronization

/// Serves the live page of a notebook to browsers on this machine.
///
/// It listens on 127.0.0.1 alone. Every address begins with a random token, and requests of other pages
/// are refused by their `Host` and `Origin`, so that neither other users nor foreign web sites can see
/// or start anything.
package final class NotebookServer: Sendable {
  private let live: LiveNotebook
  /// The first component of every path: 128 random bits in hexadecimal digits.
  package let token: String
  private let port: UInt16
  private let state = Mutex(State())

  private struct State {
    var task: Task<Void, Never>?
    var heartbeat: Task<Void, Never>?
    var port: UInt16?
    var error: String?
    var lastLook = ContinuousClock.now
  }

  /// The pause in seconds between signs of life, by which browsers that have vanished are noticed.
  private static let heartbeat = 3.0

  /// - Parameters:
  ///   - live: The notebook.
  ///   - port: The port; 0 takes a free one.
  package init(_ live: LiveNotebook, port: UInt16 = 0) {
    self.live = live
    self.port = port
    var random = SystemRandomNumberGenerator()
    token = (0..<2).map { _ in
      let digits = String(random.next() as UInt64, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  // MARK: Start and end

  /// Starts to listen.
  ///
  /// - Returns: The address of the page.
  /// - Throws: ``NotebookError`` if the port is not free.
  package func start() throws -> URL {
    // A browser that has gone must not end the program.
    signal(SIGPIPE, SIG_IGN)
    let task = Task.detached { [self] in await listenUntilCancelled() }
    let heartbeat = Task.detached { [self] in
      while (try? await Task.sleep(for: .seconds(Self.heartbeat))) != nil {
        live.feed.wakeReaders()
        noteLook()
      }
    }
    state.withLock { ($0.task, $0.heartbeat) = (task, heartbeat) }
    let limit = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < limit {
      let (port, error) = state.withLock { ($0.port, $0.error) }
      if let port, let url = URL(string: "http://127.0.0.1:\(port)/\(token)/") { return url }
      if let error {
        stop()
        throw NotebookError(
          "cannot listen on port \(self.port): \(error); choose another one with --port, or leave it out"
        )
      }
      usleep(2_000)
    }
    stop()
    throw NotebookError("expected to listen on 127.0.0.1 within 10 s, but do not")
  }

  /// Stops to listen. Pages that are open have been told if the notebook was closed before.
  package func stop() {
    let tasks = state.withLock { state in
      defer { (state.task, state.heartbeat) = (nil, nil) }
      return [state.task, state.heartbeat]
    }
    for task in tasks { task?.cancel() }
  }

  /// The time since a browser had the page open.
  package var idleTime: Duration {
    noteLook()
    return state.withLock { ContinuousClock.now - $0.lastLook }
  }

  private func noteLook() {
    if live.feed.readerCount > 0 || live.isBusy {
      state.withLock { $0.lastLook = .now }
    }
  }

  /// Listens, and again if something went wrong, such as too many connections.
  private func listenUntilCancelled() async {
    var port = port
    while !Task.isCancelled {
      let server = HTTPServer(
        config: .init(
          address: Self.address(port: port),
          pool: PatientPool(base: HTTPServer.defaultPool()), logger: .disabled),
        handler: Handler(server: self))
      let watch = Task {
        try await server.waitUntilListening()
        guard case .ip4(_, let found)? = await server.listeningAddress else { return }
        state.withLock { $0.port = found }
      }
      do {
        try await server.run()
      } catch {
        watch.cancel()
        let known = state.withLock { state in
          if state.port == nil { state.error = Self.reason(of: error) }
          return state.port
        }
        guard let known else { return }
        port = known
        try? await Task.sleep(for: .milliseconds(200))
      }
    }
  }

  /// 127.0.0.1, and nothing else.
  private static func address(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in.inet(port: port)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func reason(of error: any Error) -> String {
    if case SocketError.failed(_, let number, _) = error {
      return String(cString: strerror(number))
    }
    return "\(error)"
  }

  private struct Handler: HTTPHandler {
    let server: NotebookServer

    func handleRequest(_ request: HTTPRequest) async -> HTTPResponse {
      await server.respond(to: request)
    }
  }

  // MARK: Requests

  private func respond(to request: HTTPRequest) async -> HTTPResponse {
    var response = await checkedResponse(to: request)
    for (name, value) in Self.headers { response.headers[HTTPHeader(name)] = value }
    return response
  }

  /// The headers of every response: nothing is kept, shown in frames, or read by other pages, and no
  /// address is passed on.
  private static let headers = [
    "Content-Security-Policy":
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
      + "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
  ]

  private func checkedResponse(to request: HTTPRequest) async -> HTTPResponse {
    guard let port = state.withLock({ $0.port }) else { return refusal(.serviceUnavailable, "") }
    let hosts = ["127.0.0.1:\(port)", "localhost:\(port)"]
    guard let host = request.headers[.host], hosts.contains(host.lowercased()) else {
      return refusal(.forbidden, "expected the host 127.0.0.1:\(port)")
    }
    let origin = request.headers[HTTPHeader("Origin")]?.lowercased()
    if let origin, !hosts.contains(where: { origin == "http://\($0)" }) {
      return refusal(.forbidden, "expected a request of this page")
    }
    let parts = request.path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: true)
    guard let first = parts.first, isToken(first) else {
      return refusal(.notFound, "expected the address that lab notebooks watch printed")
    }
    let path = parts.count > 1 ? String(parts[1]) : ""
    if request.method == .POST, path == "actions" {
      guard origin != nil else { return refusal(.forbidden, "expected a request of this page") }
      return await act(request)
    }
    guard request.method == .GET else { return refusal(.methodNotAllowed, "expected GET") }
    if path.isEmpty, !request.target.path().hasSuffix("/") {
      return HTTPResponse(
        statusCode: .movedPermanently, headers: [.location: "/\(token)/"], body: Data())
    }
    return page(path, request)
  }

  /// Compares in a time that does not tell how many digits are right.
  private func isToken(_ text: Substring) -> Bool {
    let (given, expected) = (Array(text.utf8), Array(token.utf8))
    guard given.count == expected.count else { return false }
    return zip(given, expected).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private func page(_ path: String, _ request: HTTPRequest) -> HTTPResponse {
    switch path {
    case "": return body(Data(LiveDocument(live).text.utf8), "text/html; charset=utf-8")
    case "events": return events(request)
    case "live.js": return body(file("live.js"), "text/javascript; charset=utf-8")
    case "style.css":
      return body(file("page.css") + file("live.css"), "text/css; charset=utf-8")
    default:
      guard let bytes = live.figures.bytes(at: path) else {
        return refusal(.notFound, "there is no such figure")
      }
      return body(bytes, "image/png")
    }
  }

  private func file(_ name: String) -> Data { Data(String(cString: embedded_file(name)).utf8) }

  private func events(_ request: HTTPRequest) -> HTTPResponse {
    let text =
      request.headers[HTTPHeader("Last-Event-ID")]
      ?? request.query.first { $0.name == "since" }?.value
    guard let number = text.flatMap({ Int($0) }) else {
      return refusal(.badRequest, "expected events?since=NUMBER")
    }
    return HTTPResponse(
      statusCode: .ok, headers: [.contentType: "text/event-stream"],
      body: HTTPBodySequence(from: EventStream(feed: live.feed, after: number)))
  }

  private func body(_ data: Data, _ type: String) -> HTTPResponse {
    HTTPResponse(
      statusCode: .ok, headers: [.contentType: type],
      body: HTTPBodySequence(data: data, suggestedBufferSize: 1 << 18))
  }

  private func refusal(_ status: HTTPStatusCode, _ message: String) -> HTTPResponse {
    HTTPResponse(
      statusCode: status, headers: [.contentType: "text/plain; charset=utf-8"],
      body: Data("\(message)\n".utf8))
  }

  // MARK: Actions

  /// The most bytes of a request's body.
  private static let bodyLimit = 1 << 16

  private struct Request: Decodable {
    var action: String
    var cell: String?
    var parameters: [String: String]?

    func callAsFunction() throws -> LiveNotebook.Action {
      switch (action, cell, parameters) {
      case ("nextCell", nil, nil): .nextCell
      case ("runAll", nil, nil): .runAll
      case ("stop", nil, nil): .stop
      case ("runTo", let cell?, nil): .runTo(cell: cell)
      case ("run", nil, let parameters?): .run(parameters: parameters)
      default: throw NotebookError("expected an action, got \(plainText(action))")
      }
    }
  }

  private func act(_ request: HTTPRequest) async -> HTTPResponse {
    guard request.headers[.contentType]?.lowercased().hasPrefix("application/json") == true else {
      return refusal(.unsupportedMediaType, "expected application/json")
    }
    guard let count = request.bodySequence.count, count <= Self.bodyLimit else {
      return refusal(.payloadTooLarge, "expected up to \(Self.bodyLimit) bytes")
    }
    do {
      let data = try await request.bodyData
      let action = try JSONDecoder().decode(Request.self, from: data)
      try live.perform(action())
      return HTTPResponse(statusCode: .noContent)
    } catch let error as NotebookError {
      return refusal(.badRequest, error.description)
    } catch {
      return refusal(.badRequest, "expected an action in JSON")
    }
  }
}

/// Waits for sockets as another pool does, but not for ever: a connection that is not used, or whose
/// reader does not read, ends after a minute.
private struct PatientPool<Base: AsyncSocketPool>: AsyncSocketPool {
  let base: Base

  private static var patience: Duration { .seconds(60) }

  func prepare() async throws { try await base.prepare() }

  func run() async throws { try await base.run() }

  func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
    guard (try? socket.remotePeer()) != nil else {
      // The one that listens.
      return try await base.suspendSocket(socket, untilReadyFor: events)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await base.suspendSocket(socket, untilReadyFor: events) }
      group.addTask {
        try await Task.sleep(for: Self.patience)
        throw SocketError.disconnected
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}
