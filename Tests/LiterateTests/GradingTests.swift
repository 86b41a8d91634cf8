import Foundation
import Literate
import Submissions
import Testing

/// The submissions of `graded-notebook`, graded in one run.
@Suite(.serialized) struct GradingTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().standardizedFileURL

  private static var package: AssignmentPackage {
    get throws { try AssignmentPackage(root, list: "Tests/Notebooks/graded-notebook/") }
  }

  private static let isSandboxed = FileManager.default.isExecutableFile(atPath: "/usr/bin/bwrap")

  /// A port of 127.0.0.1 with a listener that nobody may reach.
  private final class Listener {
    let descriptor: Int32
    let port: Int

    init() throws {
      #if os(Linux)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      #else
        descriptor = socket(AF_INET, SOCK_STREAM, 0)
      #endif
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = inet_addr("127.0.0.1")
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let length = size
      let descriptor = descriptor
      let status = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          bind(descriptor, pointer, length) + listen(descriptor, 8)
            + getsockname(descriptor, pointer, &size)
        }
      }
      try #require(status == 0)
      port = Int(in_port_t(bigEndian: address.sin_port))
      _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    var hasGuest: Bool { accept(descriptor, nil, nil) >= 0 }

    deinit { close(descriptor) }
  }

  @Test(.enabled(if: isSandboxed, "skipped: bubblewrap is not installed"))
  func eachSubmissionGetsItsPointsAndMessages() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "grading-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let listener = try Listener()
    let package = try Self.package
    let source = try #require(package.exercises.first)
    let solutions = try GradedNotebook(in: Self.root).solutions
    #expect(source.solutions.map(\.name) == GradedNotebook.exercises)
    for solution in source.solutions {
      #expect(solution.lines.joined(separator: "\n") == solutions[solution.name])
    }
    let all = Submission.all(port: listener.port)
    var found: [Grader.Submission] = []
    for submission in all {
      let student = folder.appending(path: "submissions/\(submission.name)")
      let file = student.appending(path: source.path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(submission.file(source.released, solutions: solutions).utf8).write(to: file)
      found.append(.init(student: submission.name, folder: student))
    }
    let before = try state(of: Self.root)
    let target = folder.appending(path: "grades", directoryHint: .isDirectory)
    var options = Grader.Options()
    options.timeLimit = 60
    let grader = try Self.grader(package, to: target, options)
    let lines = Lines()
    let grades = try grader.grade(found) { lines.add($0) }
    #expect(lines.all.contains("The model solution: 12 / 12 points"))
    #expect(try state(of: Self.root) == before)
    #expect(!listener.hasGuest)
    #expect(sleepers() == [])
    let left = try FileManager.default.contentsOfDirectory(
      atPath: target.path(percentEncoded: false))
    #expect(left.sorted() == ["grades.csv", "grades.json", "index.html", "students"])
    #expect(grades.map(\.student) == all.map(\.name))
    for (submission, grade) in zip(all, grades) { compare(grade, with: submission) }
    try checkFiles(of: all, grades, in: target, source)

    // Nothing is graded twice.
    let again = try Self.grader(package, to: target, options)
    let secondLines = Lines()
    let second = try again.grade(found) { secondLines.add($0) }
    #expect(secondLines.all == ["13 of 13 were graded before"])
    #expect(second.map(\.amount) == grades.map(\.amount))
  }

  private static func grader(
    _ package: AssignmentPackage, to target: URL, _ options: Grader.Options
  ) throws -> Grader {
    let programs = TestNotebook.programs.resolvingSymlinksInPath()
    let scratch = programs.deletingLastPathComponent().deletingLastPathComponent()
    let swift = try #require(
      (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").lazy
        .map { URL(filePath: "\($0)/swift") }
        .first { FileManager.default.isExecutableFile(atPath: $0.path(percentEncoded: false)) })
    let folders = NotebookFolders(
      sources: root.appending(path: "Tests/Notebooks"), programs: programs,
      output: target.appending(path: "output"), command: "my notebooks",
      builder: ProgramBuilder(
        package: root, scratch: scratch, configuration: programs.lastPathComponent, swift: swift))
    return try Grader(folders, package: package, to: target, options)
  }

  private func compare(_ grade: Grade, with submission: Submission) {
    let comment = Comment(rawValue: "\(submission.name): \(grade.checks) \(grade.notes)")
    #expect(grade.amount == "\(pointsText(submission.points)) of 12", comment)
    #expect(grade.checks.map(\.name) == GradedNotebook.checks.map(\.name))
    #expect(grade.checks.map(\.isHidden) == GradedNotebook.checks.map(\.isHidden))
    for check in grade.checks {
      let message = check.message ?? ""
      guard let loss = submission.lost[check.name] else {
        #expect(check.earned == check.points, comment)
        continue
      }
      switch loss {
      case .part(let points): #expect(check.earned == points, comment)
      case .failed(let text):
        #expect(message == (check.isHidden ? "" : text), comment)
      case .notCompiled(let text):
        // The error of a missing brace is somewhere else.
        let place =
          text.isEmpty ? #/was left out: /# : #/was left out: it does not compile, line \d+: /#
        #expect(
          grade.notes.contains { $0.contains(place) && (text.isEmpty || $0.contains(text)) },
          comment)
      case .ended: #expect(!message.isEmpty, comment)
      case .tooSlow:
        #expect(
          message == "the check took longer than 3 s" || message == "printed more than 10 MB",
          comment)
      case .limited(let text):
        let limits = ["started more than 32 processes", "wrote more than 105 MB"]
        #expect(limits.contains(message) || check.isHidden || message == text, comment)
      }
    }
  }

  private func checkFiles(
    of all: [Submission], _ grades: [Grade], in target: URL, _ source: MarkedSource
  ) throws {
    let csv = try String(contentsOf: target.appending(path: "grades.csv"), encoding: .utf8)
    let rows = csv.split(separator: "\r\n")
    #expect(rows.count == 14)
    #expect(rows[0].hasPrefix("student,points,of,graded-notebook: The sum of three numbers,"))
    for (submission, row) in zip(all, rows.dropFirst()) {
      #expect(row.hasPrefix("\(submission.name),\(pointsText(submission.points)),12,"))
    }
    let stored = try JSONDecoder().decode(
      [Grade].self, from: Data(contentsOf: target.appending(path: "grades.json")))
    #expect(stored.map(\.amount) == grades.map(\.amount))
    let hidden = source.secretLines.map { $0.text.trimmingCharacters(in: .whitespaces) }
      .filter { $0.count > 20 && ($0.hasPrefix("try expect") || $0.contains("let expected")) }
    #expect(hidden.count >= 5)
    for (submission, grade) in zip(all, grades) {
      let folder = target.appending(path: "students/\(submission.name)/graded-notebook")
      for name in ["index.html", "graded-notebook.md", "graded-notebook.ipynb"] {
        let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        #expect(text.contains("\(grade.amount) points"), "\(submission.name), \(name)")
        for line in hidden where name == "graded-notebook.md" {
          #expect(!text.contains(line), "\(submission.name), \(name): \(line)")
        }
      }
    }
    let changed = try #require(grades.first { $0.student == "09-deletes-its-tests" })
    #expect(
      changed.notes.contains {
        $0.contains("changed outside of the answers") && $0.contains("5 of its checks")
      },
      "\(changed.notes)")
    let forged = try #require(grades.first { $0.student == "10-prints-forged-points" })
    #expect(forged.notes.contains { $0.contains("reported points that no check gave") })
    let redefined = try #require(grades.first { $0.student == "13-redefines-expect" })
    #expect(redefined.notes.contains("“primes” was left out: it must not declare expect"))
  }

  /// The paths and times of the teacher's sources.
  private func state(of root: URL) throws -> [String: Date] {
    var state: [String: Date] = [:]
    for folder in ["Sources", "Notebooks", "Tests"] {
      let path = root.appending(path: folder).path(percentEncoded: false)
      for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
        state["\(folder)/\(name)"] = attributes?[.modificationDate] as? Date
      }
    }
    return state
  }

  /// The processes of ``Submission/sleepingArguments`` that are left.
  private func sleepers() -> [String] {
    let arguments = Submission.sleepingArguments.joined(separator: "\0")
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return processes.filter { process in
      let text = try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)
      return Int(process) != nil && text?.hasPrefix(arguments) == true
    }
  }
}

/// Lines that several threads add.
private final class Lines: @unchecked Sendable {
  private let lock = NSLock()
  private var lines: [String] = []

  var all: [String] { lock.withLock { lines } }

  func add(_ line: String) { lock.withLock { lines.append(line) } }
}
