import Dispatch
import Foundation
import Kernels
import LabRandom
import LabTensors

/// What threads have computed, by number.
final class Results<Value>: @unchecked Sendable {
  // Sendable because everything that changes is used with `lock` locked.
  private let lock = NSLock()
  private var results: [Int: Result<Value, any Error>] = [:]

  func set(_ index: Int, _ value: () throws -> Value) {
    let result = Result { try value() }
    lock.withLock { results[index] = result }
  }

  /// - Throws: The error of the first one that failed.
  func values(_ count: Int) throws -> [Value] {
    try lock.withLock { try (0..<count).compactMap { try results[$0]?.get() } }
  }
}

/// Threads that compute the micro-shards of a batch. As many compute at a time as the program has
/// threads; others wait for their turn, or for other parts of the batch.
final class ShardThreads {
  private var workers: [Worker] = []

  deinit {
    for worker in workers { worker.end() }
  }

  /// Calls `body` for each part, each in a thread of its own, and waits for all.
  ///
  /// - Parameters:
  ///   - count: The number of parts.
  ///   - isOneAtATime: Whether only one part computes at a time.
  ///   - body: Called with the part's number and the permit to compute, which it has then. It gives the
  ///     permit back while it waits.
  func run(
    _ count: Int, isOneAtATime: Bool,
    _ body: @escaping @Sendable (Int, DispatchSemaphore) -> Void
  ) {
    while workers.count < count { workers.append(Worker()) }
    let total = isOneAtATime ? 1 : min(count, Threads.total)
    let limit = isOneAtATime ? Threads.total : max(1, Threads.total / total)
    let permit = DispatchSemaphore(value: total)
    let (generator, set) = (Generator.shared, KernelSet.current)
    let observer = OperationObservation.observer
    let group = DispatchGroup()
    for index in 0..<count {
      group.enter()
      workers[index].do {
        permit.wait()
        Generator.$shared.withValue(generator) {
          KernelSet.$current.withValue(set) {
            Threads.$limit.withValue(limit) {
              OperationObservation.$observer.withValue(observer) { body(index, permit) }
            }
          }
        }
        permit.signal()
        group.leave()
      }
    }
    group.wait()
  }

  /// A thread that does one thing after another.
  private final class Worker: Sendable {
    private final class Shelf: @unchecked Sendable {
      // Sendable because everything that changes is used with `condition` locked.
      private let condition = NSCondition()
      private var work: (@Sendable () -> Void)?
      private var isAtEnd = false

      func put(_ work: (@Sendable () -> Void)?) {
        condition.withLock {
          self.work = work
          isAtEnd = work == nil
          condition.signal()
        }
      }

      /// The next work; nil at the end.
      func next() -> (@Sendable () -> Void)? {
        condition.withLock {
          while work == nil, !isAtEnd { condition.wait() }
          defer { work = nil }
          return work
        }
      }
    }

    private let shelf = Shelf()

    init() {
      let shelf = shelf
      let thread = Thread {
        while let work = shelf.next() { work() }
      }
      thread.stackSize = 16 << 20
      thread.start()
    }

    func `do`(_ work: @escaping @Sendable () -> Void) { shelf.put(work) }
    func end() { shelf.put(nil) }
  }
}
