import Foundation

/// A file of a teacher's package with markers around solutions and hidden tests.
///
/// ```swift
/// // BEGIN SOLUTION: two channels
/// // STUB: return x
/// return try concatenate([x, x], dim: 1)
/// // END SOLUTION
/// // BEGIN HIDDEN TESTS
/// check("Other sizes", points: 2) { … }
/// // END HIDDEN TESTS
/// ```
///
/// | markers | student's version |
/// | --- | --- |
/// | `BEGIN SOLUTION: NAME`, `END SOLUTION` | in Swift the stub between `BEGIN ANSWER: NAME` and `END ANSWER`; elsewhere the stub alone |
/// | `BEGIN HIDDEN TESTS`, `END HIDDEN TESTS` | nothing |
/// | `BEGIN TEACHER ONLY`, `END TEACHER ONLY` | nothing |
///
/// Without lines `STUB: …` the stub is `throw Unanswered("NAME")`. Each marker is a line of its own, in
/// Swift a comment `//`, in other files also `#` or `<!-- … -->`.
package struct MarkedSource {
  package let path: String
  let segments: [Segment]

  enum Segment: Equatable {
    case lines([String])
    case solution(Solution)
    case hidden([String])
    case teacherOnly([String])
  }

  package struct Solution: Equatable {
    package var name: String
    /// The white space in front of the marker.
    var indentation: String
    /// The lines of the stub with their indentation.
    var stub: [String]
    package var lines: [String]
    /// The line of the marker, counted from 1.
    var line: Int
  }

  var isSwift: Bool { path.hasSuffix(".swift") }

  /// Whether there is any marker.
  var hasMarkers: Bool {
    segments.contains { if case .lines = $0 { false } else { true } }
  }

  package var solutions: [Solution] {
    segments.compactMap { if case .solution(let solution) = $0 { solution } else { nil } }
  }

  /// - Parameters:
  ///   - text: The text of the file.
  ///   - path: Its path in the package, for messages.
  /// - Throws: ``NotebookError`` if a marker has no counterpart or no name.
  package init(_ text: String, path: String) throws {
    self.path = path
    let lines = withUnixLineEnds(text).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
    let inside = path.hasSuffix(".swift") ? SwiftStructure(withUnixLineEnds(text)).startsInside : []
    var segments: [Segment] = []
    var open: (marker: Marker, line: Int)?
    var collected: [String] = []
    func fault(_ line: Int, _ text: String) -> NotebookError {
      NotebookError("\(path):\(line): \(text)")
    }
    for (index, line) in lines.enumerated() {
      let isInside = inside.indices.contains(index) && inside[index]
      guard !isInside, let marker = Marker(line) else {
        collected.append(line)
        continue
      }
      switch (open, marker.isBegin) {
      case (nil, true):
        if !collected.isEmpty { segments.append(.lines(collected)) }
        (open, collected) = ((marker, index + 1), [])
      case (nil, false):
        throw fault(index + 1, "expected // BEGIN \(marker.kind.rawValue) before // END")
      case (let begin?, true):
        throw fault(
          index + 1,
          "expected // END \(begin.marker.kind.rawValue) for line \(begin.line), got another BEGIN")
      case (let begin?, false):
        guard begin.marker.kind == marker.kind else {
          throw fault(
            index + 1,
            "expected // END \(begin.marker.kind.rawValue) for line \(begin.line), got "
              + "// END \(marker.kind.rawValue)")
        }
        segments.append(try Self.segment(begin.marker, collected, at: begin.line, fault))
        (open, collected) = (nil, [])
      }
    }
    if let open {
      throw fault(
        open.line, "expected // END \(open.marker.kind.rawValue) for this marker, found none")
    }
    if !collected.isEmpty { segments.append(.lines(collected)) }
    self.segments = segments
  }

  private static func segment(
    _ begin: Marker, _ lines: [String], at line: Int, _ fault: (Int, String) -> NotebookError
  ) throws -> Segment {
    switch begin.kind {
    case .hidden: return .hidden(lines)
    case .teacherOnly: return .teacherOnly(lines)
    case .solution:
      guard let name = begin.name else {
        throw fault(line, "expected a name, as in // BEGIN SOLUTION: two channels")
      }
      guard !name.contains(where: { "\"\\".contains($0) }) else {
        throw fault(line, "expected a name without quotes and backslashes, got \(name)")
      }
      let stubs = lines.compactMap(stub(in:)).map { $0.isEmpty ? "" : begin.indentation + $0 }
      return .solution(
        Solution(
          name: name, indentation: begin.indentation, stub: stubs,
          lines: lines.filter { stub(in: $0) == nil }, line: line))
    }
  }

  /// The code of a line `// STUB: code`.
  private static func stub(in line: String) -> String? {
    let text = line.drop { $0 == " " || $0 == "\t" }
    for comment in ["// ", "# "] where text.hasPrefix("\(comment)STUB:") {
      let code = text.dropFirst(comment.count + "STUB:".count)
      return String(code.first == " " ? code.dropFirst() : code)
    }
    return nil
  }

  /// The version for students.
  package var released: String {
    var lines: [String] = []
    for segment in segments {
      switch segment {
      case .lines(let own): lines += own
      case .hidden, .teacherOnly: continue
      case .solution(let solution):
        lines += isSwift ? solution.region(solution.standardStub) : solution.stub
      }
    }
    return withoutDoubleEmptyLines(lines).joined(separator: "\n")
  }

  /// The lines that a student's package must not have.
  package var secretLines: [(text: String, line: Int)] {
    var secrets: [(String, Int)] = []
    var number = 1
    for segment in segments {
      switch segment {
      case .lines(let lines): number += lines.count
      case .hidden(let lines), .teacherOnly(let lines):
        secrets += zip(lines, (number + 1)...).map { ($0, $1) }
        number += lines.count + 2
      case .solution(let solution):
        // What the stub has is handed out on purpose, such as the first line of a declaration.
        let stub = Set(solution.stub.map { $0.trimmingCharacters(in: .whitespaces) })
        secrets += solution.lines
          .filter { !stub.contains($0.trimmingCharacters(in: .whitespaces)) }
          .map { ($0, solution.line) }
        number += solution.lines.count + solution.stub.count + 2
      }
    }
    return secrets
  }

  /// Two empty lines in a row would show where something was.
  private func withoutDoubleEmptyLines(_ lines: [String]) -> [String] {
    guard hasMarkers else { return lines }
    return lines.enumerated().filter { index, line in
      !(line.isEmpty && index > 0 && lines[index - 1].isEmpty)
    }.map(\.element)
  }
}

