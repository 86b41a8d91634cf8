import Dispatch
import Foundation
import Synchronization

/// Notices Ctrl-C and SIGTERM in place of ending the program, so that a page can still be written.
package final class Interruption {
  private let signals = [SIGINT, SIGTERM]
  private let sources: [any DispatchSourceSignal]
  private let flag = Flag()

  /// What a handler may change from another thread.
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

  /// Whether there was a signal since the beginning.
  package var hasCome: Bool { flag.value.withLock { $0 } }

  /// From now on signals end the program again.
  package func forget() {
    sources.forEach { $0.cancel() }
    for number in signals { signal(number, SIG_DFL) }
  }
}
