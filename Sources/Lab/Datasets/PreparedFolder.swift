import Digests
import Foundation
import LabData

/// A folder of files that are prepared once. `contents.json`, which is written last, records what they
/// were made from and their checksums.
///
/// ```text
/// processed/emnist/.lock                  held while files are prepared
/// processed/emnist/.preparing-1f0c…/      what is being prepared; it moves up when it is complete
/// processed/emnist/contents.json
/// ```
package struct PreparedFolder<Recipe: Codable & Equatable> {
  private struct Contents: Codable {
    let recipe: Recipe
    let sizes: [String: Int]
    /// The digest of each file's blocks, by name. Earlier versions recorded none.
    let checksums: [String: String]?
  }

  /// The folder.
  package let url: URL
  /// What the files must be made from; if they were made from something else, they are prepared again.
  package let recipe: Recipe

  package init(url: URL, recipe: Recipe) {
    self.url = url
    self.recipe = recipe
  }

  private var contents: URL { url.appending(path: "contents.json") }

  /// Loads the files. `make` writes them first if they are missing, were made from something else, or
  /// are damaged: if they cannot be loaded, or differ in size or checksum from what was recorded.
  ///
  /// Files that are there are replaced when all new ones are complete. An error that says nothing
  /// about the files, such as too many open files, is thrown, and they stay as they are.
  ///
  /// If two processes prepare the same files at once, one waits for the other.
  ///
  /// - Parameters:
  ///   - name: A description of the files, for messages.
  ///   - report: Called with each message for the user.
  ///   - files: The names of the files that `load` opens.
  ///   - load: Opens the files in a folder.
  ///   - sizes: The sizes of the parts of the result, by name.
  ///   - make: Writes the files into an empty folder.
  /// - Throws: ``DataError`` if files cannot be read or written, or the error that `make` throws.
  package func prepare<Result>(
    _ name: String, report: (String) -> Void, files: [String], load: (URL) throws -> Result,
    sizes: (Result) -> [String: Int], make: (URL) throws -> Void
  ) throws -> Result {
    removeAbandonedFiles()
    func inspect() throws -> State<Result> { try self.inspect(files, load: load, sizes: sizes) }
    if case .complete(let result, let hasChecksums) = try inspect() {
      if !hasChecksums { addChecksums() }
      return result
    }
    return try FileLock.hold(
      lock(of: url),
      onWait: { report("waiting for another process that is preparing \(name)") }
    ) {
      var damage, others: String?
      switch try inspect() {
      case .complete(let result, _): return result
      case .damaged(let reason):
        damage = reason
        report("\(reason): preparing \(name) again")
      case .made(let reason): others = reason
      case .absent: break
      }
      let new = url.appending(path: ".preparing-\(randomName())", directoryHint: .isDirectory)
      try createFolder(new)
      // After a success it is empty. If it cannot be removed, a later start does it.
      defer { try? FileManager.default.removeItem(at: new) }
      do {
        try make(new)
      } catch let error as DataError where error.kind == .unavailable {
        if let others { throw DataError(.unavailable, "\(error); \(others)") }
        guard let damage else { throw error }
        throw DataError(.damaged, "\(damage), and it cannot be prepared again: \(error)")
      }
      let result = try load(new)
      let contents = Contents(
        recipe: recipe, sizes: sizes(result), checksums: try checksums(in: new))
      try replaceFiles(by: new, contents)
      return result
    }
  }

  private enum State<Result> {
    case complete(Result, hasChecksums: Bool)
    case damaged(String)
    /// The files were made from something else.
    case made(String)
    /// Nothing was prepared.
    case absent
  }

  private func inspect<Result>(
    _ files: [String], load: (URL) throws -> Result, sizes: (Result) -> [String: Int]
  ) throws -> State<Result> {
    guard let status = try FileStatus.of(contents) else { return .absent }
    let path = contents.path(percentEncoded: false)
    guard status.kind == .file, status.size <= 1 << 20,
      let recorded = try recorded()
    else { return .damaged("\(path): expected a record of prepared files") }
    guard recorded.recipe == recipe else {
      return .made("the files in \(url.path(percentEncoded: false)) have another source and stay")
    }
    for name in Set(files).union((recorded.checksums ?? [:]).keys).sorted() {
      let file = url.appending(path: name)
      guard try FileStatus.of(file) != nil else {
        return .damaged("\(file.path(percentEncoded: false)): expected a file, found none")
      }
    }
    let result: Result
    do {
      result = try load(url)
    } catch let error as DataError where error.kind == .damaged {
      return .damaged(error.description)
    }
    guard recorded.sizes == sizes(result) else {
      return .damaged("\(path): expected the sizes \(sizes(result)), got \(recorded.sizes)")
    }
    for (name, expected) in (recorded.checksums ?? [:]).sorted(by: { $0.key < $1.key }) {
      let file = url.appending(path: name)
      guard try SHA256.hexadecimal(ofBlocksOf: file) == expected else {
        return .damaged(
          "\(file.path(percentEncoded: false)): its bytes have changed since it was prepared")
      }
    }
    return .complete(result, hasChecksums: recorded.checksums != nil)
  }

  /// What the contents file records; nil if it is damaged.
  private func recorded() throws -> Contents? {
    let json = try withFile(contents, "read") { try Data(contentsOf: contents) }
    return try? JSONDecoder().decode(Contents.self, from: json)
  }

  /// The names of the files in a folder, without hidden ones and the contents file.
  private func names(in folder: URL) throws -> [String] {
    try withFile(folder, "read") {
      try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
    }.filter { !$0.hasPrefix(".") && $0 != contents.lastPathComponent }.sorted()
  }

  private func checksums(in folder: URL) throws -> [String: String] {
    var checksums: [String: String] = [:]
    for name in try names(in: folder) {
      checksums[name] = try SHA256.hexadecimal(ofBlocksOf: folder.appending(path: name))
    }
    return checksums
  }

  private func replaceFiles(by new: URL, _ record: Contents) throws {
    // Without its contents file, a half-written folder counts as empty.
    if try FileStatus.of(contents, followsLinks: false) != nil {
      try withFile(contents, "remove") { try FileManager.default.removeItem(at: contents) }
      try synchronizeFolder(url)
    }
    for name in try names(in: new) {
      try move(new.appending(path: name), to: url.appending(path: name))
    }
    try write(record)
  }

  private func write(_ record: Contents) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let json = try encoder.encode(record)
    try writeWhole(to: contents) { try $0.write(contentsOf: json) }
  }

  /// Adds checksums to the record of an earlier version, so that later damage is noticed.
  private func addChecksums() {
    guard access(url.path(percentEncoded: false), W_OK) == 0 else { return }
    // The files can be used without: what goes wrong here may go well at a later start.
    try? FileLock.hold(lock(of: url), onWait: { throw IsHeld() }) {
      guard let record = try recorded(), record.recipe == recipe, record.checksums == nil
      else { return }
      try write(
        Contents(recipe: recipe, sizes: record.sizes, checksums: try checksums(in: url)))
    }
  }
}

