import FlyingFox
import FlyingSocks
import Foundation
import Literate

/// Serves a ``LiveNotebook`` to browsers on this machine.
///
/// It listens on 127.0.0.1 alone. Each address begins with a token that nobody can guess, so that other
/// users and programs of the machine cannot reach the notebook; pages from elsewhere, which a browser may
/// have open, are refused by the `Host` and `Origin` of their requests.
///
/// | Address below the token | |
/// | --- | --- |
/// | `/` | the page as it is now |
/// | `/events?since=N` | what happens after message N, as server-sent events |
/// | `/actions` | POST: what the reader asks for, in JSON |
/// | `/figures/…` | the figures |
/// | `/live.js`, `/live.css`, `/page.css` | the files of the page |
package final class NotebookServer: Sendable {
  private let live: LiveNotebook
  private let token: String
  private let server: HTTPServer
  private let port: UInt16

  /// The time in seconds between two signs of life to browsers: one that is gone is noticed then.
  private static let pulse = 2.0

  /// Binds the port.
  ///
  /// - Parameters:
  ///   - live: The notebook.
  ///   - port: The port; 0 takes a free one.
  /// - Throws: ``NotebookError`` if the port cannot be used.
  package init(_ live: LiveNotebook, port: UInt16 = 0) async throws {
    self.live = live
    var generator = SystemRandomNumberGenerator()
    token = (0..<2).map { _ in
      let digits = String(generator.next(), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
    let handler = LiveHandler(live, token: token)
    server = HTTPServer(
      address: try sockaddr_in.inet(ip4: "127.0.0.1", port: port), logger: .disabled,
      handler: handler)
    let server = server
    let task = Task { try await server.run() }
    do {
      try await server.waitUntilListening(timeout: 5)
    } catch {
      var reason = "\(error)"
      do { try await task.value } catch { reason = error.localizedDescription }
      throw NotebookError(
        "cannot listen on port \(port) of 127.0.0.1: \(reason); choose another one with --port")
    }
    guard case .ip4(_, let bound)? = await server.listeningAddress else {
      throw NotebookError("expected an address of IPv4, got another one")
    }
    self.port = bound
    handler.setPort(bound)
  }

  /// The address of the page.
  package var address: String { "http://127.0.0.1:\(port)/\(token)/" }

  /// Serves until the task is cancelled, or nobody has looked for a while.
  ///
  /// - Parameter idleSeconds: The time in seconds without a browser after which it ends; not while the
  ///   notebook is built or run. `nil` never.
  package func serve(idleSeconds: Double?, while goesOn: @Sendable () -> Bool) async {
    let clock = ContinuousClock()
    var (lastReader, lastPulse) = (clock.now, clock.now)
    while goesOn() {
      try? await Task.sleep(for: .milliseconds(100))
      if lastPulse.duration(to: clock.now) >= .seconds(Self.pulse) {
        live.feed.wakeReaders()
        lastPulse = clock.now
      }
      if live.feed.readerCount > 0 || live.isBusy { lastReader = clock.now }
      if let idleSeconds, lastReader.duration(to: clock.now) > .seconds(idleSeconds) { break }
    }
  }

  /// Ends the notebook's run, tells browsers, and closes the port.
  package func close() async {
    live.close()
    // The last messages are on their way.
    await server.stop(timeout: 1)
  }
}
