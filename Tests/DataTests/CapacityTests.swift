import Foundation
import Lab
import TestSupport
import Testing

@Suite struct CapacityTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func write(_ files: [String: String]) throws {
    for (path, text) in files { try folder.write(Data(text.utf8), to: path) }
  }

  private var available: Int { MemoryLimits(root: folder.url).available }

  @Test func whatTheMachineHasFree() throws {
    #expect(available == .max)
    try write(["proc/meminfo": "MemTotal:       24000000 kB\nMemAvailable:   1000 kB\n"])
    #expect(available == 1_024_000)
  }

  @Test func theLimitOfAContainer() throws {
    try write([
      "proc/meminfo": "MemAvailable:   24000000 kB\n", "proc/self/cgroup": "0::/\n",
      "sys/fs/cgroup/memory.max": "1000000\n", "sys/fs/cgroup/memory.current": "700000\n",
      "sys/fs/cgroup/memory.stat": "anon 1\nactive_file 50000\ninactive_file 150000\n",
    ])
    #expect(available == 500_000)
    try write(["sys/fs/cgroup/memory.max": "max\n"])
    #expect(available == 24_000_000 * 1024)
  }

  @Test func theSmallestOfNestedGroups() throws {
    try write([
      "proc/self/cgroup": "0::/a/b\n",
      "sys/fs/cgroup/a/memory.max": "300\n", "sys/fs/cgroup/a/memory.current": "100\n",
      "sys/fs/cgroup/a/b/memory.max": "900\n", "sys/fs/cgroup/a/b/memory.current": "50\n",
    ])
    #expect(available == 200)
    // More than the limit may be in use for a moment.
    try write(["sys/fs/cgroup/a/memory.current": "400\n"])
    #expect(available == 0)
  }

  @Test func theFirstVersionOfControlGroups() throws {
    try write([
      "proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/docker/1f\n0::/\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "9000\n",
      "sys/fs/cgroup/memory/memory.usage_in_bytes": "8000\n",
      "sys/fs/cgroup/memory/memory.stat":
        "inactive_file 1\ntotal_inactive_file 4000\ntotal_active_file 500\n",
    ])
    #expect(available == 5500)
  }

  @Test func theAddressSpace() throws {
    try write([
      "proc/self/limits":
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        + "Max address space         1024000              unlimited            bytes     \n",
      "proc/self/status": "Name:\tlab\nVmSize:\t     600 kB\n",
    ])
    #expect(available == 1_024_000 - 600 * 1024)
  }

  @Test func thisMachine() throws {
    #expect(availableMemory() > 0 && freeSpace(at: folder.url) > 0)
    let deep = folder.url.appending(path: "not/yet/there")
    #expect(freeSpace(at: deep) < .max)
  }

  @Test func messages() throws {
    let url = folder.url.appending(path: "new")
    try requireSpace(1, in: url, for: "a", advice: "b")
    let error = #expect(throws: DataError.self) {
      try requireSpace(.max, in: url, for: "Lines", advice: "make fewer")
    }
    let path = url.path(percentEncoded: false)
    #expect(
      error?.description.wholeMatch(
        of:
          /Lines: expected up to [0-9.]+ [MG]B, which is what is free on the disk of (.*), got a need of 9223372036.9 GB; make fewer/
      )?.1 == path[...])
    #expect(
      throws: DataError(
        .unusable,
        "A model: expected up to 1.5 GB of memory, which is what is free, got a need of 210.0 GB; "
          + "make it smaller")
    ) {
      try requireMemory(
        210_000_000_000, for: "A model", advice: "make it smaller", available: 1_500_000_000)
    }
  }
}
