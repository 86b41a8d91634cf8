import Digests
import Foundation

/// A folder with the results of earlier runs of a notebook: a folder for each result.
///
/// ```text
/// output/cache/01-look-at-emnist/cnn-7d1f60c2a4b95e83/entry.json       what it is, checksums of the files
///                                                     value.json       the value
///                                                     outputs.json     what was printed, figures
///                                                     figure-0.png …   the figures' files
///                                                     state-0 …        what else it has changed
///                               /cnn-7d1f60c2a4b95e83.unfinished/      progress of an interrupted training
/// ```
///
/// A result appears whole or not at all: it is written into a hidden folder, which is then renamed. One
/// whose checksums do not fit is not used.
struct ResultCache {
  /// The folder of all results of a notebook.
  let folder: URL

  /// What `entry.json` says about a result.
  struct Entry: Codable, Equatable {
    var version = 1
    var notebook: String
    var name: String
    /// What the result depends on, as a digest.
    var key: String
    /// When it was computed, in seconds since 1970.
    var time: Double
    /// How long that took, in seconds.
    var seconds: Double
    /// The digests of the files, by name.
    var files: [String: String]
    /// The checksums of the folders of data that were read, by folder.
    var data: [String: String]
    /// The digest of all other fields.
    var checksum = ""

    /// The entry with its checksum.
    func signed() throws -> Entry {
      var entry = self
      entry.checksum = ""
      entry.checksum = try SHA256.hexadecimal(of: Data(try jsonText(of: entry).utf8))
      return entry
    }
  }

  /// A result with the contents of its files.
  struct Result {
    let entry: Entry
    let files: [String: Data]
  }

  /// What a folder has for a key.
  enum Found {
    case nothing
    case result(Result)
    /// There is one, but it cannot be used, for this reason.
    case damaged(String)
    /// The data that it was computed from have changed.
    case outdated
  }

  private static let entryName = "entry.json"

  /// The folder for a result.
  func folder(_ name: String, key: String) -> URL {
    var identifiers = Identifiers()
    let title = identifiers.next(for: name).prefix(40)
    return folder.appending(path: "\(title)-\(key.prefix(16))", directoryHint: .isDirectory)
  }

  // MARK: Reading

  /// The result of a name for a key.
  func result(_ name: String, key: String) -> Found {
    let url = folder(name, key: key)
    guard isFolder(url) else { return .nothing }
    guard let entry = Self.entry(in: url) else { return .damaged("\(Self.entryName) is damaged") }
    // The name of the folder has but a part of the key.
    guard entry.key == key, entry.name == name else { return .nothing }
    var files: [String: Data] = [:]
    for (file, digest) in entry.files {
      guard isFileName(file), let bytes = regularFile(url.appending(path: file)) else {
        return .damaged("\(file) is missing")
      }
      guard (try? SHA256.hexadecimal(of: bytes)) == digest else {
        return .damaged("\(file) is damaged")
      }
      files[file] = bytes
    }
    guard entry.data.allSatisfy({ Fingerprint.files(in: $0.key) == $0.value }) else {
      return .outdated
    }
    // The results that were not used for the longest time are thrown away first.
    try? FileManager.default.setAttributes(
      [.modificationDate: Date()],
      ofItemAtPath: url.appending(path: Self.entryName).path(percentEncoded: false))
    return .result(Result(entry: entry, files: files))
  }

  /// The entry in the folder of a result; `nil` if it is damaged.
  private static func entry(in url: URL) -> Entry? {
    guard let data = regularFile(url.appending(path: entryName), limit: 1 << 26),
      let entry = try? JSONDecoder().decode(Entry.self, from: data), entry.version == 1,
      (try? entry.signed()) == entry
    else { return nil }
    return entry
  }

  // MARK: Writing

