import Kernels
import Testing

extension KernelSet: CustomTestStringConvertible {
  public var testDescription: String { fullName }

  /// The sets that run on this processor, and if the system has a BLAS library the fastest of them with its
  /// products alone, and the slowest with its products where they are faster. Without the library the tests in
  /// `BLASLibraryTests` say so.
  static let withEveryProvider: [KernelSet] = {
    guard let forced = try? supported[0].multiplying(by: libraryName) else { return supported }
    return supported + [forced, supported[supported.count - 1].withFastProducts()]
  }()

  static let hasLibrary = (try? supported[0].multiplying(by: libraryName)) != nil
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
