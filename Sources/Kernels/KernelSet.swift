import Foundation
import KernelInterface

#if arch(arm64)
  import KernelsNEON
#else
  import KernelsAVX2
  import KernelsAVX512
  import KernelsPortable
#endif

/// A set of kernels: the same loops, built for one set of vector instructions.
///
/// The fastest set that the processor supports is used, unless the environment variable `LAB_KERNELS`
/// names another one. Large matrix products of sets without AVX2 are those of the system's BLAS library if
/// there is one; `LAB_BLAS` is `own` for the set's own products or the name of the library for the library's,
/// with any set.
public struct KernelSet: Sendable {
  /// Its name in `LAB_KERNELS`.
  public let name: String
  private let title: String
  let loops: any VectorLoops.Type
  let products: MatrixProducts
  private let needs: Set<String>

  private init(
    name: String, title: String, products: MatrixProducts, needs: Set<String>
  ) {
    (self.name, self.title, self.needs) = (name, title, needs)
    (loops, self.products) = (products.loops, products)
  }

  private init(
    name: String, description: String, loops: any VectorLoops.Type, needs: Set<String>
  ) {
    self.init(name: name, title: description, products: MatrixProducts(loops), needs: needs)
  }

  /// A description for users, which names the library that computes matrix products if there is one.
  public var description: String {
    products.library.map { "\(title), matrix products by \($0.description)" } ?? title
  }

  /// The name of the system's BLAS library in `LAB_BLAS`.
  package static let libraryName = BLASLibrary.name

  /// The provider of matrix products, as `LAB_BLAS` names it.
  public var productsName: String { products.library == nil ? "own" : BLASLibrary.name }

  /// The set's name, and that of the library that computes matrix products if there is one: results of sets
  /// with different full names may differ a little.
  public var fullName: String { products.library == nil ? name : "\(name)+\(BLASLibrary.name)" }

  /// The sets built for the processor's architecture, fastest first.
  public static let all: [KernelSet] = {
    #if arch(arm64)
      [
        KernelSet(
          name: "neon", description: "NEON kernels", loops: KernelsNEON.Loops.self, needs: [])
      ]
    #else
      [
        KernelSet(
          name: "avx512", description: "AVX-512 kernels", loops: KernelsAVX512.Loops.self,
          needs: Processor.x86Level4),
        KernelSet(
          name: "avx2", description: "AVX2 kernels", loops: KernelsAVX2.Loops.self,
          needs: Processor.x86Level3),
        KernelSet(
          name: "portable", description: "portable kernels (slow: no AVX2)",
          loops: KernelsPortable.Loops.self, needs: []),
      ]
    #endif
  }()

  /// The sets that run on this processor, fastest first.
  public static let supported = all.filter { $0.needs.isSubset(of: Processor.features) }

  /// The set that kernels called from this task use.
  @TaskLocal public static var current = KernelSet.atStart

  /// The peak of one thread, in billions of multiplications and additions per second.
  package func measurePeak() -> Double {
    let scratch = Scratch(count: loops.scratchCount)
    let clock = ContinuousClock()
    return (0..<200).reduce(0) { best, _ in
      var operations = 0
      let time = clock.measure { operations = loops.multiplyAtPeak(scratch: scratch.pointer) }
      return max(best, Double(operations) / (time / .nanoseconds(1)))
    }
  }

  /// Checks `LAB_KERNELS` and `LAB_BLAS`, so that a program can report an invalid value when it starts.
  ///
  /// - Throws: ``KernelSetError`` if there is no such set or library, the processor cannot run the set, or the
  ///   library cannot be opened.
  public static func checkRequest() throws(KernelSetError) {
    let environment = ProcessInfo.processInfo.environment
    _ = try requested(environment["LAB_KERNELS"]).multiplying(by: environment["LAB_BLAS"])
  }

  /// The set of that name, or the fastest one for nil or an empty name.
  ///
  /// - Throws: ``KernelSetError`` if there is no such set, or the processor cannot run it.
  package static func requested(_ name: String?) throws(KernelSetError) -> KernelSet {
    let names = supported.map(\.name).joined(separator: ", ")
    guard let name, !name.isEmpty else { return supported[0] }
    if let set = supported.first(where: { $0.name == name }) { return set }
    throw KernelSetError(
      description: all.contains { $0.name == name }
        ? "LAB_KERNELS=\(name): \(Processor.name) has no such instructions; it runs \(names)."
        : "LAB_KERNELS=\(name): there are no such kernels; this processor runs \(names).")
  }

  /// The set with the matrix products that `LAB_BLAS` names, or the faster ones for nil or an empty name.
  ///
  /// - Throws: ``KernelSetError`` if there is no such library, or it cannot be opened.
  package func multiplying(by provider: String?) throws(KernelSetError) -> KernelSet {
    switch provider ?? "" {
    case "": isSlowerThanLibrary ? withFastProducts() : with(MatrixProducts(loops))
    case "own": with(MatrixProducts(loops))
    case BLASLibrary.name: try multiplying(by: BLASLibrary.shared)
    case let name:
      throw KernelSetError(
        description: "LAB_BLAS=\(name): there are no such matrix products; expected own or "
          + "\(BLASLibrary.name).")
    }
  }

  /// The set with all matrix products by a library that was opened.
  package func multiplying(
    by library: Result<BLASLibrary, KernelSetError>
  ) throws(KernelSetError) -> KernelSet {
    switch library {
    case .success(let library):
      return with(MatrixProducts(loops, library: library, isForced: true))
    case .failure(let error):
      throw KernelSetError(description: "LAB_BLAS=\(BLASLibrary.name): \(error).")
    }
  }

  /// The set with the library's matrix products where they are faster than portable loops, if the library can be
  /// opened.
  package func withFastProducts() -> KernelSet {
    with(MatrixProducts(loops, library: try? BLASLibrary.shared.get()))
  }

  /// Whether a library has wider vectors or better kernels than the set. With SSE alone OpenBLAS is no faster
  /// than the portable loops. On arm64 this was never measured: the loops for NEON are not tuned.
  private var isSlowerThanLibrary: Bool {
    name == "neon" || (name == "portable" && Processor.features.contains("avx"))
  }

  private func with(_ products: MatrixProducts) -> KernelSet {
    KernelSet(name: name, title: title, products: products, needs: needs)
  }

  private static let atStart: KernelSet = {
    let environment = ProcessInfo.processInfo.environment
    // A program that did not check the request must not silently use something else.
    let set = orWarn(supported[0]) { () throws(KernelSetError) in
      try requested(environment["LAB_KERNELS"])
    }
    return orWarn(set) { () throws(KernelSetError) in
      try set.multiplying(by: environment["LAB_BLAS"])
    }
  }()

  /// The result of `body`, or another set and a warning.
  private static func orWarn(
    _ other: KernelSet, _ body: () throws(KernelSetError) -> KernelSet
  ) -> KernelSet {
    do {
      return try body()
    } catch {
      let warning = Data("\(error) Using \(other.description).\n".utf8)
      // Where standard error is closed there is nobody to warn.
      try? FileHandle.standardError.write(contentsOf: warning)
      return other
    }
  }
}

/// An invalid value of `LAB_KERNELS` or `LAB_BLAS`.
public struct KernelSetError: Error, CustomStringConvertible {
  public let description: String
}
