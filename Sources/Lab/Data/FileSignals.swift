import Foundation

/// Signals that the system sends because of a file.
package enum FileSignals {
  /// From now on a write beyond `ulimit -f` fails with "file too large" instead of ending the program
  /// without a word, and a mapped file that was cut short ends it with one line.
  ///
  /// Calling it again has no effect.
  package static func prepare() { _ = prepared }

  private static let prepared: Void = {
    signal(SIGXFSZ, SIG_IGN)
    signal(SIGBUS) { _ in
      // Nothing but system calls is allowed here.
      let message: StaticString =
        "Error: a data file became shorter or unreadable while it was in use; run this again\n"
      _ = write(2, message.utf8Start, message.utf8CodeUnitCount)
      _exit(1)
    }
  }()
}
