import Foundation

/// Notices changes of files by looking at them: names, sizes, times and inode numbers, every 100 ms.
///
/// Notices of the system (inotify, kqueue) do not arrive from network disks and some containers, and
/// editors that write another file and rename it break a watch of the file. Looking at some hundred files
/// takes about a millisecond, works everywhere, and finds new files too.
package struct SourceWatcher {
  private let paths: [String]
  /// The files and folders that are watched, with their state when `hasChanged` was asked last.
  private var seen: [String: Stamp]
  /// Whether something has changed since.
  private var isUnsettled = false
  private var since = 0.0

  /// The pause between two looks, in microseconds.
  package static let pause: UInt32 = 100_000
  /// The time in seconds after which a change is reported although files go on changing.
  private static let patience = 1.0

  /// - Parameter paths: Files, and folders that are watched with everything below.
  package init(_ paths: [URL]) {
    self.paths = paths.map { withoutSlash($0.path(percentEncoded: false)) }
    seen = Self.all(below: self.paths)
  }

  private struct Stamp: Equatable {
    var size: Int
    var seconds: Int
    var nanoseconds: Int
    var inode: UInt64
    var isFolder: Bool

    /// `nil` if there is no such file.
    init?(_ path: String) {
      var status = stat()
      guard lstat(path, &status) == 0 else { return nil }
      #if os(Linux)
        let time = status.st_mtim
      #else
        let time = status.st_mtimespec
      #endif
      (size, seconds, nanoseconds) = (Int(status.st_size), time.tv_sec, time.tv_nsec)
      inode = UInt64(status.st_ino)
      isFolder = status.st_mode & S_IFMT == S_IFDIR
    }
  }

  /// Whether files have changed since the last time that this was `true`, and rest now: an editor may
  /// write several files, or one in several steps. To be asked again after ``pause``.
  package mutating func hasChanged() -> Bool {
    let now = look()
    if now != seen {
      if !isUnsettled { since = monotonicTime() }
      (seen, isUnsettled) = (now, true)
      guard monotonicTime() - since > Self.patience else { return false }
    }
    defer { isUnsettled = false }
    return isUnsettled
  }

  /// The state of all files. Folders are read again only if their own times have changed.
  private func look() -> [String: Stamp] {
    let now = seen.keys.reduce(into: [String: Stamp]()) { $0[$1] = Stamp($1) }
    let isSame = paths.allSatisfy { now[$0] != nil || Stamp($0) == nil }
    let areFoldersSame = seen.allSatisfy { !$1.isFolder || now[$0] == $1 }
    return isSame && areFoldersSame ? now : Self.all(below: paths)
  }

  /// The state of files and folders, without hidden ones.
  private static func all(below paths: [String]) -> [String: Stamp] {
    var stamps: [String: Stamp] = [:]
    var left = paths
    while let path = left.popLast() {
      guard let stamp = Stamp(path) else { continue }
      stamps[path] = stamp
      guard stamp.isFolder, let names = try? FileManager.default.contentsOfDirectory(atPath: path)
      else { continue }
      left += names.filter { !$0.hasPrefix(".") }.map { "\(path)/\($0)" }
    }
    return stamps
  }
}
