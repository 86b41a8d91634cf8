import Foundation
import Lab
import Synchronization
import Testing

@Suite struct PrefetchTests {
  private static let batch = Batch(x: Tensor([0]), y: IntTensor([0]))

  /// Waits until `isSo`, for at most ten seconds.
  private func eventually(_ isSo: () -> Bool) -> Bool {
    for _ in 0..<10_000 {
      if isSo() { return true }
      Thread.sleep(forTimeInterval: 0.001)
    }
    return false
  }

  @Test func gathersAtMostTwoBatchesPerWorkerInAdvance() {
    let gathered = Mutex<Set<Int>>([])
    let prefetch = Prefetch(0..<100, workers: 3) { index in
      gathered.withLock { _ = $0.insert(index) }
      return Self.batch
    }
    #expect(eventually { gathered.withLock { $0.count } >= 6 })
    Thread.sleep(forTimeInterval: 0.05)
    #expect(gathered.withLock { $0 } == Set(0..<6))
    _ = prefetch.next()
    #expect(eventually { gathered.withLock { $0.count } >= 7 })
    Thread.sleep(forTimeInterval: 0.05)
    #expect(gathered.withLock { $0 } == Set(0..<7))
  }

  @Test(arguments: [0, 1, 5])
  func threadsEndWhenAbandoned(taken: Int) {
    weak var shelf: Prefetch.Shelf?
    do {
      let prefetch = Prefetch(0..<1000, workers: 4) { _ in Self.batch }
      shelf = prefetch.shelf
      for _ in 0..<taken { _ = prefetch.next() }
    }
    // The threads hold the last references to the shelf.
    #expect(eventually { shelf == nil })
  }
}
