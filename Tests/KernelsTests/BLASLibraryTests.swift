import Foundation
import Kernels
import Testing

@Suite(.serialized)
struct BLASLibraryTests {
  @Test func ownProductsAreUsedWhereTheyAreFast() throws {
    for set in KernelSet.supported where ["avx512", "avx2"].contains(set.name) {
      let chosen = try set.multiplying(by: nil)
      #expect(chosen.fullName == set.name && chosen.description == set.description)
      #expect(try set.multiplying(by: "").fullName == set.name)
    }
    for set in KernelSet.supported {
      #expect(try set.withFastProducts().multiplying(by: "own").fullName == set.name)
    }
  }

  @Test func onlyProductsThatAreFasterAreTheLibrarys() {
    #expect(MatrixProducts.isFaster(m: 32, n: 32, k: 32))
    #expect(MatrixProducts.isFaster(m: 8, n: 256, k: 256))
    // Small ones, few rows or columns, and short sums.
    #expect(!MatrixProducts.isFaster(m: 16, n: 16, k: 16))
    #expect(!MatrixProducts.isFaster(m: 1, n: 4096, k: 4096))
    #expect(!MatrixProducts.isFaster(m: 4096, n: 4, k: 4096))
    #expect(!MatrixProducts.isFaster(m: 4096, n: 4096, k: 1))
  }

  @Test func anUnknownProviderIsRefusedInOneLine() {
    for set in KernelSet.supported {
      let error = #expect(throws: KernelSetError.self) { try set.multiplying(by: "mkl") }
      #expect(
        error?.description
          == "LAB_BLAS=mkl: there are no such matrix products; expected own or "
          + "\(KernelSet.libraryName).")
    }
  }

  @Test func aMissingLibraryIsReportedInOneLine() {
    let missing = Result { () throws(KernelSetError) in
      try BLASLibrary.openBLAS(files: ["libno-such-blas.so.0"])
    }
    let error = #expect(throws: KernelSetError.self) {
      try KernelSet.supported[0].multiplying(by: missing)
    }
    #expect(
      error?.description
        == "LAB_BLAS=\(KernelSet.libraryName): OpenBLAS cannot be opened; on Debian and Ubuntu: "
        + "apt-get install libopenblas0.")
  }

  @Test func theCoreTypeFollowsTheKernelSet() {
    let new = Processor.x86Level4
    #expect(BLASLibrary.coreType(of: "avx512", new) == "SKYLAKEX")
    #expect(BLASLibrary.coreType(of: "avx2", new) == "HASWELL")
    #expect(BLASLibrary.coreType(of: "portable", new) == "SANDYBRIDGE")
    // OpenBLAS knows old processors, and those of other makers.
    #expect(BLASLibrary.coreType(of: "portable", ["avx"]) == nil)
    #expect(BLASLibrary.coreType(of: "neon", []) == nil)
  }

  @Test(
    .enabled(if: KernelSet.hasLibrary, "no BLAS library is installed; apt-get install libopenblas0")
  )
  func theLibraryIsNamed() throws {
    let set = KernelSet.supported[0]
    let chosen = try set.multiplying(by: KernelSet.libraryName)
    #expect(chosen.name == set.name && chosen.productsName == KernelSet.libraryName)
    #expect(chosen.fullName == "\(set.name)+\(KernelSet.libraryName)")
    #expect(chosen.description.hasPrefix("\(set.description), matrix products by "))
  }

  /// Columns are divided by the extents, so the bytes are those of the same calls on one thread.
  @Test(
    .enabled(if: KernelSet.hasLibrary, "no BLAS library is installed; apt-get install libopenblas0")
  )
  func resultsDoNotDependOnTheNumberOfThreads() throws {
    let set = try KernelSet.supported[0].multiplying(by: KernelSet.libraryName)
    for (m, n, k) in [(100, 700, 300), (33, 1030, 513), (64, 200, 5000)] {
      let (a, b) = (numbers(m * k), numbers(n * k, seed: 2))
      let results = withThreadCounts(set) {
        (0..<5).map { _ in
          var c = [Float](repeating: .nan, count: m * n)
          linear(x: a, weight: b, bias: nil, y: &c, n: m, inputs: k, outputs: n)
          return c
        }
      }
      for result in results.joined() { #expect(result == results[0][0]) }
      // The library computes it: its sums differ in the last bits from those of the set.
      let own = withThreadCounts(KernelSet.supported[0]) {
        var c = [Float](repeating: .nan, count: m * n)
        linear(x: a, weight: b, bias: nil, y: &c, n: m, inputs: k, outputs: n)
        return c
      }
      #expect(own[0] != results[0][0])
      #expect(relativeError(results[0][0], own[0]) < 1e-5)
    }
  }

  @Test(
    .enabled(if: KernelSet.hasLibrary, "no BLAS library is installed; apt-get install libopenblas0")
  )
  func whatTheLibraryCannotMultiplyIsMultipliedByTheSet() throws {
    let set = try KernelSet.supported[0].multiplying(by: KernelSet.libraryName)
    let (a, b) = (NumberBuffer(numbers(20)), NumberBuffer(numbers(20, seed: 2)))
    defer { withExtendedLifetime((a, b)) {} }
    // All rows of A are the same four numbers, which BLAS takes for a mistake.
    var (fast, plain) = (numbers(25, seed: 3), numbers(25, seed: 4))
    KernelSet.$current.withValue(set) {
      matrixProduct(
        Matrix(a.pointer, stride: 0), Matrix(b.pointer, stride: 5), into: &fast, stride: 5, m: 5,
        n: 5, k: 4)
    }
    matrixProductReference(
      Matrix(a.pointer, stride: 0), Matrix(b.pointer, stride: 5), into: &plain, stride: 5, m: 5,
      n: 5, k: 4)
    #expect(relativeError(fast, plain) < 1e-6)
  }
}
