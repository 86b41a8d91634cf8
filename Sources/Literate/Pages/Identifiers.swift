/// Generates unique identifiers for HTML anchors and Jupyter cells: at most 64 ASCII letters, digits,
/// `-` and `_`.
package struct Identifiers {
  private var taken: Set<String>

  /// - Parameter reserved: Identifiers already in use.
  package init(reserved: Set<String> = []) {
    taken = reserved
  }

  /// `Look at the data` becomes `look-at-the-data`, the next time `look-at-the-data-2`.
  package mutating func next(for text: String) -> String {
    let words = text.lowercased().split {
      !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_"))
    }
    let name = words.isEmpty ? "section" : String(words.joined(separator: "-").prefix(56))
    var identifier = name
    var count = 1
    while !taken.insert(identifier).inserted {
      count += 1
      identifier = "\(name)-\(count)"
    }
    return identifier
  }
}
