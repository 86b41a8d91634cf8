import Dispatch
import Foundation
import Synchronization

/// How many threads the kernels use: `LAB_THREADS`, or all processors of the machine.
public enum Threads {
  private static let chosen = Atomic<Int>(0)

  /// The number of threads; at least one.
  public static var count: Int {
    get {
      let value = chosen.load(ordering: .relaxed)
      if value > 0 { return value }
      let wanted = ProcessInfo.processInfo.environment["LAB_THREADS"].flatMap { Int($0) }
      let count = max(1, wanted ?? ProcessInfo.processInfo.activeProcessorCount)
      chosen.store(count, ordering: .relaxed)
      return count
    }
    set { chosen.store(max(1, newValue), ordering: .relaxed) }
  }
}

/// Runs `body` once for each of the `count` parts of a piece of work, on up to `Threads.count`
/// threads.
///
/// The parts are the caller's: a sum that is taken part by part, in the order of the parts, does
/// not depend on the number of threads.
///
/// - Parameters:
///   - count: The number of parts.
///   - body: Called with each part's index, in no particular order. Parts must not share memory
///     that any of them writes.
@inlinable
public func parallel(count: Int, _ body: @Sendable (Int) -> Void) {
  let threads = min(Threads.count, count)
  guard threads > 1 else {
    for part in 0..<max(0, count) { body(part) }
    return
  }
  // One strided share a thread keeps the number of wake-ups at the number of threads.
  DispatchQueue.concurrentPerform(iterations: threads) { thread in
    for part in stride(from: thread, to: count, by: threads) { body(part) }
  }
}

/// Runs `body` over `0..<count` cut into ranges of at least `grain` indices, on up to
/// `Threads.count` threads.
///
/// For elementwise work, whose result does not depend on where the cuts are.
///
/// - Parameters:
///   - count: The number of indices.
///   - grain: The least number of indices worth a thread.
///   - body: Called with each range, in no particular order.
@inlinable
public func parallel(count: Int, grain: Int, _ body: @Sendable (Range<Int>) -> Void) {
  let parts = max(1, min(Threads.count, count / max(1, grain)))
  guard parts > 1 else {
    body(0..<count)
    return
  }
  DispatchQueue.concurrentPerform(iterations: parts) { part in
    body(count * part / parts..<count * (part + 1) / parts)
  }
}
