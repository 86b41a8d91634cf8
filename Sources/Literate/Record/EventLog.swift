import Foundation
import Plot

/// Writes events to a file as they happen, and keeps room on the disk for what comes after the run:
/// a notebook that fills its disk still gets its page.
final class EventLog {
  private let url: URL
  private let file: FileHandle
  private let reserve: URL
  private(set) var events: [Event] = []
  /// Whether the file lacks an event, as when the disk was full.
  private var isBehind = false

  /// As much as large pages take.
  private static let reserveSize = 8 << 20

  /// - Throws: When the file cannot be made.
  init(_ url: URL) throws {
    self.url = url
    try writeFile([], to: url.path(percentEncoded: false))
    file = try FileHandle(forWritingTo: url)
    reserve = url.deletingLastPathComponent().appending(path: ".reserve")
    // A small disk gives what it has; the run may still leave enough.
    try? Data(count: Self.reserveSize).write(to: reserve)
  }

  /// Adds an event.
  func add(_ event: Event) {
    events.append(event)
    do {
      try file.write(contentsOf: Data(event.line.utf8))
    } catch {
      isBehind = true
    }
  }

  /// Gives the room on the disk free, and completes the file.
  ///
  /// - Throws: When the file cannot be written.
  func finish() throws {
    try? FileManager.default.removeItem(at: reserve)
    try? file.close()
    guard isBehind else { return }
    try writeFile(try events.map { try $0.line }.joined(), to: url)
  }
}
