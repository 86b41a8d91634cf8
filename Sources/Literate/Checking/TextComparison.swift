/// Compares what a cell printed with what was expected: the same text, with numbers that may differ
/// by a tolerance.
struct TextComparison {
  var tolerance = 0.0
  /// How lines begin that are not compared.
  var ignoring: [String] = []

  /// What differs, line by line.
  func complaints(expected: String, actual: String) -> [String] {
    let (expected, actual) = (lines(of: expected), lines(of: actual))
    var complaints = zip(expected, actual).enumerated().compactMap { place, lines in
      complaint(expected: lines.0, actual: lines.1).map { "line \(place + 1): \($0)" }
    }
    if expected.count != actual.count {
      complaints.append("expected \(expected.count) lines, got \(actual.count)")
    }
    return complaints
  }

  private func lines(of text: String) -> [Substring] {
    text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  private func complaint(expected: Substring, actual: Substring) -> String? {
    if expected == actual { return nil }
    if ignoring.contains(where: { expected.hasPrefix($0) && actual.hasPrefix($0) }) { return nil }
    let (first, second) = (Numbers(expected), Numbers(actual))
    guard tolerance > 0, first.text == second.text else {
      return "expected “\(expected)”, got “\(actual)”"
    }
    let differences = zip(first.values, second.values).map { abs($0 - $1) }
    guard let place = differences.firstIndex(where: { !($0 <= tolerance) }) else { return nil }
    return "expected \(first.values[place]), got \(second.values[place]), which differs by "
      + "more than \(tolerance), in “\(actual)”"
  }

  /// A line's numbers, and the text between them.
  private struct Numbers {
    var values: [Double] = []
    var text: [Substring] = []

    init(_ line: Substring) {
      var rest = line
      while let match = rest.firstMatch(of: /-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?/) {
        text.append(rest[..<match.range.lowerBound])
        values.append(Double(match.0) ?? 0)
        rest = rest[match.range.upperBound...]
      }
      text.append(rest)
    }
  }
}
