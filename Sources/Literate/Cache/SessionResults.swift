import Digests
import Foundation
import StandardStreams

/// The results of a running notebook that are stored, and what they depend on.
@MainActor
final class SessionResults {
  /// Values that all results depend on, by name.
  var dependencies: [String: String] = [:]
  /// What every computation may change, by name.
  var sharedStates: [String: any CachedState] = [:]
  /// The values of the notebook's parameters.
  var parameters: [Page.Fact] = []
  /// The folders of data declared so far.
  var dataFolders: Set<String> = []

  private var names: Set<String> = []
  private var keys: CellKeys?
  private var hasLookedForKeys = false
  private unowned let session: Session

  /// The variable with the folder for results, set by the runner; empty if there is none.
  nonisolated static let folderVariable = "LITERATE_CACHE"
  /// The variable with the ``CellKeys`` of the program, set by the runner.
  nonisolated static let keysVariable = "LITERATE_KEYS"
  /// The variable with the names of results that are computed again, a line each; `*` is all.
  nonisolated static let refreshVariable = "LITERATE_REFRESH"
  /// The variable with the largest size of all results together, in megabytes.
  nonisolated static let limitVariable = "LITERATE_CACHE_MB"

  init(_ session: Session) {
    self.session = session
  }

  private static var environment: [String: String] { ProcessInfo.processInfo.environment }

  /// The folder with the results of this notebook; `nil` if none are stored.
  var cache: ResultCache? {
    guard let path = Self.environment[Self.folderVariable] else {
      return ResultCache(folder: session.output.appending(path: "cache/\(session.name)"))
    }
    return path.isEmpty
      ? nil : ResultCache(folder: URL(filePath: path, directoryHint: .isDirectory))
  }

  /// The largest size of all results together, in bytes.
  nonisolated static var limit: Int {
    let megabytes = environmentLimit ?? 2000
    return megabytes.multipliedReportingOverflow(by: 1_000_000).overflow
      ? .max : megabytes * 1_000_000
  }

  private nonisolated static var environmentLimit: Int? {
    ProcessInfo.processInfo.environment[limitVariable].flatMap { Int($0) }.flatMap {
      $0 >= 0 ? $0 : nil
    }
  }

  func isRefreshed(_ name: String) -> Bool {
    (Self.environment[Self.refreshVariable] ?? "").split(separator: "\n")
      .contains { $0 == name || $0 == "*" }
  }

  /// Ends the notebook if there was a result of this name before: one would be taken for the other.
  func claim(_ name: String, line: Int) {
    attempt(line: line) {
      guard !name.isEmpty, names.insert(name).inserted else {
        throw NotebookError(
          "cached: expected a name that no other result has, got “\(name)”"
            + (name.isEmpty ? "" : " twice; in a loop, put its variable into the name"))
      }
    }
  }

  /// The digest of everything that a result depends on; `nil` if a state cannot be saved.
  func key(
    of name: String, _ states: [any CachedState], _ inputs: [Data], file: String
  ) -> String? {
    do {
      var parts = [
        "version 1", name, try codeKey(file), platform,
        parameters.map { "\($0.name)=\($0.value)" }.joined(separator: "\n"),
        dependencies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
          .joined(separator: "\n"),
      ]
      parts += dataFolders.sorted().map { "\($0) \(Fingerprint.files(in: $0))" }
      parts += try states.map { try SHA256.hexadecimal(of: $0.savedState()) }
      parts += try inputs.map(SHA256.hexadecimal(of:))
      return try checksumOf(parts)
    } catch {
      warn("“\(name)” is not stored: \(error)")
      return nil
    }
  }

  private var platform: String {
    #if arch(arm64)
      "arm64"
    #elseif arch(x86_64)
      "x86_64"
    #else
      "other"
    #endif
  }

  /// What the code says about the results of this cell. Where the sources do not say it, the program
  /// does: then each change of the notebook lets everything be computed again.
  private func codeKey(_ file: String) throws -> String {
    if !hasLookedForKeys {
      hasLookedForKeys = true
      keys =
        if let text = Self.environment[Self.keysVariable] {
          try? JSONDecoder().decode(CellKeys.self, from: Data(text.utf8))
        } else {
          try CellKeys.ofThisProgram(URL(filePath: session.file ?? file))
        }
    }
    guard let keys, let code = keys.code(line: session.cell?.line) else {
      return "program \(try programDigest)"
    }
    return "code \(code) \(keys.libraries)"
  }

  private var programDigest: String {
    get throws {
      try SHA256.hexadecimal(of: Data(contentsOf: CellKeys.program, options: .alwaysMapped))
    }
  }

  /// Locks the folder for the progress of a computation, and creates it.
  ///
  /// - Returns: The lock; `nil` if another process is computing the same result, or the folder cannot
  ///   be created: then no progress is saved.
  func startProgress(in folder: URL) -> FolderLock? {
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return FolderLock(folder)
  }

  /// Stores a result; if it cannot be stored, there is a warning.
  func store(
    _ value: some Codable, _ states: [any CachedState], _ recorder: Recorder,
    as entry: ResultCache.Entry, in cache: ResultCache
  ) {
    do {
      guard let outputs = recorder.outputs else {
        throw NotebookError(
          "expected at most \(Recorder.limit >> 20) MiB of output, got more")
      }
      var files = ["value.json": try resultEncoder.encode(value)]
      for (index, state) in states.enumerated() {
        files["state-\(index)"] = try state.savedState()
      }
      var entry = entry
      for case .event(.data(let folder), _) in outputs {
        entry.data[folder.folder] = Fingerprint.files(in: folder.folder)
      }
      files.merge(recorder.files) { $1 }
      files["outputs.json"] = try resultEncoder.encode(outputs)
      let size = files.values.reduce(0) { $0 + $1.count }
      guard size <= Self.limit else {
        throw NotebookError(
          "expected at most \(amountOfMemory(Self.limit)), got \(amountOfMemory(size)); "
            + "\(Self.limitVariable) changes the limit")
      }
      try cache.store(entry, files)
      ResultCache.shrink(cache.folder.deletingLastPathComponent(), to: Self.limit)
    } catch {
      warn("“\(entry.name)” is not stored: \(error)")
    }
  }

  /// Prints a warning on standard error.
  func warn(_ message: String) {
    fflush(nil)
    Recorder.pausing {
      StandardStreams.writeError(Array("Warning: cached: \(message)\n".utf8))
    }
  }
}
