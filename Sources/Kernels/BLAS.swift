import Foundation
import Synchronization

#if canImport(Accelerate)
  import Accelerate
#endif

/// The library that multiplies matrices: OpenBLAS on Linux, Accelerate on macOS, or this module's
/// own plain kernel when neither is there.
///
/// OpenBLAS chooses its kernels when it is loaded, and releases older than a processor take it for
/// one of twenty years ago: a quarter of the speed. So it is not linked but opened at the first
/// product, after the environment names the kernels that the processor's own features allow.
/// `OPENBLAS_CORETYPE`, when set, is left as it is.
public enum BLAS {
  /// What multiplies matrices here, for a person to read: `OpenBLAS 0.3.21, SkylakeX kernels`.
  public static var description: String { implementation.description }

  static let implementation = Implementation.load()

  /// `cblas_sgemm`'s signature, with enumerations as the integers they are.
  typealias Multiply =
    @convention(c) (
      CInt, CInt, CInt, CInt, CInt, CInt, Float, UnsafePointer<Float>?, CInt,
      UnsafePointer<Float>?, CInt, Float, UnsafeMutablePointer<Float>?, CInt
    ) -> Void

  struct Implementation: Sendable {
    let description: String
    let multiply: Multiply?

    static func load() -> Implementation {
      #if canImport(Accelerate)
        return Implementation(description: "Accelerate") {
          cblas_sgemm(
            CBLAS_ORDER(UInt32($0)), CBLAS_TRANSPOSE(UInt32($1)), CBLAS_TRANSPOSE(UInt32($2)),
            $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        }
      #else
        if let coreType = Processor.openBLASCoreType { setenv("OPENBLAS_CORETYPE", coreType, 0) }
        for name in ["libopenblas.so.0", "libopenblas.so"] {
          guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL),
            let multiply = dlsym(library, "cblas_sgemm")
          else { continue }
          // This package divides the work itself, so that results do not depend on the number of
          // threads; OpenBLAS's own threads would only compete with that.
          if let setThreads = dlsym(library, "openblas_set_num_threads") {
            unsafeBitCast(setThreads, to: (@convention(c) (CInt) -> Void).self)(1)
          }
          return Implementation(
            description: describe(library), multiply: unsafeBitCast(multiply, to: Multiply.self))
        }
        return Implementation(
          description: "none found (install libopenblas0): slow plain kernel", multiply: nil)
      #endif
    }

    #if !canImport(Accelerate)
      private static func describe(_ library: UnsafeMutableRawPointer) -> String {
        typealias Text = @convention(c) () -> UnsafePointer<CChar>?
        func text(_ symbol: String) -> String? {
          guard let function = dlsym(library, symbol) else { return nil }
          return unsafeBitCast(function, to: Text.self)().map { String(cString: $0) }
        }
        // The configuration reads "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …".
        let words = text("openblas_get_config")?.split(separator: " ").prefix(2)
        let name = words?.joined(separator: " ") ?? "OpenBLAS"
        return text("openblas_get_corename").map { "\(name), \($0) kernels" } ?? name
      }
    #endif
  }
}
