import Foundation

/// Everything that a notebook's results depend on. A run with the same fingerprint is not repeated.
package struct Fingerprint: Codable, Equatable {
  /// The checksum of the notebook's code without prose.
  var code: String
  /// The checksum of the notebook's source file, prose included.
  var text: String
  /// The checksum of the program.
  var program: String
  /// The checksum of the package's other sources, its manifest and its resources; empty if there are
  /// none.
  var libraries: String
  var arguments: [String]
  /// The environment variables that results depend on.
  var environment: [String: String]
  /// Whether times are recorded.
  var recordsTimes: Bool
  /// The checksums of the files in the folders of the notebook's data, by folder.
  var data: [String: String] = [:]

  package init(
    code: String, text: String, program: String, libraries: String, arguments: [String],
    environment: [String: String], recordsTimes: Bool
  ) {
    (self.code, self.text, self.program, self.libraries) = (code, text, program, libraries)
    (self.arguments, self.environment) = (arguments, environment)
    self.recordsTimes = recordsTimes
  }

  /// The checksums of everything that the program is built from.
  var sources: String { "\(code) \(text) \(libraries)" }

  /// Whether a run now would give the same results.
  ///
  /// - Parameter earlier: The fingerprint of the last run.
  package func matches(_ earlier: Fingerprint) -> Bool {
    var earlier = earlier
    // A change of prose shifts line numbers, which changes the program although its code is the same.
    if !libraries.isEmpty, libraries == earlier.libraries, text != earlier.text {
      earlier.program = program
    }
    (earlier.libraries, earlier.text) = (libraries, text)
    let data = earlier.data
    earlier.data = self.data
    return self == earlier && data.allSatisfy { Self.files(in: $0.key) == $0.value }
  }

  /// The checksum of the names, sizes and modification times of a folder's files.
  static func files(in folder: String) -> String {
    let url = URL(filePath: folder, directoryHint: .isDirectory)
    var lines: [String] = []
    let keys: Set<URLResourceKey> = [.fileSizeKey, .contentModificationDateKey, .isRegularFileKey]
    let files = FileManager.default.enumerator(at: url, includingPropertiesForKeys: Array(keys))
    while let file = files?.nextObject() as? URL {
      guard let values = try? file.resourceValues(forKeys: keys), values.isRegularFile == true,
        !file.lastPathComponent.hasPrefix(".")
      else { continue }
      let time = values.contentModificationDate?.timeIntervalSince1970 ?? 0
      lines.append("\(file.path(percentEncoded: false)) \(values.fileSize ?? 0) \(time)")
    }
    var sum = Checksum()
    sum.add(lines.sorted().joined(separator: "\n"))
    return sum.text
  }
}

/// A checksum to detect changes, not attacks (64-bit FNV-1a).
struct Checksum {
  private var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ text: String) { add(text.utf8) }

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  /// The checksum as 16 hexadecimal digits.
  var text: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
