import Kernels
import Synchronization
import Testing

struct ParallelTests {
  @Test(arguments: [0, 1, 2, 3, 17, 100])
  func everyPartRunsOnce(count: Int) {
    let runs = Mutex([Int](repeating: 0, count: count))
    parallel(count: count) { part in runs.withLock { $0[part] += 1 } }
    #expect(runs.withLock { $0 } == [Int](repeating: 1, count: count))
  }

  @Test(arguments: [0, 1, 2, 99, 1000], [1, 7, 5000])
  func theRangesCoverEveryIndexOnce(count: Int, grain: Int) {
    let runs = Mutex([Int](repeating: 0, count: count))
    parallel(count: count, grain: grain) { range in
      runs.withLock { for index in range { $0[index] += 1 } }
    }
    #expect(runs.withLock { $0 } == [Int](repeating: 1, count: count))
  }
}
