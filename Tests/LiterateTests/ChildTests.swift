import Foundation
import Literate
import Testing

struct ChildTests {
  private func child(_ script: String) throws -> Child {
    try Child(URL(filePath: "/bin/sh"), ["-c", script], environment: ["PATH": "/usr/bin:/bin"])
  }

  /// The pipes of a child belong to it alone, also if other threads start children at the same moment.
  @Test func childrenInheritNoPipesOfOthers() async throws {
    let children = try await withThrowingTaskGroup(of: (own: Set<String>, seen: Set<String>).self) {
      group in
      for _ in 0..<24 {
        group.addTask {
          // `/dev/fd` shows no targets on macOS, but the numbers of all descriptors.
          let child = try self.child("ls -l /proc/self/fd; exec sleep 0")
          let own = [child.output, child.errors].compactMap { Self.pipe($0) }
          var bytes: [UInt8] = []
          child.followToEnd(while: { true }) { next, _ in bytes += next }
          let pipes = String(decoding: bytes, as: UTF8.self).matches(of: /pipe:\[\d+\]/)
          return (Set(own), Set(pipes.map { String($0.0) }))
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    for (index, child) in children.enumerated() {
      let others = children.enumerated().filter { $0.offset != index }.map(\.element.own)
      #expect(others.allSatisfy(child.seen.isDisjoint))
      #if os(Linux)
        #expect(child.seen.isSuperset(of: child.own))
      #endif
    }
  }

  private static func pipe(_ number: Int32) -> String? {
    var status = stat()
    return fstat(number, &status) == 0 ? "pipe:[\(status.st_ino)]" : nil
  }

  @Test func aChildThatNobodyWaitedForLeavesNoZombie() throws {
    var child: Child? = try child("exec sleep 600")
    let process = try #require(child?.process)
    child = nil
    // Only an existing child can be waited for.
    var status: Int32 = 0
    #expect(waitpid(process, &status, WNOHANG) == -1)
    #expect(errno == ECHILD)
  }

  @Test func aProgramThatCannotBeStartedIsAnError() {
    #expect(throws: NotebookError("cannot start /no/such: No such file or directory")) {
      try Child(URL(filePath: "/no/such"), [], environment: [:])
    }
  }

  #if os(Linux)
    /// As when it was written while another thread started a child, which still has the file open.
    @Test func aProgramThatIsStillOpenForWritingIsStartedWhenItIsNotAnyMore() throws {
      let file = FileManager.default.temporaryDirectory.appending(path: "program-\(UUID())")
      defer { try? FileManager.default.removeItem(at: file) }
      try Data("#!/bin/sh\nexit 3\n".utf8).write(to: file)
      let path = file.path(percentEncoded: false)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
      let writing = try FileHandle(forUpdating: file)
      // A thread of its own: tests may keep all others busy.
      Thread.detachNewThread {
        Thread.sleep(forTimeInterval: 0.2)
        try? writing.close()
      }
      let child = try Child(file, [], environment: [:])
      child.followToEnd(while: { true }) { _, _ in }
      #expect(child.ending == .exit(3))
    }
  #endif

  @Test func aProgramIsStoppedWhenItShallNotGoOn() throws {
    let child = try child("echo one; exec sleep 600")
    var text = ""
    child.followToEnd(while: { text.isEmpty }) { bytes, _ in
      text += String(decoding: bytes, as: UTF8.self)
    }
    #expect(text == "one\n")
    #expect(child.ending == .signal(SIGKILL))
  }
}