extension MarkedSource.Solution {
  /// The stub; without one of its own an error that says what is missing.
  var standardStub: [String] {
    stub.isEmpty ? ["\(indentation)throw Unanswered(\"\(name)\")"] : stub
  }

  /// Lines between the markers of an answer.
  func region(_ lines: [String]) -> [String] {
    ["\(indentation)// BEGIN ANSWER: \(name)"] + lines + ["\(indentation)// END ANSWER"]
  }
}

/// A line that begins or ends something that students do not get.
private struct Marker {
  enum Kind: String, CaseIterable {
    case solution = "SOLUTION"
    case hidden = "HIDDEN TESTS"
    case teacherOnly = "TEACHER ONLY"
  }

  let kind: Kind
  let isBegin: Bool
  let name: String?
  let indentation: String

  init?(_ line: String) {
    let indentation = line.prefix { $0 == " " || $0 == "\t" }
    var text = line.dropFirst(indentation.count)
    guard let comment = ["// ", "# ", "<!-- "].first(where: { text.hasPrefix($0) }) else {
      return nil
    }
    text = text.dropFirst(comment.count)
    if comment == "<!-- " {
      guard let end = text.firstRange(of: "-->") else { return nil }
      text = text[..<end.lowerBound]
    }
    let words = text.trimmingCharacters(in: .whitespaces)
    for kind in Kind.allCases {
      for begin in [true, false] {
        let mark = "\(begin ? "BEGIN" : "END") \(kind.rawValue)"
        guard words.hasPrefix(mark) else { continue }
        let rest = words.dropFirst(mark.count)
        guard rest.isEmpty || rest.hasPrefix(":") else { continue }
        let name = rest.dropFirst().trimmingCharacters(in: .whitespaces)
        self.kind = kind
        isBegin = begin
        self.name = name.isEmpty ? nil : name
        self.indentation = String(indentation)
        return
      }
    }
    return nil
  }
}
