import Foundation

/// The processor that this program runs on.
public enum Processor {
  /// The maker's name for it, such as `Intel(R) Xeon(R) Platinum 8488C`.
  public static let name: String = information["model name"] ?? architecture

  /// The features that the system reports, in Linux's spelling, such as `avx2`; empty when it
  /// reports none.
  public static let features: Set<String> = Set(
    (information["flags"] ?? information["Features"] ?? "").split(separator: " ").map(String.init))

  /// The name of the OpenBLAS kernels that fit the processor's features; nil to let OpenBLAS
  /// choose.
  static var openBLASCoreType: String? {
    let avx512: Set = ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]
    if features.isSuperset(of: avx512) { return "SkylakeX" }
    if features.isSuperset(of: ["avx2", "fma"]) { return "Haswell" }
    return nil
  }

  private static var architecture: String {
    #if arch(arm64)
      "arm64"
    #elseif arch(x86_64)
      "x86-64"
    #else
      "unknown processor"
    #endif
  }

  #if os(Linux)
    /// The first processor's entries of `/proc/cpuinfo`.
    private static let information: [String: String] = {
      guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else {
        return [:]
      }
      var entries: [String: String] = [:]
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.isEmpty { break }
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { continue }
        entries[parts[0].trimmingCharacters(in: .whitespaces)] =
          parts[1].trimmingCharacters(in: .whitespaces)
      }
      return entries
    }()
  #else
    private static let information: [String: String] = {
      var size = 0
      sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0)
      var bytes = [UInt8](repeating: 0, count: size)
      guard sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0) == 0 else { return [:] }
      return ["model name": String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)]
    }()
  #endif
}
