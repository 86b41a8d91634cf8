import Foundation
import Lab
import Synchronization
import Testing

@Suite struct PrefetchTests {
  private static let batch = Batch(x: Tensor([0]), y: IntTensor([0]))

  @Test func gathersTwoBatchesPerWorkerInAdvanceAndNoMore() {
    let limit = Mutex(6)
    let tooEarly = Mutex<[Int]>([])
    let gathered = DispatchSemaphore(value: 0)
    let prefetch = Prefetch(0..<100, workers: 3) { index in
      if limit.withLock({ index >= $0 }) { tooEarly.withLock { $0.append(index) } }
      gathered.signal()
      return Self.batch
    }
    // Six without one being taken, and then one more for each that is taken.
    for _ in 0..<6 { gathered.wait() }
    for taken in 1...100 {
      limit.withLock { $0 = 6 + taken }
      #expect(prefetch.next() != nil)
      if taken <= 94 { gathered.wait() }
    }
    #expect(prefetch.next() == nil)
    #expect(tooEarly.withLock { $0 } == [])
  }

  @Test(.timeLimit(.minutes(1)), arguments: [0, 1, 5])
  func threadsEndWhenAbandoned(taken: Int) {
    final class Token: Sendable {
      let end: DispatchSemaphore
      init(_ end: DispatchSemaphore) { self.end = end }
      deinit { end.signal() }
    }
    let end = DispatchSemaphore(value: 0)
    do {
      let token = Token(end)
      let prefetch = Prefetch(0..<1000, workers: 4) { _ in
        withExtendedLifetime(token) { Self.batch }
      }
      for _ in 0..<taken { _ = prefetch.next() }
    }
    // The threads hold the last references to what they gather with.
    end.wait()
  }
}
