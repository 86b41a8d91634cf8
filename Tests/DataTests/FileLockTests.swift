import Foundation
import Lab
import Synchronization
import TestSupport
import Testing

@Suite struct FileLockTests {
  @Test func onlyOneHoldsTheLock() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "deep/lock")
    let inside = Mutex(0)
    let most = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      try? FileLock.hold(url, onWait: {}) {
        let count = inside.withLock {
          $0 += 1; return $0
        }
        most.withLock { $0 = max($0, count) }
        // Others may come in while this looks around.
        for _ in 0..<10_000 { most.withLock { $0 = max($0, inside.withLock { $0 }) } }
        inside.withLock { $0 -= 1 }
      }
    }
    #expect(most.withLock { $0 } == 1)
  }

  @Test func reportsThatItWaits() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "lock")
    let lines = Lines()
    let (isHeld, isAwaited) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    Thread.detachNewThread {
      try? FileLock.hold(url, onWait: {}) {
        isHeld.signal()
        isAwaited.wait()
      }
    }
    isHeld.wait()
    let result = try FileLock.hold(
      url,
      onWait: {
        lines.add("waiting")
        isAwaited.signal()
      }
    ) { 5 }
    #expect(result == 5)
    #expect(lines.all == ["waiting"])
  }

  @Test func anErrorReleasesTheLock() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "lock")
    #expect(throws: CocoaError.self) {
      try FileLock.hold(url, onWait: {}) { throw CocoaError(.featureUnsupported) }
    }
    try FileLock.hold(url, onWait: { Issue.record("the lock is still held") }) {}
  }

  @Test func aLockIsNoLink() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "lock")
    try FileManager.default.createSymbolicLink(
      at: url, withDestinationURL: folder.url.appending(path: "elsewhere"))
    let path = url.path(percentEncoded: false)
    #expect(
      throws: DataError(.unusable, "cannot write \(path): it is a symbolic link; remove it")
    ) {
      try FileLock.hold(url, onWait: {}) {}
    }
    #expect(!folder.exists("elsewhere"))
  }

  @Test func reportsAFolderThatCannotBeWritten() throws {
    let folder = try TemporaryFolder()
    try folder.write(Data(), to: "file")
    let error = #expect(throws: DataError.self) {
      try FileLock.hold(folder.url.appending(path: "file/lock"), onWait: {}) {}
    }
    #expect(error?.kind == .unusable)
    #expect(error?.description.contains("\n") == false)
  }
}
