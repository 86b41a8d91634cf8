import Foundation

/// The share of the machine's processors that a container may use.
///
/// A container with a quota sees all processors of the machine. With a thread for each of them, all
/// would be stopped for most of the time.
package enum ProcessorQuota {
  /// The number of processors that the quota allows, rounded up; nil if there is no quota.
  ///
  /// ```text
  /// /proc/self/cgroup                       0::/user.slice          version 2
  /// /sys/fs/cgroup/user.slice/cpu.max       200000 100000           2 processors
  /// /sys/fs/cgroup/cpu.max                  max 100000              no quota
  /// ```
  ///
  /// The smallest quota of the control group and the groups above it counts, and also that of the
  /// root, where a container may see its own group.
  ///
  /// - Parameter root: The root of the file system; another one in tests.
  package static func processors(in root: URL = URL(filePath: "/")) -> Int? {
    let groups = text(root.appending(path: "proc/self/cgroup")) ?? ""
    var quotas: [Double] = []
    for line in groups.split(whereSeparator: \.isNewline) {
      // hierarchy:controllers:path; version 2 has no controllers.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let controllers = parts[1].split(separator: ",")
      let isSecond = parts[1].isEmpty
      guard isSecond || controllers.contains("cpu") else { continue }
      let tops = isSecond ? ["", "unified"] : ["cpu", String(parts[1])]
      for top in tops {
        let mount = root.appending(path: "sys/fs/cgroup/\(top)", directoryHint: .isDirectory)
        let names = parts[2].split(separator: "/").filter { $0 != ".." }
        for depth in 0...names.count {
          let folder = mount.appending(
            path: names.prefix(depth).joined(separator: "/"), directoryHint: .isDirectory)
          if let quota = isSecond ? second(in: folder) : first(in: folder) { quotas.append(quota) }
        }
      }
    }
    return quotas.min().map { max(1, Int($0.rounded(.up))) }
  }

  /// The quota of a group of version 2, in processors.
  private static func second(in folder: URL) -> Double? {
    let numbers = (text(folder.appending(path: "cpu.max")) ?? "")
      .split(whereSeparator: \.isWhitespace)
    guard numbers.count == 2 else { return nil }
    return quotient(Double(numbers[0]), Double(numbers[1]))
  }

  /// The quota of a group of version 1, in processors; there -1 stands for no quota.
  private static func first(in folder: URL) -> Double? {
    func number(_ name: String) -> Double? {
      text(folder.appending(path: name)).flatMap {
        Double($0.trimmingCharacters(in: .whitespacesAndNewlines))
      }
    }
    return quotient(number("cpu.cfs_quota_us"), number("cpu.cfs_period_us"))
  }

  private static func quotient(_ quota: Double?, _ period: Double?) -> Double? {
    guard let quota, let period, quota > 0, period > 0, (quota / period) < 1e6 else { return nil }
    return quota / period
  }

  private static func text(_ url: URL) -> String? { try? String(contentsOf: url, encoding: .utf8) }
}
