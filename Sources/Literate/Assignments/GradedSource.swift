import Foundation

/// A teacher's file with a student's answers in the places of the solutions.
struct GradedSource {
  let path: String
  /// The text to be built: with hidden tests, and with a key in each check.
  let text: String
  /// The text for the student's page: without hidden tests.
  let shownText: String
  /// The checks of the text.
  let checks: [CheckCall]
  /// For each line of the text, the line of the shown text; nil in hidden tests.
  private let shownLines: [Int?]
  /// The lines of each answer in the text.
  private let regions: [(name: String, lines: Range<Int>)]

  /// A call of `check`.
  struct CheckCall: Equatable {
    var key: String
    var isHidden: Bool
    /// The line in the file, counted from 1.
    var line: Int
  }

  /// - Parameters:
  ///   - source: The teacher's file.
  ///   - keys: Makes a key for a check.
  ///   - answers: The lines of an answer by the name of the exercise; nil for the stub.
  init(
    _ source: MarkedSource, keys: () -> String,
    answers: (MarkedSource.Solution) -> [String]?
  ) {
    path = source.path
    var (lines, shown): ([String], [String]) = ([], [])
    var (map, hidden, foreign): ([Int?], [Bool], [Bool]) = ([], [], [])
    var regions: [(String, Range<Int>)] = []
    func add(_ new: [String], isShown: Bool, isAnswer: Bool = false) {
      for line in new {
        lines.append(line)
        hidden.append(!isShown)
        foreign.append(isAnswer)
        if isShown { shown.append(line) }
        map.append(isShown ? shown.count : nil)
      }
    }
    for segment in source.segments {
      switch segment {
      case .lines(let own): add(own, isShown: true)
      case .hidden(let own), .teacherOnly(let own): add(own, isShown: false)
      case .solution(let solution):
        let region = solution.region(answers(solution) ?? solution.standardStub)
        // Lines are counted from 1; the markers are not part of the answer.
        regions.append((solution.name, lines.count + 2..<lines.count + region.count))
        add(region, isShown: true, isAnswer: true)
      }
    }
    self.regions = regions
    shownLines = map
    shownText = shown.joined(separator: "\n")
    var checks: [CheckCall] = []
    let calls = source.isSwift ? Self.calls(in: lines.joined(separator: "\n")) : []
    // From the right, so that the columns on the left stay.
    for call in calls.filter({ !foreign[$0.line] }).reversed() {
      var text = call.isQualified ? call.name : "Literate.\(call.name)"
      text += "("
      if call.name == "check" {
        let check = CheckCall(key: keys(), isHidden: hidden[call.line], line: call.line + 1)
        checks.append(check)
        text += "key: \"\(check.key)\", "
      }
      var bytes = Array(lines[call.line].utf8)
      bytes.replaceSubrange(
        call.column..<call.column + call.name.utf8.count + 1, with: Array(text.utf8))
      lines[call.line] = String(decoding: bytes, as: UTF8.self)
    }
    checks.reverse()
    self.checks = checks
    text = lines.joined(separator: "\n")
  }

  /// A call of one of the functions that answers must not replace by their own.
  private struct Call {
    var name: String
    /// The line and the byte in it, counted from 0.
    var line, column: Int
    /// Whether the module stands in front of it.
    var isQualified: Bool
  }

  /// The calls of `check` and `expect`, in order. Strings and comments have none.
  private static func calls(in text: String) -> [Call] {
    let lines = codeBytes(of: text).split(separator: 0x0A, omittingEmptySubsequences: false)
    return lines.enumerated().flatMap { line, bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      return text.matches(of: /(?:^|[^A-Za-z0-9_.])(?<module>Literate\.)?(?<name>check|expect)\(/)
        .map {
          Call(
            name: String($0.name), line: line,
            column: text.utf8.distance(from: text.startIndex, to: $0.name.startIndex),
            isQualified: $0.module != nil)
        }
    }
  }

  /// The exercise whose answer has a line of the text; nil for the teacher's lines.
  func exercise(atLine line: Int) -> String? { regions.first { $0.lines.contains(line) }?.name }

  /// The line of the shown text; nil for hidden lines.
  func shownLine(_ line: Int) -> Int? {
    shownLines.indices.contains(line - 1) ? shownLines[line - 1] : nil
  }
}

/// The bytes of a source with quotation marks in the places of strings and comments.
private func codeBytes(of text: String) -> [UInt8] {
  SwiftStructure(text).tokens.flatMap { token, _ in
    let isCode = token.kind != .string && token.kind != .comment
    return token.text.utf8.map { isCode || $0 == 0x0A ? $0 : 0x22 }
  }
}

/// Why an answer is not graded: it would replace what checks are made of; nil if it would not.
func refusal(of answer: [String]) -> String? {
  let code = String(decoding: codeBytes(of: answer.joined(separator: "\n")), as: UTF8.self)
  if let match = code.firstMatch(of: /(?:^|[^A-Za-z0-9_])func\s+(?<name>check|expect)\s*[(<]/) {
    return "it must not declare \(match.name)"
  }
  if code.contains(/(?:^|[^A-Za-z0-9_])Literate(?:[^A-Za-z0-9_]|$)/) {
    return "it must not use the name Literate"
  }
  if let match = code.firstMatch(
    of: /(?<words>[A-Za-z ]*)func\s+(?<name>[-=+!*\/<>&|^~%?]+)\s*[(<]/),
    !match.words.contains("static")
  {
    return "it must not declare the operator \(match.name) for all types"
  }
  return nil
}