  /// Stores a result in place of an earlier one of the same key.
  ///
  /// - Parameters:
  ///   - entry: What it is; its digests are added.
  ///   - files: The contents of its files, by name.
  /// - Throws: An error if it cannot be written.
  func store(_ entry: Entry, _ files: [String: Data]) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    removeAbandoned()
    let part = folder.appending(path: ".\(UUID()).part", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: part, withIntermediateDirectories: false)
    let lock = FolderLock(part)
    defer {
      try? FileManager.default.removeItem(at: part)
      withExtendedLifetime(lock) {}
    }
    var entry = entry
    for (name, bytes) in files {
      try Self.write(bytes, to: part.appending(path: name))
      entry.files[name] = try SHA256.hexadecimal(of: bytes)
    }
    try Self.write(
      Data(try jsonText(of: entry.signed()).utf8), to: part.appending(path: Self.entryName))
    let target = folder(entry.name, key: entry.key)
    Self.remove(target)
    let paths = [part, target].map { withoutSlash($0.path(percentEncoded: false)) }
    if rename(paths[0], paths[1]) == 0 { return }
    // Another process may have stored the same result just now.
    guard [EEXIST, ENOTEMPTY].contains(errno), Self.entry(in: target) != nil else {
      throw NotebookError("cannot write \(paths[1]): \(String(cString: strerror(errno)))")
    }
  }

  /// Writes a new file, and waits until it is on the disk: after a power failure a renamed folder must
  /// not have empty files.
  private static func write(_ bytes: Data, to url: URL) throws {
    let path = url.path(percentEncoded: false)
    let number = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard number >= 0 else {
      throw NotebookError("cannot write \(path): \(String(cString: strerror(errno)))")
    }
    let file = FileHandle(fileDescriptor: number, closeOnDealloc: true)
    try file.write(contentsOf: bytes)
    try file.synchronize()
  }

  // MARK: Progress

  /// The folder for the progress of a computation that can be interrupted.
  func progressFolder(_ name: String, key: String) -> URL {
    let url = folder(name, key: key)
    return url.deletingLastPathComponent()
      .appending(path: "\(url.lastPathComponent)\(Self.unfinished)", directoryHint: .isDirectory)
  }

  static let unfinished = ".unfinished"

  // MARK: Listing and removing

  /// A result or the progress of one, as listed.
  struct Listed {
    let folder: URL
    let notebook: String
    /// The entry; `nil` if the computation was interrupted, or it is damaged.
    let entry: Entry?
    let isUnfinished: Bool
    /// The size of its files in bytes.
    let size: Int
    /// When it was used last.
    let lastUse: Date
  }

  /// All results of all notebooks, those that were used last first.
  ///
  /// - Parameter cache: The folder with a folder for each notebook.
  static func all(in cache: URL) -> [Listed] {
    let notebooks = (try? contents(of: cache)) ?? []
    return notebooks.flatMap { notebook in
      ((try? contents(of: notebook)) ?? []).compactMap { url -> Listed? in
        guard isResultFolder(url) else { return nil }
        let isUnfinished = url.lastPathComponent.hasSuffix(unfinished)
        let files = (try? contents(of: url)) ?? []
        let size = files.reduce(0) { $0 + fileSize($1) }
        return Listed(
          folder: url, notebook: notebook.lastPathComponent,
          entry: isUnfinished ? nil : entry(in: url), isUnfinished: isUnfinished, size: size,
          lastUse: newest(isUnfinished ? files : [url.appending(path: entryName)]))
      }
    }.sorted { $0.lastUse > $1.lastUse }
  }

  /// Whether a folder has the name of a result: `cnn-7d1f60c2a4b95e83`.
  private static func isResultFolder(_ url: URL) -> Bool {
    isFolder(url)
      && url.lastPathComponent.wholeMatch(of: /.+-[0-9a-f]{16}(\.unfinished)?/) != nil
  }

  /// Removes the results that were not used for the longest time, until the others are not larger than
  /// a limit.
  ///
  /// - Parameters:
  ///   - cache: The folder with a folder for each notebook.
  ///   - limit: The limit in bytes.
  /// - Returns: The number of results removed.
  @discardableResult
  static func shrink(_ cache: URL, to limit: Int) -> Int {
    var (size, count) = (0, 0)
    for listed in all(in: cache) {
      size += listed.size
      guard size > limit else { continue }
      if remove(listed.folder) { count += 1 }
    }
    return count
  }

  /// Removes a result or the progress of one, but no file of another name.
  ///
  /// - Parameters:
  ///   - url: The folder.
  ///   - lock: The lock on it, if this process holds it.
  /// - Returns: Whether the folder is gone.
  @discardableResult
  static func remove(_ url: URL, holding lock: FolderLock? = nil) -> Bool {
    guard isFolder(url), let lock = lock ?? FolderLock(url) else { return false }
    defer { withExtendedLifetime(lock) {} }
    // Without its entry it is no result any more, also if the program is killed here.
    unlink(url.appending(path: entryName).path(percentEncoded: false))
    for file in (try? contents(of: url)) ?? [] where isOwnFile(file.lastPathComponent) {
      unlink(file.path(percentEncoded: false))
    }
    rmdir(withoutSlash(url.path(percentEncoded: false)))
    return !isFolder(url)
  }

  /// Whether a file's name is one of those that results have.
  private static func isOwnFile(_ name: String) -> Bool {
    name.wholeMatch(
      of:
        /entry\.json|value\.json|outputs\.json|figure-\d+\.png|state-\d+|training-state.*|\.lab-.*\.part/
    )
      != nil
  }

  /// Removes what programs that were killed have left behind.
  private func removeAbandoned() {
    for url in (try? Self.contents(of: folder)) ?? []
    where url.lastPathComponent.wholeMatch(of: /\.[0-9A-F-]{36}\.part/) != nil {
      // Of one that is being written another process holds the lock.
      Self.remove(url)
    }
  }

  private static func contents(of folder: URL) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
      .sorted().map { folder.appending(path: $0) }
  }

  private static func fileSize(_ url: URL) -> Int {
    var status = stat()
    return lstat(url.path(percentEncoded: false), &status) == 0 ? Int(status.st_size) : 0
  }
}

/// A lock on a folder, until it is released.
final class FolderLock {
  private let handle: FileHandle

  /// `nil` if another process has locked it, or there is no such folder.
  init?(_ url: URL) {
    let path = withoutSlash(url.path(percentEncoded: false))
    let number = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else { return nil }
    handle = FileHandle(fileDescriptor: number, closeOnDealloc: true)
    // Some network disks have no locks.
    if flock(number, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { return nil }
  }
}

/// A path without a slash at its end, through which a link would be followed.
func withoutSlash(_ path: String) -> String {
  path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
}
