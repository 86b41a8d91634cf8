import Kernels
import Testing

extension KernelSet: CustomTestStringConvertible {
  public var testDescription: String { name }
}

/// The results of `body` on this set of kernels with 1, 2, 3 and 8 threads.
func withThreadCounts<Result>(_ set: KernelSet, _ body: () -> Result) -> [Result] {
  KernelSet.$current.withValue(set) {
    let before = Threads.count
    defer { Threads.count = before }
    return [1, 2, 3, 8].map { threads in
      Threads.count = threads
      return body()
    }
  }
}
