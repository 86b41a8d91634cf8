import Foundation

/// All that a notebook's results depend on: a run with the same fingerprint need not be repeated.
package struct Fingerprint: Codable, Equatable {
  /// The notebook's code, without prose.
  var code: String
  /// The notebook's file with its prose.
  var text: String
  var program: String
  /// The package's other sources; nothing where there are none.
  var libraries: String
  var arguments: [String]
  /// Variables that change what programs of this package do.
  var environment: [String: String]
  /// Whether the record tells times.
  var tellsTimes: Bool
  /// The files of the folders that the notebook's data are in, by folder.
  var data: [String: String] = [:]

  package init(
    code: String, text: String, program: String, libraries: String, arguments: [String],
    environment: [String: String], tellsTimes: Bool
  ) {
    (self.code, self.text, self.program, self.libraries) = (code, text, program, libraries)
    (self.arguments, self.environment) = (arguments, environment)
    self.tellsTimes = tellsTimes
  }

  /// Whether a run now would give the same.
  ///
  /// - Parameter earlier: The fingerprint of the run that there is.
  package func matches(_ earlier: Fingerprint) -> Bool {
    var earlier = earlier
    // Prose moves lines, and so changes a program whose code is the same.
    if !libraries.isEmpty, libraries == earlier.libraries, text != earlier.text {
      earlier.program = program
    }
    (earlier.libraries, earlier.text) = (libraries, text)
    let data = earlier.data
    earlier.data = self.data
    return self == earlier && data.allSatisfy { Self.files(in: $0.key) == $0.value }
  }

  /// The names, sizes and times of a folder's files.
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

/// A checksum that tells two versions of a text apart, where nobody means harm (64-bit FNV-1a).
struct Checksum {
  private var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ text: String) { add(text.utf8) }

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  /// The sum as 16 hexadecimal digits.
  var text: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
