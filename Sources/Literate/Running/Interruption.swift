import Dispatch
import Foundation
import Synchronization

/// Catches Ctrl-C and SIGTERM, so that the page can still be written.
package final class Interruption {
  private let signals = [SIGINT, SIGTERM]
  private let sources: [any DispatchSourceSignal]
  private let flag = Flag()

  /// The state shared with the signal handlers.
  private final class Flag: Sendable {
    let value = Mutex(false)
  }

  package init() {
    sources = signals.map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: .global())
    }
    for source in sources {
      source.setEventHandler { [flag] in flag.value.withLock { $0 = true } }
      source.resume()
    }
  }

  /// Whether a signal was caught.
  package var hasOccurred: Bool { flag.value.withLock { $0 } }

  /// Restores the default handling of signals.
  package func stop() {
    sources.forEach { $0.cancel() }
    for number in signals { signal(number, SIG_DFL) }
  }
}
