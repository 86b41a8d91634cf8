import Foundation
import Kernels
import Testing

/// File systems of containers, as Linux shows them inside.
@Suite struct ProcessorQuotaTests {
  @Test(
    arguments: [
      // Version 2, in a container that sees its group as the root.
      (["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"], 2),
      (["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"], nil),
      // One and a half processors are kept busy by two threads.
      (["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"], 2),
      (["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "10000 100000\n"], 1),
      // The smallest quota of a group and those above it.
      (
        [
          "proc/self/cgroup": "0::/user.slice/lab.scope\n",
          "sys/fs/cgroup/user.slice/cpu.max": "300000 100000\n",
          "sys/fs/cgroup/user.slice/lab.scope/cpu.max": "max 100000\n",
        ], 3
      ),
      // Version 1, in a container whose path is that of the machine.
      (
        [
          "proc/self/cgroup": "11:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n",
          "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000\n",
          "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        ], 4
      ),
      (
        [
          "proc/self/cgroup": "4:cpu,cpuacct:/\n",
          "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
          "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        ], nil
      ),
      (["proc/self/cgroup": "0::/../x\n", "sys/fs/cgroup/x/cpu.max": "nonsense\n"], nil),
      ([:], nil),
    ] as [([String: String], Int?)])
  func theQuotaOfAContainer(files: [String: String], expected: Int?) throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, text) in files {
      let url = root.appending(path: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    #expect(ProcessorQuota.processors(in: root) == expected)
  }
}
