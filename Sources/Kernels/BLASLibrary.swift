import CBLAS
import Foundation
import KernelInterface

/// The matrix product of the system's BLAS: OpenBLAS on Linux, Accelerate on macOS, where it was never
/// tried. The library is opened when it is first needed, so that programs start without it.
package final class BLASLibrary: Sendable {
  /// Its name in `LAB_BLAS`.
  static let name: String = {
    #if os(macOS)
      "accelerate"
    #else
      "openblas"
    #endif
  }()

  /// A description for users, with the processor type whose kernels OpenBLAS uses.
  let description: String
  private let sgemm: blas_sgemm_function

  /// The library, opened once.
  static let shared: Result<BLASLibrary, KernelSetError> = Result { () throws(KernelSetError) in
    #if os(macOS)
      try BLASLibrary(
        files: ["/System/Library/Frameworks/Accelerate.framework/Accelerate"],
        title: "Accelerate", advice: "it is a part of macOS")
    #else
      try openBLAS(files: ["libopenblas.so.0", "libopenblas.so"])
    #endif
  }

  /// Opens OpenBLAS for one thread, because our own threads divide the work, and with the right kernels.
  package static func openBLAS(files: [String]) throws(KernelSetError) -> BLASLibrary {
    let set = try? KernelSet.requested(ProcessInfo.processInfo.environment["LAB_KERNELS"])
    // Both are read while the library is loaded. A pool of threads would be started for nothing.
    let settings = [
      "OPENBLAS_NUM_THREADS": "1",
      "OPENBLAS_CORETYPE": set.flatMap { coreType(of: $0.name, Processor.features) },
    ].compactMapValues { $0 }.filter { getenv($0.key) == nil }
    for (name, value) in settings { setenv(name, value, 1) }
    // Programs that this one starts should not inherit them.
    defer { for name in settings.keys { unsetenv(name) } }
    return try BLASLibrary(
      files: files, title: "OpenBLAS",
      advice: "on Debian and Ubuntu: apt-get install libopenblas0")
  }

  /// The processor type whose kernels OpenBLAS is to use, nil for the one that it finds itself.
  ///
  /// An OpenBLAS that is older than the processor takes it for a very old one: Debian 12's takes Sapphire
  /// Rapids for a Prescott. On a processor with AVX2, portable kernels run only if `LAB_KERNELS` asks for
  /// them, to see what an older processor does: the newest ones without AVX2 are of type Sandy Bridge.
  package static func coreType(of set: String, _ features: Set<String>) -> String? {
    switch set {
    case "avx512": "SKYLAKEX"
    case "avx2": "HASWELL"
    case "portable" where features.isSuperset(of: Processor.x86Level3): "SANDYBRIDGE"
    default: nil
    }
  }

  private init(files: [String], title: String, advice: String) throws(KernelSetError) {
    guard let handle = files.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first else {
      throw KernelSetError(description: "\(title) cannot be opened; \(advice)")
    }
    guard let symbol = dlsym(handle, "cblas_sgemm") else {
      throw KernelSetError(description: "\(title) lacks cblas_sgemm; \(advice)")
    }
    sgemm = unsafeBitCast(symbol, to: blas_sgemm_function.self)
    // A user's own number of threads must not divide products: results would depend on it.
    if let symbol = dlsym(handle, "openblas_set_num_threads") {
      unsafeBitCast(symbol, to: blas_set_threads_function.self)(1)
    }
    let core = dlsym(handle, "openblas_get_corename").flatMap {
      unsafeBitCast($0, to: blas_core_name_function.self)()
    }
    description = core.map { "\(title) (\(String(cString: $0)))" } ?? title
  }

  /// Whether the library can multiply these matrices: it counts in 32 bits and wants strides that are at
  /// least as long as rows.
  static func canMultiply(
    _ a: StridedMatrix, _ b: StridedMatrix, stride: Int, m: Int, n: Int, k: Int
  ) -> Bool {
    min(m, n, k) > 0
      && max(m, n, k, stride, a.row, a.column, b.row, b.column) <= Int(Int32.max)
      && Layout(a, rows: m, columns: k) != nil && Layout(b, rows: k, columns: n) != nil
  }

  /// `C = A B` or `C += A B` on the calling thread; C is m × n, A m × k, B k × n, C's rows are
  /// contiguous. The matrices must be such that ``canMultiply(_:_:stride:m:n:k:)`` holds.
  func multiply(
    _ a: StridedMatrix, _ b: StridedMatrix, into c: UnsafeMutablePointer<Float>, stride: Int,
    m: Int, n: Int, k: Int, adding: Bool
  ) {
    guard let left = Layout(a, rows: m, columns: k), let right = Layout(b, rows: k, columns: n)
    else { preconditionFailure("expected matrices with contiguous rows or columns") }
    sgemm(
      Int32(BLAS_ROW_MAJOR.rawValue), left.transposition, right.transposition, Int32(m), Int32(n),
      Int32(k), 1, a.pointer, left.stride, b.pointer, right.stride, adding ? 1 : 0, c,
      Int32(stride))
  }

  /// A matrix as BLAS describes it.
  private struct Layout {
    let transposition, stride: Int32

    init?(_ matrix: StridedMatrix, rows: Int, columns: Int) {
      if matrix.column == 1, matrix.row >= columns {
        (transposition, stride) = (Int32(BLAS_NOT_TRANSPOSED.rawValue), Int32(matrix.row))
      } else if matrix.row == 1, matrix.column >= rows {
        (transposition, stride) = (Int32(BLAS_TRANSPOSED.rawValue), Int32(matrix.column))
      } else {
        return nil
      }
    }
  }
}
