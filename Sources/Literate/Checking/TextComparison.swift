/// Compares the output of a cell with the accepted output: equal text, in which numbers may differ
/// within a tolerance.
package struct TextComparison {
  private let tolerance: Tolerance
  private let ignoring: [String]

  /// - Parameters:
  ///   - tolerance: The tolerance of numbers.
  ///   - ignoring: The prefixes of lines that are not compared.
  package init(tolerance: Tolerance = .exact, ignoring: [String] = []) {
    self.tolerance = tolerance
    self.ignoring = ignoring
  }

  /// The differences, line by line.
  package func differences(expected: String, actual: String) -> [String] {
    let (expected, actual) = (lines(of: expected), lines(of: actual))
    var differences: [String] = []
    var (wrong, all) = (0, 0)
    var wordsAreEqual = true
    for (index, (first, second)) in zip(expected, actual).enumerated() {
      if ignoring.contains(where: { first.hasPrefix($0) && second.hasPrefix($0) }) { continue }
      let numbers = (Numbers(first), Numbers(second))
      let differ = zip(numbers.0.values, numbers.1.values).count {
        !(abs($0 - $1) <= tolerance.numbers)
      }
      (wrong, all) = (wrong + differ, all + numbers.0.values.count)
      let isExact = tolerance.numbers == 0 && tolerance.share == 0
      if isExact ? first != second : differ > 0 || numbers.0.text != numbers.1.text {
        differences.append("line \(index + 1): expected “\(first)”, got “\(second)”")
      }
      if numbers.0.text != numbers.1.text { wordsAreEqual = false }
    }
    if expected.count != actual.count {
      return differences + ["expected \(expected.count) lines, got \(actual.count)"]
    }
    // A fraction of the numbers may differ, but not the words between them.
    let isTolerated = wordsAreEqual && wrong > 0 && Double(wrong) <= tolerance.share * Double(all)
    return isTolerated ? [] : differences
  }

  private func lines(of text: String) -> [Substring] {
    withUnixLineEnds(text).split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The numbers of a line and the words between them.
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
