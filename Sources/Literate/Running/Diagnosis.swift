import Foundation

/// Determines why a notebook failed.
package struct Diagnosis {
  /// The reason if the runner ended the notebook.
  package var reason: String?
  private var lastLines: [UInt8] = []

  package init() {}

  /// Reads standard error.
  package mutating func read(_ bytes: [UInt8]) {
    // The messages of a crash are the last lines.
    lastLines = (lastLines + bytes).suffix(1 << 14)
  }

  /// The failure; `nil` if the program ended normally.
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
        // The report does not say where the error was thrown.
        return .init(message: String(fatal.message.dropFirst(Self.uncaught.count)))
      }
      return .init(
        message: fatal?.message ?? crash?.message ?? Self.name(of: signal),
        line: crash?.line ?? fatal?.line)
    }
  }

  private var lines: [Substring] {
    withUnixLineEnds(String(decoding: lastLines, as: UTF8.self)).split(separator: "\n")
  }

  /// The last line like `main/main.swift:12: Fatal error: no data`, which Swift writes before it traps.
  private var fatalError: (message: String, line: Int?)? {
    let mark = /^(?<place>[^ ]*):(?<line>\d+): Fatal error: (?<message>.*)$/
    guard let match = lines.lazy.compactMap({ $0.wholeMatch(of: mark) }).last else { return nil }
    return (String(match.message), match.place.hasSuffix("main.swift") ? Int(match.line) : nil)
  }

  private static let uncaught = "Error raised at top level: "

  private static func name(of signal: Int32) -> String {
    let name = "signal \(signal) (\(String(cString: strsignal(signal))))"
    // Optimized programs do not say which check failed.
    return [SIGILL, SIGTRAP].contains(signal)
      ? "a runtime check failed, such as an array index: \(name)" : "ended by \(name)"
  }
}

/// The crash report of Swift's runtime.
package struct CrashReport {
  /// The message, such as `Index out of range`; `nil` if the report has only the signal.
  package let message: String?
  /// The line of `main.swift` that was executing.
  package let line: Int?

  /// Reads the report in a folder; `nil` if there is none.
  package init?(in folder: URL) {
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
