import Foundation
import Plot

/// Logs the events of a run in its folder, from the start event on.
final class Recording {
  private let folder: RunFolder
  private let facts: [Page.Fact]
  private var early: [Event] = []
  private var log: EventLog?
  private var error: (any Error)?

  /// - Parameters:
  ///   - folder: The folder of the run.
  ///   - facts: The facts about the program.
  init(_ folder: RunFolder, facts: [Page.Fact]) {
    self.folder = folder
    self.facts = facts
  }

  /// Whether the notebook has started.
  var hasBegun: Bool { log != nil || error != nil }

  func add(_ event: Event) {
    let event = event.withoutKey
    guard let log else {
      early.append(event)
      if case .start = event { begin() }
      return
    }
    if case .end = event { facts.forEach { log.add(.fact($0)) } }
    log.add(event)
  }

  private func begin() {
    do {
      let log = try EventLog(folder.log)
      early.forEach(log.add)
      self.log = log
    } catch {
      self.error = error
    }
  }

  /// Completes the log.
  ///
  /// - Returns: All events.
  /// - Throws: The error if the log could not be written.
  func finish() throws -> [Event] {
    if !hasBegun { begin() }
    if let error { throw error }
    try log?.finish()
    return log?.events ?? []
  }
}

/// Writes events to a file as they happen, and reserves disk space for the pages: a notebook that
/// fills the disk still gets its page.
final class EventLog {
  private let url: URL
  private let file: FileHandle
  private let reserve: URL
  private(set) var events: [Event] = []
  /// Whether the file lacks an event, for example because the disk was full.
  private var isBehind = false

  /// The size of large pages.
  private static let reserveSize = 8 << 20

  /// - Throws: An error if the file cannot be created.
  init(_ url: URL) throws {
    self.url = url
    try writeFile([], to: url.path(percentEncoded: false))
    file = try FileHandle(forWritingTo: url)
    reserve = url.deletingLastPathComponent().appending(path: ".reserve")
    // If the disk is too small for the reserve, the run may still leave enough space.
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

  /// Frees the reserved space and completes the file.
  ///
  /// - Throws: An error if the file cannot be written.
  func finish() throws {
    try? FileManager.default.removeItem(at: reserve)
    try? file.close()
    guard isBehind else { return }
    try writeFile(try events.map { try $0.line }.joined(), to: url)
  }
}
