import Foundation

/// Threads that gather batches ahead of their use; they end with the last batch, or when nobody
/// holds this any more.
package final class Prefetch: Sendable {
  /// What the threads share. They hold on to this only, so that abandoning a `Prefetch` is seen.
  package final class Shelf: @unchecked Sendable {
    // Sendable because everything that changes is used with `condition` locked.
    private let condition = NSCondition()
    private let count: Int
    private let capacity: Int
    private var ready: [Int: Batch] = [:]
    private var started = 0
    private var taken = 0
    private var isClosed = false

    fileprivate init(count: Int, capacity: Int) {
      self.count = count
      self.capacity = capacity
    }

    /// Waits until there is room, and gives the index of a batch to gather; nil if there is no more
    /// to do.
    fileprivate func start() -> Int? {
      condition.withLock {
        while !isClosed, started < count, started - taken >= capacity { condition.wait() }
        guard !isClosed, started < count else { return nil }
        defer { started += 1 }
        return started
      }
    }

    fileprivate func put(_ batch: Batch, at index: Int) {
      condition.withLock {
        ready[index] = batch
        condition.broadcast()
      }
    }

    fileprivate func take(_ index: Int) -> Batch {
      condition.withLock {
        while true {
          if let batch = ready.removeValue(forKey: index) {
            taken += 1
            condition.broadcast()
            return batch
          }
          condition.wait()
        }
      }
    }

    fileprivate func close() {
      condition.withLock {
        isClosed = true
        condition.broadcast()
      }
    }
  }

  package let shelf: Shelf

  /// - Parameters:
  ///   - count: The number of batches.
  ///   - workers: The number of threads, which hold two batches each at most.
  ///   - gather: Makes the batch of an index; called on any thread.
  package init(count: Int, workers: Int, gather: @escaping @Sendable (Int) -> Batch) {
    let shelf = Shelf(count: count, capacity: 2 * workers)
    self.shelf = shelf
    for _ in 0..<min(workers, count) {
      Thread.detachNewThread {
        while let index = shelf.start() { shelf.put(gather(index), at: index) }
      }
    }
  }

  deinit {
    shelf.close()
  }

  /// The batch of an index, as soon as it is there. Each is to be asked for once, in order.
  package func batch(at index: Int) -> Batch {
    shelf.take(index)
  }
}
