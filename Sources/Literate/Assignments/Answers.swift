import Foundation

/// The answers of a submission: what stands between the markers of the handed-out files.
struct Answers {
  /// The lines of each answer, by the name of the exercise.
  private(set) var lines: [String: [String]] = [:]
  /// What the teacher and the student should know.
  private(set) var notes: [String] = []

  /// Larger files and further files of a submission are not read.
  private static let (sizeLimit, fileLimit) = (1 << 20, 10_000)

  init() {}

  /// Reads the answers in a folder, wherever in it the files are.
  ///
  /// - Parameters:
  ///   - folder: The folder of the submission, or a single file.
  ///   - exercises: The files with exercises.
  init(in folder: URL, for exercises: [MarkedSource]) {
    let names = exercises.flatMap { $0.solutions.map(\.name) }
    let files = Self.swiftFiles(in: folder)
    var read: [(path: String, text: AnswerText)] = []
    for path in files {
      let file = path.isEmpty ? folder : folder.appending(path: path)
      guard let data = regularFile(file, limit: Self.sizeLimit) else { continue }
      guard let text = String(bytes: data, encoding: .utf8) else {
        if exercises.contains(where: { path.hasSuffix($0.path) }) {
          notes.append("\(path): expected text in UTF-8; it was not read")
        }
        continue
      }
      read.append((path.isEmpty ? folder.lastPathComponent : path, AnswerText(text)))
    }
    var missing: [String] = []
    for exercise in exercises {
      // The path in the package, below whatever folders there are; else the file with the answers.
      let own =
        read.filter { $0.path == exercise.path || $0.path.hasSuffix("/\(exercise.path)") }
        .min { $0.path.count < $1.path.count }
      let other = read.filter { file in
        exercise.solutions.contains { file.text.answers[$0.name] != nil }
      }.max { $0.text.answers.count < $1.text.answers.count }
      guard let file = own ?? other else {
        missing.append("\(exercise.path): no such file, and no file with its answers")
        continue
      }
      // The file alone may be handed in.
      let isRenamed = !exercise.path.hasSuffix("/\(file.path)") && own == nil
      if isRenamed { notes.append("\(exercise.path): not found; read from \(file.path)") }
      take(file.text, of: exercise, named: file.path)
    }
    // Who hands in some files has not changed the others.
    if missing.count == exercises.count { notes += missing }
    let known = Set(names)
    for (path, text) in read {
      for name in text.answers.keys.sorted() where !known.contains(name) {
        notes.append("\(path): there is no exercise “\(name)”")
      }
    }
  }

  private mutating func take(_ text: AnswerText, of exercise: MarkedSource, named path: String) {
    for solution in exercise.solutions {
      if let lines = text.answers[solution.name] {
        self.lines[solution.name] = lines
      } else {
        notes.append(
          "\(path): the marker // BEGIN ANSWER: \(solution.name) or its // END ANSWER is missing; the "
            + "answer was not found")
      }
    }
    notes += text.repeated.sorted().map {
      "\(path): several answers to “\($0)”; the first one was taken"
    }
    let handedOut = AnswerText(exercise.released)
    let changed = text.changes(from: handedOut)
    guard !changed.isEmpty else { return }
    let lostChecks = handedOut.checkCount - text.checkCount
    notes.append(
      "\(path): changed outside of the answers (\(placesText(changed)))"
        + (lostChecks > 0 ? "; \(lostChecks) of its checks are missing" : "")
        + "; the answers were graded with the original")
  }

  /// The paths of the Swift files in a folder that could have answers; the empty path for a file.
  private static func swiftFiles(in folder: URL) -> [String] {
    var isFolder: ObjCBool = false
    let path = folder.path(percentEncoded: false)
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return [] }
    guard isFolder.boolValue else { return [""] }
    guard let walk = FileManager.default.enumerator(atPath: path) else { return [] }
    var paths: [String] = []
    var count = 0
    while let path = walk.nextObject() as? String, count < fileLimit {
      count += 1
      let name = path.split(separator: "/").last ?? ""
      if name.hasPrefix("."), name != "." { walk.skipDescendants() }
      if name.hasSuffix(".swift"), !name.hasPrefix(".") { paths.append(path) }
    }
    return paths.sorted()
  }

  private func placesText(_ lines: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    for line in lines {
      if let last = ranges.last, line <= last.upperBound + 1 {
        ranges[ranges.count - 1] = last.lowerBound...line
      } else {
        ranges.append(line...line)
      }
    }
    let shown = ranges.prefix(3).map {
      $0.count == 1 ? "line \($0.lowerBound)" : "lines \($0.lowerBound)–\($0.upperBound)"
    }
    return shown.joined(separator: ", ") + (ranges.count > 3 ? ", …" : "")
  }
}

/// A handed-out file with answers.
struct AnswerText {
  /// The lines between the markers of an answer, by its name.
  private(set) var answers: [String: [String]] = [:]
  /// The names of several answers.
  private(set) var repeated: Set<String> = []
  /// The lines outside of answers with their numbers, without white space at their ends.
  private var frame: [(text: String, line: Int)] = []

  init(_ text: String) {
    let lines = withUnixLineEnds(text).split(separator: "\n", omittingEmptySubsequences: false)
    var index = 0
    while index < lines.count {
      let line = lines[index]
      guard let name = Self.name(beganBy: line),
        let end = lines[(index + 1)...].firstIndex(where: {
          Self.isEnd($0) || Self.name(beganBy: $0) != nil
        }), Self.isEnd(lines[end])
      else {
        frame.append((Self.stripped(line), index + 1))
        index += 1
        continue
      }
      if answers[name] == nil {
        answers[name] = lines[(index + 1)..<end].map(String.init)
      } else {
        repeated.insert(name)
      }
      frame.append(("// BEGIN ANSWER: \(name)", index + 1))
      frame.append(("// END ANSWER", end + 1))
      index = end + 1
    }
  }

  private static func name(beganBy line: Substring) -> String? {
    let text = stripped(line)
    guard text.hasPrefix("// BEGIN ANSWER:") else { return nil }
    return text.dropFirst("// BEGIN ANSWER:".count).trimmingCharacters(in: .whitespaces)
  }

  private static func isEnd(_ line: Substring) -> Bool { stripped(line) == "// END ANSWER" }

  private static func stripped(_ line: Substring) -> String {
    line.trimmingCharacters(in: .whitespaces)
  }

  /// The number of calls of `check` outside of answers.
  var checkCount: Int { frame.count { $0.text.hasPrefix("check(") } }

  /// The lines of this text, counted from 1, that differ from the handed-out text outside of answers.
  /// Empty lines do not count. A deleted line is that of the next one.
  func changes(from handedOut: AnswerText) -> [Int] {
    let own = frame.filter { !$0.text.isEmpty }
    let before = handedOut.frame.map(\.text).filter { !$0.isEmpty }
    let difference = own.map(\.text).difference(from: before)
    var lines: Set<Int> = []
    for change in difference {
      switch change {
      case .insert(let offset, _, _): lines.insert(own[offset].line)
      case .remove(let offset, _, _):
        // The place in this text: after what is left of the lines before it.
        let removed = difference.removals.count {
          if case .remove(let other, _, _) = $0 { other < offset } else { false }
        }
        let kept = min(offset - removed, own.count - 1)
        lines.insert(kept >= 0 && !own.isEmpty ? own[kept].line : 1)
      }
    }
    return lines.sorted()
  }
}
