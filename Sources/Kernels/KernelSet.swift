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
/// names another one.
public struct KernelSet: Sendable {
  /// Its name in `LAB_KERNELS`.
  public let name: String
  /// A description for users.
  public let description: String
  let loops: any VectorLoops.Type
  private let needs: Set<String>

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

  /// Checks `LAB_KERNELS`, so that a program can report an invalid value when it starts.
  ///
  /// - Throws: ``KernelSetError`` if there is no such set, or the processor cannot run it.
  public static func checkRequest() throws(KernelSetError) {
    _ = try requested(ProcessInfo.processInfo.environment["LAB_KERNELS"])
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

  private static let atStart: KernelSet = {
    do {
      return try requested(ProcessInfo.processInfo.environment["LAB_KERNELS"])
    } catch {
      // A program that did not check the request must not silently use another set.
      let warning = Data("\(error) Using \(supported[0].name).\n".utf8)
      // Where standard error is closed there is nobody to warn.
      try? FileHandle.standardError.write(contentsOf: warning)
      return supported[0]
    }
  }()
}

/// An invalid value of `LAB_KERNELS`.
public struct KernelSetError: Error, CustomStringConvertible {
  public let description: String
}
