/// Compares what a cell printed with what was expected: the same text, with numbers that may differ
/// by a tolerance.
package struct TextComparison {
  private let tolerance: Tolerance
  private let ignoring: [String]

  /// - Parameters:
  ///   - tolerance: How much numbers may differ, and how many of them by more.
  ///   - ignoring: How lines begin that are not compared.
  package init(tolerance: Tolerance = .exact, ignoring: [String] = []) {
    self.tolerance = tolerance
    self.ignoring = ignoring
  }

  /// What differs, line by line.
  package func complaints(expected: String, actual: String) -> [String] {
    let (expected, actual) = (lines(of: expected), lines(of: actual))
    var complaints: [String] = []
    var (wrong, all) = (0, 0)
    var haveOneText = true
    for (place, (first, second)) in zip(expected, actual).enumerated() {
      if ignoring.contains(where: { first.hasPrefix($0) && second.hasPrefix($0) }) { continue }
      let numbers = (Numbers(first), Numbers(second))
      let differ = zip(numbers.0.values, numbers.1.values).count {
        !(abs($0 - $1) <= tolerance.numbers)
      }
      (wrong, all) = (wrong + differ, all + numbers.0.values.count)
      let isExact = tolerance.numbers == 0 && tolerance.share == 0
      if isExact ? first != second : differ > 0 || numbers.0.text != numbers.1.text {
        complaints.append("line \(place + 1): expected “\(first)”, got “\(second)”")
      }
      if numbers.0.text != numbers.1.text { haveOneText = false }
    }
    if expected.count != actual.count {
      return complaints + ["expected \(expected.count) lines, got \(actual.count)"]
    }
    // A share of the numbers may differ, but not the words between them.
    let isTolerated = haveOneText && wrong > 0 && Double(wrong) <= tolerance.share * Double(all)
    return isTolerated ? [] : complaints
  }

  private func lines(of text: String) -> [Substring] {
    text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// A line's numbers, and the words between them.
  private struct Numbers {
    var values: [Double] = []
    var text: [[Substring]] = []

    init(_ line: Substring) {
      var rest = line
      while let match = rest.firstMatch(of: /-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?/) {
        text.append(rest[..<match.range.lowerBound].split(separator: " "))
        values.append(Double(match.0) ?? 0)
        rest = rest[match.range.upperBound...]
      }
      text.append(rest.split(separator: " "))
    }
  }
}
