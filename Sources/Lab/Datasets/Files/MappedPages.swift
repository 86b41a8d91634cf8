import Foundation
import Synchronization

/// How much of a mapped file has been read, so that its pages do not add up to the whole file in
/// this process's memory: the system maps sixteen pages around each that is read, and forgets none.
///
/// The file's contents stay in the system's own cache, from where they are mapped again in no time.
package final class MappedPages: Sendable {
  private let reads = Atomic<Int>(0)
  /// Reads after which the pages are let go: up to 64 MB, if all are far from each other.
  private let most = 1024

  package init() {}

  /// To be called after some reads from all over `bytes`, which stay valid.
  package func wereRead(_ count: Int, in bytes: RawSpan) {
    guard reads.add(count, ordering: .relaxed).newValue >= most else { return }
    reads.store(0, ordering: .relaxed)
    #if os(Linux)
      bytes.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress else { return }
        let page = Int(getpagesize())
        // From the first whole page to the last one.
        let before = (page - Int(bitPattern: start) % page) % page
        let count = (bytes.count - before) / page * page
        guard count > 0 else { return }
        // Nothing is lost if the system does not follow.
        _ = madvise(UnsafeMutableRawPointer(mutating: start) + before, count, MADV_DONTNEED)
      }
    #endif
  }
}
