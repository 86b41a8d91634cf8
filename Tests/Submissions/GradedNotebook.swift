import Foundation

/// The regions of `Tests/Notebooks/graded-notebook`, read by plain rules of our own: what the parser of
/// markers is compared with.
package struct GradedNotebook {
  /// The teacher's source.
  package let source: String

  /// - Parameter package: The root of the package.
  package init(in package: URL) throws {
    source = try String(
      contentsOf: package.appending(path: "Tests/Notebooks/graded-notebook/main.swift"),
      encoding: .utf8)
  }

  /// The names of the exercises, in order.
  package static let exercises = ["sum", "largest", "reversed words", "primes", "mean"]

  /// The checks with their points, in order.
  package static let checks: [(name: String, points: Double, exercise: String, isHidden: Bool)] = [
    ("The sum of three numbers", 1, "sum", false),
    ("The sum of no numbers", 1, "sum", true),
    ("The largest of three numbers", 1, "largest", false),
    ("The largest of negative numbers, and of none", 1, "largest", true),
    ("Three words", 1, "reversed words", false),
    ("One word", 1, "reversed words", true),
    ("Primes below 10", 1, "primes", false),
    ("Primes below 3, 5, 30 and 100", 3, "primes", true),
    ("The mean of two numbers", 1, "mean", false),
    ("The mean of no numbers", 1, "mean", true),
  ]

  /// The model solution of each exercise.
  package var solutions: [String: String] {
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
    let pairs = Self.exercises.compactMap { name -> (String, String)? in
      let marker = "// BEGIN SOLUTION: \(name)"
      guard
        let first = lines.firstIndex(where: { $0.hasSuffix(marker) }),
        let last = lines[first...].firstIndex(where: { $0.hasSuffix("// END SOLUTION") })
      else { return nil }
      let answer = lines[first..<last].dropFirst().filter { !$0.contains("// STUB:") }
      return (name, answer.joined(separator: "\n"))
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }

  /// A student's file with these answers in place of what is between the markers.
  ///
  /// - Parameters:
  ///   - released: The student's version as handed out.
  ///   - answers: Answers by the names of their exercises; other regions stay as they are.
  package static func filled(_ released: String, with answers: [String: String]) -> String {
    var result: [Substring] = []
    var isReplaced = false
    for line in released.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasSuffix("// END ANSWER") { isReplaced = false }
      if !isReplaced { result.append(line) }
      let answer = answers.first { line.hasSuffix("// BEGIN ANSWER: \($0.key)") }
      if let answer {
        result += answer.value.split(separator: "\n", omittingEmptySubsequences: false)
        isReplaced = true
      }
    }
    return result.joined(separator: "\n")
  }

  /// A student's file without its checks: all calls of `check` are deleted, markers and answers stay.
  package static func withoutChecks(_ file: String) -> String {
    var result: [Substring] = []
    var isInCheck = false
    for line in file.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("check(") { isInCheck = true }
      if !isInCheck { result.append(line) }
      if line == "}" { isInCheck = false }
    }
    return result.joined(separator: "\n")
  }
}
