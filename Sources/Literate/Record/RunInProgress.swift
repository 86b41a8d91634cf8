import Foundation

/// A run that has not ended yet. Its files are in a folder of their own, `.run` in the notebook's
/// folder, until there is a page that can take the place of the last one.
final class RunInProgress {
  /// The folder for the files of the run.
  let folder: RunFolder
  /// What the page of the last run can link to, if it is kept.
  var surroundings: PageSurroundings?
  /// The notebook's folder.
  private let target: RunFolder
  /// The folder locked, so that two runs of one notebook do not mix their files.
  private let lock: LockedFolder

  static let name = ".run"

  /// Creates the folder, and removes what a run that was killed has left there.
  ///
  /// - Throws: ``NotebookError`` if the notebook is running already, or an error if the folder cannot
  ///   be created.
  init(in target: RunFolder) throws {
    self.target = target
    folder = RunFolder(target.url.appending(path: Self.name, directoryHint: .isDirectory))
    lock = try LockedFolder(
      folder.url, busy: "\(target.url.lastPathComponent) is being run by another process")
  }

  /// Moves the files of the run to the notebook's folder, in place of those of the last run. If this
  /// run did not pass and the last one did, the last one is kept in `last-passed`.
  ///
  /// - Parameters:
  ///   - hasPassed: Whether the run passed.
  ///   - record: The record of the run, without its files.
  /// - Returns: The new names of files of the reader that had the names of the run's.
  /// - Throws: ``NotebookError`` if a file cannot be moved.
  func publish(hasPassed: Bool, record: RunRecord) throws -> [String] {
    if !hasPassed, target.hasPassed { try keepLastPassed() }
    var record = record
    let earlier = target.record
    let files = try filesOfRun()
    record.files = files
    // Whatever happens in between, the record names all files of both runs.
    var both = record
    both.files = Set(earlier.files + files).sorted()
    // Half of a run is not the run of a fingerprint.
    remove(RunFolder.fingerprintName, in: target.url)
    try target.write(both)
    var kept: [String] = []
    for file in files {
      if !earlier.files.contains(file) { kept += try keepFileOfReader(file) }
      try move(file)
    }
    for file in earlier.files where !files.contains(file) { remove(file, in: target.url) }
    try target.write(record)
    if hasPassed { removeLastPassed() }
    return kept
  }

  /// The paths of all files in the folder of the run.
  private func filesOfRun() throws -> [String] {
    let path = folder.url.path(percentEncoded: false)
    // The fingerprint comes last: it says that the others are complete.
    return try FileManager.default.subpathsOfDirectory(atPath: path).filter {
      var status = stat()
      let isThere = lstat("\(path)/\($0)", &status) == 0
      return isThere && status.st_mode & S_IFMT != S_IFDIR
    }.sorted {
      ($0 == RunFolder.fingerprintName ? 1 : 0, $0) < ($1 == RunFolder.fingerprintName ? 1 : 0, $1)
    }
  }

  private func move(_ file: String) throws {
    let new = target.url.appending(path: file)
    try createFolder(of: new)
    let paths = [folder.url.appending(path: file), new].map { $0.path(percentEncoded: false) }
    guard rename(paths[0], paths[1]) == 0 else {
      throw NotebookError("cannot write \(paths[1]): \(String(cString: strerror(errno)))")
    }
  }

  /// Renames a file or folder that no run has written, unless it is equal to that of the run.
  private func keepFileOfReader(_ file: String) throws -> [String] {
    let old = target.url.appending(path: file)
    var status = stat()
    guard lstat(old.path(percentEncoded: false), &status) == 0 else { return [] }
    if let mine = regularFile(old), mine == regularFile(folder.url.appending(path: file)) {
      return []
    }
    for number in 1...1000 {
      let name = number == 1 ? "\(file).kept" : "\(file).kept-\(number)"
      let new = target.url.appending(path: name).path(percentEncoded: false)
      if lstat(new, &status) == 0 { continue }
      guard rename(old.path(percentEncoded: false), new) == 0 else {
        throw NotebookError("cannot rename \(file): \(String(cString: strerror(errno)))")
      }
      return [name]
    }
    throw NotebookError(
      "\(old.path(percentEncoded: false)): expected a file of an earlier run, found another one; "
        + "move it away")
  }

  /// Puts the run that passed into `last-passed`; its files stay until others take their places, so
  /// that there is a page at every moment.
  private func keepLastPassed() throws {
    let kept = target.lastPassed
    let record = target.record
    removeLastPassed()
    try FileManager.default.createDirectory(at: kept.url, withIntermediateDirectories: true)
    try kept.write(record)
    for file in record.files {
      let (old, new) = (target.url.appending(path: file), kept.url.appending(path: file))
      var status = stat()
      guard lstat(old.path(percentEncoded: false), &status) == 0 else { continue }
      try createFolder(of: new)
      // A second name costs no space, but not every disk has them.
      let paths = (old.path(percentEncoded: false), new.path(percentEncoded: false))
      if link(paths.0, paths.1) != 0 { try FileManager.default.copyItem(at: old, to: new) }
    }
    let name = target.url.lastPathComponent
    if var page = try? kept.page {
      page.name = name
      var translations = kept.translations
      for language in translations.keys { translations[language]?.name = name }
      var place = PagePlace.lastPassed(in: surroundings)
      place.languagesOfOtherRun = folder.languages
      try kept.write(page, translations, as: place)
    }
  }

  /// Puts the run in `last-passed` into the place of the one that was interrupted after it.
  ///
  /// - Throws: ``NotebookError`` if a file cannot be moved.
  static func restoreLastPassed(in target: RunFolder) throws {
    let run = try RunInProgress(in: target)
    let record = target.lastPassed.record
    for file in record.files {
      let (old, new) = (
        target.lastPassed.url.appending(path: file), run.folder.url.appending(path: file)
      )
      guard let bytes = regularFile(old) else { continue }
      try run.createFolder(of: new)
      try bytes.write(to: new)
    }
    _ = try run.publish(hasPassed: true, record: record)
  }

  private func removeLastPassed() {
    let kept = target.lastPassed
    guard isFolder(kept.url) else { return }
    for file in kept.record.files + [RunFolder.recordName] { remove(file, in: kept.url) }
    // Fails if there are files of the reader in it.
    rmdir(kept.url.path(percentEncoded: false))
  }

  private func createFolder(of file: URL) throws {
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
  }
}

/// Removes a file that a run wrote, and the folders above it that are empty then. A folder that has
/// taken its name stays, and no link leads out of the folder.
private func remove(_ file: String, in folder: URL) {
  guard isPathInside(file) else { return }
  var above: [URL] = []
  var url = folder
  for part in file.split(separator: "/").dropLast() {
    url = url.appending(path: String(part), directoryHint: .notDirectory)
    guard isFolder(url) else { return }
    above.append(url)
  }
  unlink(folder.appending(path: file).path(percentEncoded: false))
  for url in above.reversed() { rmdir(url.path(percentEncoded: false)) }
}

/// Whether there is a folder, which is not a link to one.
func isFolder(_ url: URL) -> Bool {
  let path = url.path(percentEncoded: false)
  var status = stat()
  return lstat(path.hasSuffix("/") ? String(path.dropLast()) : path, &status) == 0
    && status.st_mode & S_IFMT == S_IFDIR
}
