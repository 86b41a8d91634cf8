import FlyingFox
import FlyingSocks
import Foundation
import Literate
import Synchronization

/// Answers the requests of browsers.
final class LiveHandler: HTTPHandler {
  private let live: LiveNotebook
  private let token: String
  private let port = Mutex<UInt16>(0)

  init(_ live: LiveNotebook, token: String) {
    self.live = live
    self.token = token
  }

  func setPort(_ port: UInt16) { self.port.withLock { $0 = port } }

  /// The largest request body in bytes.
  private static let bodyLimit = 1 << 20

  func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
    let hosts = ["127.0.0.1", "localhost"].map { "\($0):\(port.withLock { $0 })" }
    guard let host = request.headers[.host], hosts.contains(host) else {
      return refusal("this address is not served here")
    }
    let origin = request.headers[HTTPHeader("Origin")]
    guard origin == nil || origin == "http://\(host)" else {
      return refusal("requests of other pages are not answered")
    }
    let path = request.target.path(percentEncoded: true)
    let prefix = "/\(token)/"
    guard isEqual(String(path.prefix(prefix.utf8.count)), prefix) else {
      return refusal("the address lacks the token; it is printed where the notebook is watched")
    }
    let name = String(path.dropFirst(prefix.count))
    switch (request.method, name) {
    case (.GET, ""): return page()
    case (.GET, "events"): return events(after: request)
    case (.GET, "live.js"): return file(PackageResources.live_js, "text/javascript")
    case (.GET, "live.css"): return file(PackageResources.live_css, "text/css")
    case (.GET, "page.css"): return file(LiveNotebook.styleSheet, "text/css")
    case (.GET, _) where name.hasPrefix("figures/"):
      guard let png = live.figures.bytes(at: name) else { return notFound }
      return response(.ok, "image/png", png, cache: "max-age=31536000, immutable")
    case (.POST, "actions"):
      // A form of another page can neither have this origin nor this type.
      guard origin != nil,
        request.headers[.contentType]?.hasPrefix("application/json") == true
      else { return refusal("expected JSON from this page") }
      return try await perform(request)
    default: return notFound
    }
  }

  /// Compares all bytes, however many are equal: the time must not tell the token.
  private func isEqual(_ a: String, _ b: String) -> Bool {
    guard a.utf8.count == b.utf8.count else { return false }
    return zip(a.utf8, b.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  // MARK: Answers

  private func page() -> HTTPResponse {
    let (number, html, state, title) = live.document()
    return response(
      .ok, "text/html", Data(livePage(title: title, html, state: state, number: number).utf8))
  }

  private func events(after request: HTTPRequest) -> HTTPResponse {
    // A browser that has lost the connection names the last message that it has got.
    let text =
      request.headers[HTTPHeader("Last-Event-ID")]
      ?? request.query.first { $0.name == "since" }?.value
    let body = HTTPBodySequence(from: LiveEvents(live.feed, after: text.flatMap { Int($0) } ?? -1))
    return HTTPResponse(
      statusCode: .ok, headers: headers("text/event-stream; charset=utf-8", cache: "no-store"),
      body: body)
  }

  /// What a page sends.
  private struct Request: Decodable {
    var action: String
    var cell: String?
    var parameters: [String: String]?
  }

  private func perform(_ request: HTTPRequest) async throws -> HTTPResponse {
    guard let length = request.headers[.contentLength].flatMap({ Int($0) }),
      length <= Self.bodyLimit
    else {
      return response(
        .badRequest, "text/plain", Data("expected a body of up to 1 MiB with its length".utf8))
    }
    let data = try await request.bodyData
    do {
      guard let request = try? JSONDecoder().decode(Request.self, from: data) else {
        throw NotebookError("expected an action in JSON, got something else")
      }
      let action: LiveNotebook.Action
      switch request.action {
      case "nextCell": action = .nextCell
      case "runAll": action = .runAll
      case "stop": action = .stop
      case "runTo": action = .runTo(cell: request.cell ?? "")
      case "run": action = .run(parameters: request.parameters ?? [:])
      default:
        throw NotebookError(
          "expected nextCell, runAll, runTo, stop or run, got \(plainText(request.action))")
      }
      try live.perform(action)
      return response(.noContent, "text/plain", Data())
    } catch {
      return response(.badRequest, "text/plain", Data("\(error)".utf8))
    }
  }

  private func file(_ bytes: [UInt8], _ type: String) -> HTTPResponse {
    response(.ok, type, Data(bytes))
  }

  private var notFound: HTTPResponse { response(.notFound, "text/plain", Data("not found".utf8)) }

  private func refusal(_ reason: String) -> HTTPResponse {
    response(.forbidden, "text/plain", Data(reason.utf8))
  }

  private func response(
    _ status: HTTPStatusCode, _ type: String, _ body: Data, cache: String = "no-store"
  ) -> HTTPResponse {
    let type = type.hasPrefix("text/") ? "\(type); charset=utf-8" : type
    return HTTPResponse(
      statusCode: status, headers: headers(type, cache: cache),
      body: HTTPBodySequence(data: body, suggestedBufferSize: 1 << 16))
  }

  private func headers(_ type: String, cache: String) -> HTTPHeaders {
    HTTPHeaders([
      .contentType: type,
      HTTPHeader("Cache-Control"): cache,
      HTTPHeader("Content-Security-Policy"):
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; "
        + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      HTTPHeader("Referrer-Policy"): "no-referrer",
      HTTPHeader("X-Content-Type-Options"): "nosniff",
      HTTPHeader("Cross-Origin-Resource-Policy"): "same-origin",
      HTTPHeader("Cross-Origin-Opener-Policy"): "same-origin",
    ])
  }
}

/// The messages of a feed as server-sent events, until the feed is closed or the browser is gone.
struct LiveEvents: AsyncBufferedSequence {
  typealias Element = UInt8

  private let feed: LiveFeed
  private let number: Int

  /// - Parameters:
  ///   - feed: The messages.
  ///   - number: The number of the last message that the reader has.
  init(_ feed: LiveFeed, after number: Int) {
    (self.feed, self.number) = (feed, number)
  }

  func makeAsyncIterator() -> Iterator {
    Iterator(feed: feed, number: number, signals: feed.signals().makeAsyncIterator())
  }

  struct Iterator: AsyncBufferedIteratorProtocol {
    fileprivate let feed: LiveFeed
    fileprivate var number: Int
    fileprivate var signals: AsyncStream<Void>.Iterator
    private var hasBegun = false
    private var hasEnded = false

    fileprivate init(feed: LiveFeed, number: Int, signals: AsyncStream<Void>.Iterator) {
      (self.feed, self.number, self.signals) = (feed, number, signals)
    }

    mutating func next() async throws -> UInt8? {
      preconditionFailure("events are read in pieces")
    }

    mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
      if hasEnded { return nil }
      if hasBegun {
        if await signals.next() == nil { hasEnded = true }
        // A browser that sends nothing and reads nothing is noticed when this cannot be written.
      } else {
        hasBegun = true
      }
      switch feed.messages(after: number) {
      case .messages(let messages):
        var text = messages.isEmpty ? ":\n\n" : ""
        for message in messages {
          text += "id: \(message.number)\ndata: \(message.text)\n\n"
          number = message.number
        }
        return Array(text.utf8)
      case .reload:
        hasEnded = true
        return Array("data: {\"act\":\"reload\"}\n\n".utf8)
      }
    }
  }
}
