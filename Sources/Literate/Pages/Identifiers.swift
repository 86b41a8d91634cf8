import Foundation

/// Generates unique identifiers: letters and digits of any script, `-` and `_`, in lower case. The same
/// texts give the same identifiers in every run.
package struct Identifiers {
  private var taken: Set<String>
  private let isASCII: Bool

  /// - Parameters:
  ///   - reserved: Identifiers already in use.
  ///   - isASCII: Whether identifiers have at most 64 ASCII characters, as the cells of a Jupyter
  ///     notebook need; by default they may have letters of any script, as anchors and files may.
  package init(reserved: Set<String> = [], isASCII: Bool = false) {
    taken = reserved
    self.isASCII = isASCII
  }

  /// `Look at the data` becomes `look-at-the-data`, the next time `look-at-the-data-2`; `데이터 보기`
  /// becomes `데이터-보기`, or in ASCII `section-` and eight digits that depend on it.
  package mutating func next(for text: String) -> String {
    let name = name(for: text)
    var identifier = name
    var count = 1
    while !taken.insert(identifier).inserted {
      count += 1
      identifier = "\(name)-\(count)"
    }
    return identifier
  }

  /// The largest number of characters, which leaves room for a count.
  private static let longest = 56
  /// The largest number of bytes, which leaves room in the name of a file.
  private static let largest = 168

  private func name(for text: String) -> String {
    // The same title may be spelled with letters in one piece or in several.
    let text = text.precomposedStringWithCanonicalMapping.lowercased()
    let words = text.split { !($0.isLetter || $0.isNumber || $0 == "_") }
    let all = words.joined(separator: "-")
    guard !all.isEmpty else { return "section" }
    if isASCII, !all.utf8.allSatisfy({ $0 < 0x80 }) {
      var sum = Checksum()
      sum.add(all)
      let known = all.split { !$0.isASCII }.joined(separator: "-")
        .split(separator: "-").joined(separator: "-")
      let start = known.isEmpty ? "section" : String(known.prefix(Self.longest - 9))
      return "\(start)-\(sum.text.suffix(8))"
    }
    var name = String(all.prefix(Self.longest))
    while name.utf8.count > Self.largest { name.removeLast() }
    return name
  }
}
