import Foundation
import LabData

extension TrainingRun {
  /// What a run's folder contains.
  package struct Contents {
    /// The names of the files that training wrote, in the order in which they are removed.
    package let own: [String]
    /// Their size in bytes.
    package let bytes: Int
    /// The names of everything else, such as notes, links and folders.
    package let foreign: [String]
  }

  /// Looks at a run's folder.
  ///
  /// - Throws: ``DataError`` if it cannot be read.
  package static func contents(ofRun folder: URL) throws -> Contents {
    let names = try withFile(folder, "read") {
      try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
    }
    var own: [(order: Int, name: String)] = []
    var foreign: [String] = []
    var bytes = 0
    for name in names.sorted() {
      let status = try FileStatus.of(folder.appending(path: name), followsLinks: false)
      if let order = removalOrder(of: name), let status, status.kind == .file {
        own.append((order, name))
        bytes += status.size
      } else if status != nil {
        foreign.append(name)
      }
    }
    return Contents(
      own: own.sorted { ($0.order, $0.name) < ($1.order, $1.name) }.map(\.name), bytes: bytes,
      foreign: foreign)
  }

  /// When a file of training is removed; nil for the name of another file.
  ///
  /// The state is the first: a run without it is not resumed with half of its files. The record comes
  /// last but for the lock: until then the folder is listed as a run, and removing can be repeated.
  private static func removalOrder(of name: String) -> Int? {
    switch name {
    case stateName: 0
    case Checkpoint.lastName: 1
    case eventsName: 3
    case "metrics.csv", learningRatesName: 4
    case "run.json": 5
    case lockName: 6
    case _ where name.wholeMatch(of: Checkpoint.bestName) != nil: 1
    case _ where TemporaryFile.isTemporary(name): 2
    default: nil
    }
  }

  /// Whether a folder that is no run any more is what ``remove(_:)`` leaves behind if it is killed:
  /// a folder with at most a lock.
  package static func isRemnant(_ folder: URL) -> Bool {
    guard folder.lastPathComponent.wholeMatch(of: /version_\d+/) != nil,
      (try? FileStatus.of(folder, followsLinks: false))?.kind == .folder,
      let contents = try? Self.contents(ofRun: folder)
    else { return false }
    return contents.foreign.isEmpty && contents.own.allSatisfy { $0 == lockName }
  }

  /// Removes the files that training wrote, and the folder if nothing else is in it. Symbolic links are
  /// neither followed nor removed.
  ///
  /// - Returns: What was removed, and what was left.
  /// - Throws: ``TrainingError`` if a process trains there, ``DataError`` if a file cannot be removed;
  ///   removing can then be repeated.
  @discardableResult
  package static func remove(_ folder: URL) throws -> Contents {
    let found = try hold(folder) {
      let contents = try Self.contents(ofRun: folder)
      for name in contents.own {
        // After a power failure the record must not be gone while others are there.
        if name == "run.json" { try synchronizeFolder(folder) }
        let url = folder.appending(path: name)
        guard unlink(url.path(percentEncoded: false)) == 0 || errno == ENOENT else {
          throw DataError(
            .unusable,
            "cannot remove \(url.path(percentEncoded: false)): \(systemReason(of: errno))")
        }
      }
      return contents
    }
    if found.foreign.isEmpty {
      let path = folder.path(percentEncoded: false)
      guard rmdir(path) == 0 || errno == ENOTEMPTY || errno == EEXIST else {
        throw DataError(.unusable, "cannot remove \(path): \(systemReason(of: errno))")
      }
      // The folder of all runs of this name, if this was the last one.
      let name = folder.standardizedFileURL.deletingLastPathComponent()
      if name.deletingLastPathComponent().lastPathComponent == "logs" {
        rmdir(name.path(percentEncoded: false))
      }
    }
    return found
  }
}
