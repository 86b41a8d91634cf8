import Foundation
import Literate
import Testing

struct ReleaseTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().standardizedFileURL

  private func temporaryFolder() -> URL {
    FileManager.default.temporaryDirectory.appending(
      path: "release-\(UUID())", directoryHint: .isDirectory)
  }

  @Test func markersBecomeStubs() throws {
    let source = try MarkedSource(
      """
      func twice(_ x: Int) throws -> Int {
        // BEGIN SOLUTION: twice
        x + x
        // END SOLUTION
      }

      // BEGIN SOLUTION: pair
      // STUB: let pair = (0, 0)
      let pair = (17, 4)
      // END SOLUTION

      check("Twice", points: 2) { try expect(twice(2) == 4, "no") }
      // BEGIN HIDDEN TESTS
      check("Twice zero") { try expect(twice(0) == 0, "no") }
      // END HIDDEN TESTS
      let text = "// BEGIN SOLUTION: none"
      """, path: "main.swift")
    #expect(
      source.released == """
        func twice(_ x: Int) throws -> Int {
          // BEGIN ANSWER: twice
          throw Unanswered("twice")
          // END ANSWER
        }

        // BEGIN ANSWER: pair
        let pair = (0, 0)
        // END ANSWER

        check("Twice", points: 2) { try expect(twice(2) == 4, "no") }
        let text = "// BEGIN SOLUTION: none"
        """)
    #expect(source.solutions.map(\.name) == ["twice", "pair"])
  }

  @Test(arguments: [
    (
      "// BEGIN SOLUTION: a\nx", "a.swift:1: expected // END SOLUTION for this marker, found none"
    ),
    ("// END HIDDEN TESTS", "a.swift:1: expected // BEGIN HIDDEN TESTS before // END"),
    (
      "// BEGIN SOLUTION: a\n// END HIDDEN TESTS",
      "a.swift:2: expected // END SOLUTION for line 1, got // END HIDDEN TESTS"
    ),
    (
      "// BEGIN SOLUTION: a\n// BEGIN SOLUTION: b",
      "a.swift:2: expected // END SOLUTION for line 1, got another BEGIN"
    ),
    (
      "// BEGIN SOLUTION\n// END SOLUTION",
      "a.swift:1: expected a name, as in // BEGIN SOLUTION: two channels"
    ),
  ])
  func wrongMarkersAreNamed(text: String, message: String) throws {
    let error = #expect(throws: NotebookError.self) { try MarkedSource(text, path: "a.swift") }
    #expect(error.map { "\($0)" } == message)
  }

  /// The students' version of this package has no line of a solution or of a hidden test, found by other
  /// rules than those of the release.
  @Test func studentsGetNoSolution() throws {
    let folder = temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let package = try AssignmentPackage(Self.root)
    let summary = try Release(package).write(to: folder)
    #expect(summary.exercises.count >= 8)
    let root = folder.path(percentEncoded: false)
    let paths = try FileManager.default.subpathsOfDirectory(atPath: root)
    #expect(!paths.contains { $0.hasPrefix(".git/") || $0.contains("/expected/") })
    #expect(!paths.contains { $0.contains("04-homework") || $0.hasPrefix("Tests/") })
    #expect(paths.contains("Notebooks/05-exercises/main.swift"))
    for name in ["Package.swift", "Makefile", "README.md", "scripts/set-up", "LICENSE"] {
      #expect(paths.contains(name))
    }
    let exercises = ["Notebooks/05-exercises/main.swift", "Sources/Lab/Models/ResNet.swift"]
    let markers = ["// BEGIN SOLUTION: ", "// BEGIN HIDDEN TESTS"]
    var secrets: Set<String> = []
    // What the package's other sources say in the same words is no solution.
    var common: Set<String> = []
    let sources = try FileManager.default.subpathsOfDirectory(
      atPath: Self.root.appending(path: "Sources").path(percentEncoded: false)
    ).filter { $0.hasSuffix(".swift") }.map { "Sources/\($0)" }
    for path in Set(sources + exercises) {
      let text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
      var isSecret = false
      for line in text.split(separator: "\n") {
        let line = line.trimmingCharacters(in: .whitespaces)
        if exercises.contains(path), markers.contains(where: { line.hasPrefix($0) }) {
          isSecret = true
        }
        if line.hasPrefix("// END ") { isSecret = false }
        if !isSecret { common.insert(line) }
        if line.hasPrefix("// STUB:") {
          common.insert(line.dropFirst("// STUB:".count).trimmingCharacters(in: .whitespaces))
        }
        if isSecret, line.count >= 30, !line.hasPrefix("//") { secrets.insert(line) }
      }
    }
    secrets.subtract(common)
    #expect(secrets.count > 80)
    for path in paths {
      guard let data = FileManager.default.contents(atPath: "\(root)/\(path)"),
        let text = String(bytes: data, encoding: .utf8)
      else { continue }
      let lines = Set(text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
      let hasMarker = lines.contains { line in markers.contains { line.hasPrefix($0) } }
      #expect(!hasMarker || path.hasPrefix("Sources/LabCommand/"), "\(path)")
      #expect(lines.isDisjoint(with: secrets), "\(path): \(lines.intersection(secrets))")
    }
    // Two releases do not mix.
    let error = #expect(throws: NotebookError.self) { try Release(package).write(to: folder) }
    #expect(
      error.map { "\($0)" }?.hasSuffix("expected a new or an empty folder; choose another one")
        == true)
  }

  /// A solution that also stands in another file stops the release.
  @Test func aLeakStopsTheRelease() throws {
    let folder = temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let teacher = folder.appending(path: "teacher", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: teacher, withIntermediateDirectories: true)
    try Data(
      """
      // BEGIN SOLUTION: sum
      let sum = numbers.reduce(0, +) + offset
      // END SOLUTION
      """.utf8
    ).write(to: teacher.appending(path: "main.swift"))
    try Data("Use `let sum = numbers.reduce(0, +) + offset`.\n".utf8).write(
      to: teacher.appending(path: "hints.md"))
    let target = folder.appending(path: "students", directoryHint: .isDirectory)
    let list = "main.swift\nhints.md\n"
    let error = #expect(throws: NotebookError.self) {
      try Release(AssignmentPackage(teacher, list: list)).write(to: target)
    }
    let message = error.map { "\($0)" } ?? ""
    #expect(message.hasPrefix("nothing was written: lines that students must not have"))
    #expect(
      message.contains("hints.md:1: let sum = numbers.reduce(0, +) + offset (from main.swift:"))
    #expect(!FileManager.default.fileExists(atPath: target.path(percentEncoded: false)))
    _ = try Release(AssignmentPackage(teacher, list: "main.swift\n")).write(to: target)
  }
}
