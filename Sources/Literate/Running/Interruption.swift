import Dispatch
import Foundation
import Synchronization

/// Catches Ctrl-C, SIGTERM and the end of the terminal (SIGHUP), so that the page can still be written.
///
/// Signals that the program was started to ignore, as with `nohup`, stay ignored. Several parts of a
/// program may catch signals at the same time: each of them notices those that arrive.
package final class Interruption: Sendable {
  /// The handlers of the process, shared by all instances.
  private struct Handlers {
    var users = 0
    var earlier: [(signal: Int32, action: sigaction)] = []
    var sources: [any DispatchSourceSignal] = []
  }

  private static let handlers = Mutex(Handlers())
  /// The first signal that was caught in this process, and the number of signals.
  private static let caught = Mutex<(first: Int32?, count: Int)>((nil, 0))

  private let countBefore: Int
  private let isActive = Mutex(true)

  /// The exit status of a process that was interrupted, as shells report it: 130 for Ctrl-C, 143 for
  /// SIGTERM, 129 for SIGHUP; `nil` if it was not.
  package static var exitStatus: Int32? { caught.withLock { $0.first.map { 128 + $0 } } }

  package init() {
    countBefore = Self.caught.withLock { $0.count }
    Self.handlers.withLock { handlers in
      handlers.users += 1
      if handlers.users == 1 { Self.install(&handlers) }
    }
  }

  deinit { stop() }

  private static func install(_ handlers: inout Handlers) {
    // A closed pipe of the runner's own output must not end it: the page is not written there.
    for number in [SIGHUP, SIGINT, SIGTERM, SIGPIPE] {
      var action = sigaction()
      sigaction(number, nil, &action)
      if isIgnored(action) { continue }
      handlers.earlier.append((number, action))
      signal(number, SIG_IGN)
    }
    handlers.sources = handlers.earlier.map(\.signal).filter { $0 != SIGPIPE }.map { number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        caught.withLock { $0 = ($0.first ?? number, $0.count + 1) }
      }
      source.resume()
      return source
    }
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    #if canImport(Darwin)
      let handler = action.__sigaction_u.__sa_handler
    #else
      let handler = action.__sigaction_handler.sa_handler
    #endif
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Whether a signal was caught since the start.
  package var hasOccurred: Bool { Self.caught.withLock { $0.count } > countBefore }

  /// Restores the handling of signals, unless other parts of the program still catch them.
  package func stop() {
    let wasActive = isActive.withLock { isActive in
      defer { isActive = false }
      return isActive
    }
    guard wasActive else { return }
    Self.handlers.withLock { handlers in
      handlers.users -= 1
      guard handlers.users == 0 else { return }
      handlers.sources.forEach { $0.cancel() }
      for (number, action) in handlers.earlier {
        var action = action
        sigaction(number, &action, nil)
      }
      (handlers.earlier, handlers.sources) = ([], [])
    }
  }
}
