import Foundation

/// Keeps the events of a run in its folder, from the start of a notebook that has understood its
/// parameters: one that refuses them leaves the page of the run before.
final class Recording {
  private let folder: RunFolder
  private let facts: [Page.Fact]
  private var early: [Event] = []
  private var log: EventLog?
  private var error: (any Error)?

  /// - Parameters:
  ///   - folder: Where the record goes.
  ///   - facts: What the box on the page says of the program.
  init(_ folder: RunFolder, facts: [Page.Fact]) {
    self.folder = folder
    self.facts = facts
  }

  /// Whether the notebook has understood its parameters.
  var hasBegun: Bool { log != nil || error != nil }

  /// Makes the folder.
  ///
  /// - Throws: When it cannot be made.
  func prepare() throws {
    try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
  }

  func add(_ event: Event) {
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
      try folder.clear()
      let log = try EventLog(folder.log)
      early.forEach(log.add)
      self.log = log
    } catch {
      self.error = error
    }
  }

  /// Completes the record.
  ///
  /// - Returns: All events.
  /// - Throws: What kept the record from being written.
  func finish() throws -> [Event] {
    if !hasBegun { begin() }
    if let error { throw error }
    try log?.finish()
    return log?.events ?? []
  }
}
