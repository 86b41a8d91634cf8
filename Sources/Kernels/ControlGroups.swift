import Foundation

/// The control groups that this process is in: how Linux limits the memory and the processors of a
/// container.
///
/// ```text
/// /proc/self/cgroup    0::/user.slice/lab.scope      version 2
///                      4:cpu,cpuacct:/docker/1f      version 1
/// ```
///
/// Source: Linux, "Documentation/admin-guide/cgroup-v2.rst" and "cgroup-v1/cgroups.rst".
package struct ControlGroups {
  private let root: URL

  /// - Parameter root: The folder of `proc` and `sys`; another one than `/` for tests.
  package init(root: URL = URL(filePath: "/", directoryHint: .isDirectory)) {
    self.root = root
  }

  /// A folder of files with limits.
  package struct Group {
    private let root: URL
    private let path: String
    /// Whether it is of version 1, whose files have other names.
    package let isVersion1: Bool

    fileprivate init(_ root: URL, _ path: String, isVersion1: Bool) {
      (self.root, self.path, self.isVersion1) = (root, path, isVersion1)
    }

    /// The lines of a file; none if it cannot be read.
    package func lines(_ name: String) -> [Substring] {
      ControlGroups(root: root).lines("\(path)/\(name)")
    }

    /// The number that a file consists of; nil if it has another text, such as `max`.
    package func number(_ name: String) -> Int? { lines(name).first.flatMap { Int($0) } }
  }

  /// The groups that limit something, and those around them.
  ///
  /// In a container the path may be that of the machine, of which only the root can be seen.
  ///
  /// - Parameter controller: What is limited, by its name in version 1: `cpu` or `memory`.
  package func groups(_ controller: String) -> [Group] {
    lines("proc/self/cgroup").flatMap { line -> [Group] in
      // Version 2 names no controllers.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return [] }
      let isVersion1 = !parts[1].isEmpty
      guard !isVersion1 || parts[1].split(separator: ",").contains(Substring(controller)) else {
        return []
      }
      // Controllers that are mounted together have a folder of both names, and often links.
      let mounts = isVersion1 ? Set([controller, String(parts[1])]) : ["", "unified"]
      let names = parts[2].split(separator: "/").filter { $0 != ".." }
      return mounts.flatMap { mount in
        (0...names.count).map { depth in
          let path = ["sys/fs/cgroup", mount] + names.prefix(depth).map(String.init)
          return Group(
            root, path.filter { !$0.isEmpty }.joined(separator: "/"), isVersion1: isVersion1)
        }
      }
    }
  }

  /// The lines of a file below the root; none if it cannot be read.
  package func lines(_ path: String) -> [Substring] {
    guard let bytes = try? Data(contentsOf: root.appending(path: path)) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
  }
}

/// The share of the machine's processors that a container may use.
///
/// A container with a quota sees all processors of the machine. With a thread for each of them, all
/// would be stopped for most of the time.
package enum ProcessorQuota {
  /// The number of processors that the smallest quota allows, rounded up; nil if there is no quota.
  ///
  /// ```text
  /// /sys/fs/cgroup/user.slice/cpu.max    200000 100000    2 processors
  /// /sys/fs/cgroup/cpu.max               max 100000       no quota
  /// ```
  ///
  /// - Parameter root: The root of the file system; another one in tests.
  package static func processors(
    in root: URL = URL(filePath: "/", directoryHint: .isDirectory)
  ) -> Int? {
    ControlGroups(root: root).groups("cpu").compactMap(processors).min()
      .map { max(1, Int($0.rounded(.up))) }
  }

  private static func processors(of group: ControlGroups.Group) -> Double? {
    let limits: [Double?]
    if group.isVersion1 {
      // There −1 stands for no quota.
      limits = ["cpu.cfs_quota_us", "cpu.cfs_period_us"].map { group.number($0).map(Double.init) }
    } else {
      limits = (group.lines("cpu.max").first ?? "").split(separator: " ").map { Double($0) }
    }
    guard limits.count == 2, let quota = limits[0], let period = limits[1], quota > 0, period > 0,
      quota / period < 1e6
    else { return nil }
    return quota / period
  }
}
