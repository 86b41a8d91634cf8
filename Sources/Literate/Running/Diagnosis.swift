import Foundation

/// Finds out why a notebook did not come to its end.
package struct Diagnosis {
  /// Why the runner ended it.
  package var reason: String?
  private var lastLines: [UInt8] = []

  package init() {}

  /// Takes in what comes on standard error.
  package mutating func read(_ bytes: [UInt8]) {
    // Messages of a crash come last.
    lastLines = (lastLines + bytes).suffix(1 << 14)
  }

  /// Nothing, where the program came to its end.
  package func failure(of ending: Child.Ending, crash: CrashReport?) -> Event.Failure? {
    if let reason { return .init(message: reason, line: nil) }
    switch ending {
    case .exit(0): return nil
    case .exit(let status):
      let message = lines.last { $0.hasPrefix("Error: ") }?.dropFirst("Error: ".count)
      return .init(message: message.map(String.init) ?? "ended with exit status \(status)")
    case .signal(let signal):
      let fatal = fatalError
      if let fatal, fatal.message.hasPrefix(Self.uncaught) {
        // Where the error came from, the report does not say.
        return .init(message: String(fatal.message.dropFirst(Self.uncaught.count)))
      }
      return .init(
        message: fatal?.message ?? crash?.message ?? Self.name(of: signal),
        line: crash?.line ?? fatal?.line)
    }
  }

  private var lines: [Substring] {
    String(decoding: lastLines, as: UTF8.self).split(separator: "\n")
  }

  /// `main/main.swift:12: Fatal error: no data` is what Swift writes before it ends a program.
  private var fatalError: (message: String, line: Int?)? {
    let mark = /^(?<place>[^ ]*):(?<line>\d+): Fatal error: (?<message>.*)$/
    guard let match = lines.lazy.compactMap({ $0.wholeMatch(of: mark) }).last else { return nil }
    return (String(match.message), match.place.hasSuffix("main.swift") ? Int(match.line) : nil)
  }

  private static let uncaught = "Error raised at top level: "

  private static func name(of signal: Int32) -> String {
    let name = "signal \(signal) (\(String(cString: strsignal(signal))))"
    // Optimized programs do not say which check it was.
    return [SIGILL, SIGTRAP].contains(signal)
      ? "a check of Swift's failed, such as that of an index: \(name)" : "ended by \(name)"
  }
}

/// What Swift's runtime wrote of a crash.
package struct CrashReport {
  /// What happened, such as `Index out of range`; nothing if the report says no more than the signal.
  package let message: String?
  /// The line of `main.swift` that was running.
  package let line: Int?

  /// The report in a folder; nil if there is none.
  init?(in folder: URL) {
    let files = try? FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    guard let file = files?.first, let text = try? String(contentsOf: file, encoding: .utf8) else {
      return nil
    }
    self.init(text)
  }

  package init(_ text: String) {
    message = text.firstMatch(of: /Swift runtime failure: (.*?)( \*\*\*| in |\n)/).map {
      String($0.1)
    }
    line = text.firstMatch(of: /\/main\.swift:(\d+)/).flatMap { Int($0.1) }
  }
}
