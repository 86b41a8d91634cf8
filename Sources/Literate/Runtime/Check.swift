import Foundation
import StandardStreams

/// Tests an answer, and shows the points it earns.
///
/// ```swift
/// check("Two channels", points: 2) {
///   let y = try block(x)
///   try expect(y.shape == [1, 2, 4, 4], "expected shape [1, 2, 4, 4], got \(y.shape)")
/// }
/// ```
///
/// An error in `body` costs the points, and its text is the message; the notebook goes on. A trap, an
/// endless loop or the end of the program ends the notebook, except when it is graded: then it is run
/// again without this check. So an answer should be called only in checks.
///
/// - Parameters:
///   - key: Set when the notebook is graded: only reports with the right key count.
///   - name: What is tested; unique in the notebook.
///   - points: The points of the check.
///   - timeLimit: The time limit in seconds, if a runner runs the notebook.
///   - line: The line of the call.
///   - body: The test.
/// - Returns: Whether the check earned all its points.
@MainActor
@discardableResult
public func check(
  key: String? = nil, _ name: String, points: Double = 1, timeLimit: Double = 60,
  line: Int = #line, _ body: () throws -> Void
) -> Bool {
  run(.init(name: name, points: points, timeLimit: timeLimit, line: line, key: key)) {
    try body()
    return 1
  }
}

/// Tests an answer that can be right in part.
///
/// ```swift
/// check("Better than the CNN", points: 5) { (accuracy - cnnAccuracy) / 0.05 }
/// ```
///
/// - Parameters:
///   - key: Set when the notebook is graded: only reports with the right key count.
///   - name: What is tested; unique in the notebook.
///   - points: The points of the check.
///   - timeLimit: The time limit in seconds, if a runner runs the notebook.
///   - line: The line of the call.
///   - body: Returns the fraction of the points that are earned. Below 0 and NaN are none, above 1 is all.
/// - Returns: Whether the check earned all its points.
// A body of several statements without a result would fit both functions.
@_disfavoredOverload
@MainActor
@discardableResult
public func check(
  key: String? = nil, _ name: String, points: Double = 1, timeLimit: Double = 60,
  line: Int = #line, _ body: () throws -> Double
) -> Bool {
  run(.init(name: name, points: points, timeLimit: timeLimit, line: line, key: key), body)
}

/// Fails a check with a message if a condition does not hold.
///
/// - Parameters:
///   - condition: What must hold.
///   - message: What was expected, what came, and a hint.
/// - Throws: ``Unmet`` with the message.
public func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
  guard condition else { throw Unmet(message: message()) }
}

/// What ``expect(_:_:)`` throws.
public struct Unmet: Error, Equatable, CustomStringConvertible {
  public let message: String
  public var description: String { message }
}

/// What an exercise without an answer throws.
public struct Unanswered: Error, Equatable, CustomStringConvertible {
  /// The name of the exercise.
  public let exercise: String

  public init(_ exercise: String) { self.exercise = exercise }

  public var description: String { "not answered yet: \(exercise)" }
}

@MainActor
private func run(_ start: Event.CheckStart, _ body: () throws -> Double) -> Bool {
  let session = Session.current
  session.report(.checkStart(start))
  var result = Page.Check(name: start.name, points: start.points, earned: 0)
  if let message = session.skippedChecks[start.name] {
    result.message = message
  } else {
    do {
      let fraction = try body()
      result.earned = start.points * (fraction > 0 ? min(fraction, 1) : 0)
    } catch {
      result.message = plainText("\(error)")
    }
  }
  // What the test has printed comes before its result.
  fflush(nil)
  session.report(result, key: start.key)
  return result.earned == result.points
}

extension Page {
  /// The result of a check.
  public struct Check: Codable, Equatable, Sendable {
    public var name: String
    /// The points of the check.
    public var points: Double
    /// The points earned.
    public var earned: Double
    /// Why points are missing; `nil` if the check does not say.
    public var message: String?

    public init(name: String, points: Double, earned: Double, message: String? = nil) {
      self.name = name
      self.points = points
      self.earned = earned
      self.message = message
    }
  }

  /// The results of all checks, in order.
  package var checks: [Check] {
    cells.flatMap(\.outputs).compactMap { if case .check(let check) = $0 { check } else { nil } }
  }
}

extension Page.Check {
  /// `✓` for all points, `✗` for none, `◐` for a part.
  package var mark: String { earned == points ? "✓" : earned > 0 ? "◐" : "✗" }

  /// The points in words: `1.5 of 2 points`.
  package func amount(in language: Language) -> String {
    language[points == 1 ? .pointOf : .pointsOf, pointsText(earned), pointsText(points)]
  }

  /// The result as lines of text.
  package func text(in language: Language) -> String {
    let first = "\(mark) \(name): \(amount(in: language))"
    guard let message else { return first }
    let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
    return ([first] + lines.map { "  \($0)" }).joined(separator: "\n")
  }
}

/// Points with at most two digits after the point: `2`, `1.5`.
package func pointsText(_ points: Double) -> String {
  let hundredths = (points * 100).rounded()
  let text = String(format: "%.2f", hundredths / 100)
  guard text.contains(".") else { return text }
  var short = text[...]
  while short.last == "0" { short.removeLast() }
  if short.last == "." { short.removeLast() }
  return String(short)
}

/// The sum of the points of checks.
package struct PointSum: Codable, Equatable, Sendable {
  package var earned = 0.0
  package var points = 0.0

  package init(_ checks: some Sequence<Page.Check> = []) {
    for check in checks { self += check }
  }

  package static func += (sum: inout Self, check: Page.Check) {
    sum.earned += check.earned
    sum.points += check.points
  }

  /// `7 / 20`, the same in all languages.
  package var text: String { "\(pointsText(earned)) / \(pointsText(points))" }
}
