import Foundation

/// Notices changes of files by looking at them: names, sizes, times and inode numbers, every 100 ms.
///
/// Notices of the system (inotify, kqueue) do not arrive from network disks and some containers, and
/// editors that write another file and rename it break a watch of the file. Looking at some hundred files
/// takes about a millisecond, works everywhere, and finds new files too.
package struct SourceWatcher {
  private let paths: [URL]
  /// The state of all files when `hasChanged` was asked last, and whether they have changed since.
  private var seen: [String: Stamp]
  private var isUnsettled = false
  private var since = 0.0

  /// The pause between two looks, in microseconds.
  package static let pause: UInt32 = 100_000
  /// The time in seconds after which a change is reported although files go on changing.
  private static let patience = 1.0

  /// - Parameter paths: Files, and folders that are watched with everything below.
  package init(_ paths: [URL]) {
    self.paths = paths
    seen = Self.look(at: paths)
  }

  private struct Stamp: Equatable {
    var size: Int
    var seconds: Int
    var nanoseconds: Int
    var inode: UInt64
  }

  /// Whether files have changed since the last time that this was `true`, and rest now: an editor may
  /// write several files, or one in several steps. To be asked again after ``pause``.
  package mutating func hasChanged() -> Bool {
    let now = Self.look(at: paths)
    if now != seen {
      if !isUnsettled { since = monotonicTime() }
      (seen, isUnsettled) = (now, true)
      guard monotonicTime() - since > Self.patience else { return false }
    }
    defer { isUnsettled = false }
    return isUnsettled
  }

  private static func look(at paths: [URL]) -> [String: Stamp] {
    var stamps: [String: Stamp] = [:]
    for path in paths.map({ $0.path(percentEncoded: false) }) {
      let path = path.hasSuffix("/") ? String(path.dropLast()) : path
      look(at: path, in: &stamps)
    }
    return stamps
  }

  private static func look(at path: String, in stamps: inout [String: Stamp]) {
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      #if os(Linux)
        let time = status.st_mtim
      #else
        let time = status.st_mtimespec
      #endif
      stamps[path] = Stamp(
        size: Int(status.st_size), seconds: time.tv_sec, nanoseconds: time.tv_nsec,
        inode: UInt64(status.st_ino))
    case S_IFDIR:
      // A link may lead to a folder above.
      var own = stat()
      guard stamps[path] == nil, lstat(path, &own) == 0, own.st_mode & S_IFMT == S_IFDIR else {
        return
      }
      for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      where !name.hasPrefix(".") { look(at: "\(path)/\(name)", in: &stamps) }
    default: break
    }
  }
}
