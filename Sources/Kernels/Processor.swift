import Foundation

/// The processor that the program runs on.
public enum Processor {
  /// Its model name, such as `Intel(R) Xeon(R) Platinum 8488C`.
  public static let name: String = information["model name"] ?? architecture

  /// The features that the processor has and the system supports, in Linux's spelling, such as
  /// `avx2`; empty when the system reports none.
  public static let features: Set<String> = Set(
    (information["flags"] ?? information["Features"] ?? "").split(separator: " ").map(String.init))

  /// The features of the x86-64 levels 3 and 4 that compilers use.
  static let x86Level3: Set = [
    "ssse3", "sse4_1", "sse4_2", "popcnt", "cx16", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma",
    "abm", "movbe",
  ]
  package static let x86Level4 = x86Level3.union([
    "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl",
  ])

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
    private static let information = [
      "model name": text("machdep.cpu.brand_string"), "flags": flags,
    ].compactMapValues { $0 }

    /// The features that macOS reports on Intel, in Linux's spelling. `hw.optional` lacks those that the
    /// system does not support.
    private static var flags: String {
      #if arch(x86_64)
        let names = [
          "ssse3": "supplementalsse3", "sse4_1": "sse4_1", "sse4_2": "sse4_2", "avx": "avx1_0",
          "avx2": "avx2_0", "bmi1": "bmi1", "bmi2": "bmi2", "f16c": "f16c", "fma": "fma",
          "avx512f": "avx512f", "avx512bw": "avx512bw", "avx512cd": "avx512cd",
          "avx512dq": "avx512dq", "avx512vl": "avx512vl",
        ]
        var found = names.keys.filter { number("hw.optional.\(names[$0] ?? $0)") == 1 }
        // macOS has no names for these; every processor with AVX2 has them.
        if found.contains("avx2") { found += ["popcnt", "cx16", "abm", "movbe"] }
        return found.joined(separator: " ")
      #else
        return ""
      #endif
    }

    private static func number(_ name: String) -> Int32 {
      var (value, size): (Int32, Int) = (0, MemoryLayout<Int32>.size)
      return sysctlbyname(name, &value, &size, nil, 0) == 0 ? value : 0
    }

    private static func text(_ name: String) -> String? {
      var size = 0
      sysctlbyname(name, nil, &size, nil, 0)
      var bytes = [UInt8](repeating: 0, count: size)
      guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  #endif
}