extension PreparedFolder {
  /// Removes what programs that were killed left in this folder and those beside it.
  private func removeAbandonedFiles() {
    let parent = url.deletingLastPathComponent()
    for folder in Self.names(of: parent).map({ parent.appending(path: $0) })
    where Self.names(of: folder).contains(where: isAbandoned) {
      // Whoever prepares files there holds the lock. What cannot be removed is left alone.
      try? holdIfFree(folder) {
        for name in Self.names(of: folder) where isAbandoned(name) {
          try? FileManager.default.removeItem(at: folder.appending(path: name))
        }
      }
    }
  }

  /// The names in a folder; none if it cannot be read.
  private static func names(of folder: URL) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))) ?? []
  }
}

/// Whether a name is one that this or an earlier version of the program gives to incomplete files.
private func isAbandoned(_ name: String) -> Bool {
  name.wholeMatch(of: /\.(preparing-[0-9a-f]{16}|lab-[0-9a-f]{16}\.part)/) != nil
    || name.wholeMatch(of: /\.[a-z-]+(-idx[0-9]-ubyte|\.json|\.txt|\.mat)\.part/) != nil
    || name.wholeMatch(of: /emnist-byclass\.mat|\.emnist-byclass\.mat-[0-9A-F-]{36}/) != nil
}

private struct IsHeld: Error {}

private func lock(of folder: URL) -> URL { folder.appending(path: ".lock") }

/// Runs `body` while it holds the lock of a folder of prepared files, unless another one holds it or
/// the folder has no lock.
private func holdIfFree(_ folder: URL, _ body: () throws -> Void) throws {
  guard try FileStatus.of(lock(of: folder), followsLinks: false)?.kind == .file else { return }
  try FileLock.hold(lock(of: folder), onWait: { throw IsHeld() }, body)
}
