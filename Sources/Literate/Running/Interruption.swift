import Dispatch
import Foundation
import Synchronization

/// Catches Ctrl-C, SIGTERM and the end of the terminal (SIGHUP), so that the page can still be written.
///
/// Signals that the program was started to ignore, as with `nohup`, stay ignored.
package final class Interruption {
  private let earlier: [(signal: Int32, action: sigaction)]
  private let sources: [any DispatchSourceSignal]
  private let flag: Flag

  /// The state shared with the signal handlers.
  private final class Flag: Sendable {
    let value = Mutex(false)
  }

  /// The first signal that was caught in this process.
  private static let caught = Mutex<Int32?>(nil)

  /// The exit status of a process that was interrupted, as shells report it: 130 for Ctrl-C, 143 for
  /// SIGTERM, 129 for SIGHUP; `nil` if it was not.
  package static var exitStatus: Int32? { caught.withLock { $0.map { 128 + $0 } } }

  package init() {
    var earlier: [(signal: Int32, action: sigaction)] = []
    // A closed pipe of the runner's own output must not end it: the page is not written there.
    for number in [SIGHUP, SIGINT, SIGTERM, SIGPIPE] {
      var action = sigaction()
      sigaction(number, nil, &action)
      if Self.isIgnored(action) { continue }
      earlier.append((number, action))
      signal(number, SIG_IGN)
    }
    let flag = Flag()
    (self.earlier, self.flag) = (earlier, flag)
    sources = earlier.map(\.signal).filter { $0 != SIGPIPE }.map { number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        Self.caught.withLock { $0 = $0 ?? number }
        flag.value.withLock { $0 = true }
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
  package var hasOccurred: Bool { flag.value.withLock { $0 } }

  /// Restores the handling of signals.
  package func stop() {
    sources.forEach { $0.cancel() }
    for (number, action) in earlier {
      var action = action
      sigaction(number, &action, nil)
    }
  }
}
