import Dispatch
import Foundation
import Synchronization

/// The number of threads that kernels use: `LAB_THREADS`, or all processors that the program may use:
/// those of the machine, of its affinity, or of its container's quota.
public enum Threads {
  private static let chosen = Atomic<Int>(0)

  /// The most threads that one task uses, if it is one of several that compute at the same time.
  @TaskLocal public static var limit: Int?

  /// The number of threads; at least one.
  public static var count: Int {
    get {
      if let limit { return min(limit, total) }
      return total
    }
    set { chosen.store(max(1, newValue), ordering: .relaxed) }
  }

  /// The number of threads of all tasks together.
  public static var total: Int {
    let value = chosen.load(ordering: .relaxed)
    if value > 0 { return value }
    let wanted = ProcessInfo.processInfo.environment["LAB_THREADS"].flatMap { Int($0) }
    let processors = ProcessInfo.processInfo.activeProcessorCount
    let count = max(1, wanted ?? min(processors, ProcessorQuota.processors() ?? processors))
    chosen.store(count, ordering: .relaxed)
    return count
  }
}

/// Runs `body` once for each of `count` parts of some work, on up to `Threads.count` threads.
///
/// The caller defines the parts. A sum that is taken part by part, in the order of the parts, does not
/// depend on the number of threads.
///
/// - Parameters:
///   - count: The number of parts.
///   - body: Called with each part's index, in no particular order and from several threads. It
///     works on pointers, which the compiler cannot check: no part may write what another one uses.
public func parallel(count: Int, _ body: (Int) -> Void) {
  // One strided share a thread keeps the number of wake-ups at the number of threads.
  let threads = min(Threads.count, count)
  onThreads(threads) { thread in
    for part in stride(from: thread, to: count, by: threads) { body(part) }
  }
}

/// Runs `body` over `0..<count` divided into ranges of at least `grain` indices, on up to
/// `Threads.count` threads.
///
/// For elementwise work, whose result does not depend on how the range is divided.
///
/// - Parameters:
///   - count: The number of indices.
///   - grain: The least number of indices worth a thread.
///   - body: Called with each range, in no particular order.
public func parallel(count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
  let parts = max(1, min(Threads.count, count / max(1, grain)))
  onThreads(parts) { part in
    body(count * part / parts..<count * (part + 1) / parts)
  }
}

/// Runs `body` once on each thread, and waits for all.
private func onThreads(_ count: Int, _ body: (Int) -> Void) {
  guard count > 1 else {
    if count == 1 { body(0) }
    return
  }
  withoutActuallyEscaping(body) { body in
    // Dispatch requires a closure that is safe to send; the callers guarantee that theirs is.
    nonisolated(unsafe) let body = body
    // Dispatch's threads do not inherit the task's kernel set.
    let set = KernelSet.current
    DispatchQueue.concurrentPerform(iterations: count) { thread in
      KernelSet.$current.withValue(set) { body(thread) }
    }
  }
}
