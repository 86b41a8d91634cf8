import Foundation
import Kernels

// What memory and disks have room for, so that work that cannot fit is refused before it begins.

/// The number of bytes of memory that this process can still take: what the machine has free, within
/// the limits of its control groups (containers) and of `ulimit -v`; `.max` if the system does not
/// tell.
///
/// ```swift
/// try requireMemory(4 * parameterCount, for: "this model", advice: "make it smaller")
/// ```
package func availableMemory() -> Int {
  #if os(Linux)
    MemoryLimits().available
  #else
    Int(clamping: ProcessInfo.processInfo.physicalMemory)
  #endif
}

/// The number of bytes that can be written to the disk of a path, which need not exist yet; `.max` if
/// the system does not tell.
package func freeSpace(at url: URL) -> Int {
  var folder = url.standardizedFileURL
  var info = statvfs()
  while statvfs(folder.path(percentEncoded: false), &info) != 0 {
    guard folder.pathComponents.count > 1 else { return .max }
    folder.deleteLastPathComponent()
  }
  let (bytes, overflow) = Int(clamping: info.f_bavail)
    .multipliedReportingOverflow(by: Int(clamping: info.f_frsize))
  return overflow ? .max : bytes
}

/// Checks that some work fits into memory.
///
/// - Parameters:
///   - bytes: The number of bytes that it takes.
///   - what: What takes them, for the message.
///   - advice: What to do instead, for the message.
///   - available: The number of bytes there are; by default ``availableMemory()``.
/// - Throws: ``DataError`` if there are fewer.
package func requireMemory(
  _ bytes: Int, for what: String, advice: String,
  available: @autoclosure () -> Int = availableMemory()
) throws {
  // Finding out costs more than small work takes.
  guard bytes > 1 << 24 else { return }
  let available = available()
  guard bytes > available else { return }
  throw DataError(
    .unusable,
    "\(what): expected up to \(bytesText(available)) of memory, which is what is free, got a need of "
      + "\(bytesText(bytes)); \(advice)")
}

/// Checks that some files fit on a disk.
///
/// - Parameters:
///   - bytes: The number of bytes that they take.
///   - folder: The folder, which need not exist yet.
///   - what: What takes them, for the message.
///   - advice: What to do instead, for the message.
/// - Throws: ``DataError`` if there are fewer.
package func requireSpace(_ bytes: Int, in folder: URL, for what: String, advice: String) throws {
  let free = freeSpace(at: folder)
  guard bytes > free else { return }
  throw DataError(
    .unusable,
    "\(what): expected up to \(bytesText(free)), which is what is free on the disk of "
      + "\(folder.path(percentEncoded: false)), got a need of \(bytesText(bytes)); \(advice)")
}

/// A number of bytes for people.
///
/// ```swift
/// bytesText(784_000_000_000)  // "784.0 GB"
/// bytesText(1_234)            // "0.0 MB"
/// ```
package func bytesText(_ count: Int) -> String {
  count < 1_000_000_000
    ? String(format: "%.1f MB", Double(count) / 1e6)
    : String(format: "%.1f GB", Double(count) / 1e9)
}

/// What Linux says about memory, in text files.
///
/// Source: Linux, "Documentation/admin-guide/cgroup-v2.rst" and "cgroup-v1/memory.rst", proc(5).
package struct MemoryLimits {
  private let system: ControlGroups

  /// - Parameter root: The folder of `proc` and `sys`; another one than `/` for tests.
  package init(root: URL = URL(filePath: "/", directoryHint: .isDirectory)) {
    system = ControlGroups(root: root)
  }

  /// The number of bytes that are available to this process; `.max` if nothing is known.
  package var available: Int {
    var limits = [addressSpace]
    if let free = number("MemAvailable:", in: system.lines("proc/meminfo")) {
      limits.append(free * 1024)
    }
    limits += system.groups("memory").map(room)
    return max(0, limits.compactMap { $0 }.min() ?? .max)
  }

  /// What a control group's limit leaves; the system frees its cached files when memory is needed.
  private func room(_ group: ControlGroups.Group) -> Int? {
    let (limit, usage, prefix) =
      group.isVersion1
      ? ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
      : ("memory.max", "memory.current", "")
    guard let limit = group.number(limit), let used = group.number(usage) else { return nil }
    let cached = ["inactive_file", "active_file"].reduce(0) {
      $0 + (number(prefix + $1, in: group.lines("memory.stat")) ?? 0)
    }
    return limit - max(0, used - cached)
  }

  /// What `ulimit -v` leaves.
  private var addressSpace: Int? {
    guard
      let line = system.lines("proc/self/limits").first(where: { $0.hasPrefix("Max address space") }
      ),
      let limit = line.split(separator: " ").dropFirst(3).first.flatMap({ Int($0) }),
      let used = number("VmSize:", in: system.lines("proc/self/status"))
    else { return nil }
    return limit - used * 1024
  }

  /// The number behind a name at the start of a line.
  private func number(_ name: String, in lines: [Substring]) -> Int? {
    for line in lines {
      let words = line.split(whereSeparator: \.isWhitespace)
      if words.count > 1, words[0] == name { return Int(words[1]) }
    }
    return nil
  }
}
