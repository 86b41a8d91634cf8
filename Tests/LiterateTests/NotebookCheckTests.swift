import Foundation
import Literate
import Plot
import Testing

struct NotebookCheckTests {
  private func check(_ notebook: TestNotebook, _ parameters: [String] = []) throws -> [String] {
    try notebook.program.check(notebook.options(parameters))
  }

  private func accepted(_ parameters: [String] = ["seed=9"]) throws -> TestNotebook {
    let notebook = try TestNotebook()
    #expect(try notebook.program.accept(notebook.options(parameters)) == [])
    return notebook
  }

  @Test func acceptedRunsPass() throws {
    let notebook = try accepted()
    let expected = notebook.program.file.deletingLastPathComponent().appending(path: "expected")
    let names = try FileManager.default.contentsOfDirectory(
      atPath: expected.path(percentEncoded: false))
    #expect(
      names.sorted() == [
        "after-the-end.txt", "an-error.txt", "first.png", "parameters.txt",
        "progress-figures-and-numbers.txt",
        "second.png", "streams.txt", "the-end.txt",
      ])
    #expect(try check(notebook) == [])
    // Another number and another figure are within the tolerances; the machine's name is ignored.
    #expect(try check(notebook, ["seed=10", "number=0.55", "machine=yours"]) == [])
    // The reader's own page is not touched.
    #expect(notebook.program.state == .notRun)
  }

  @Test func differencesAreNamed() throws {
    let notebook = try accepted()
    #expect(
      try check(notebook, ["seed=9", "number=0.7"]) == [
        "“Progress, \"figures\" (and numbers)”, line 2: expected “number: 0.5”, "
          + "got “number: 0.7”"
      ])
    #expect(
      try check(notebook, ["seed=9", "quick=true"])
        == ["expected second.png, which the run did not produce"])
    #expect(
      try check(notebook, ["end=exit"])
        == ["failed, line \(try notebook.line("cell(\"The end\"")): ended with exit status 3"])
  }

  @Test func expectedErrorsAreCompared() throws {
    let notebook = try accepted()
    let file = notebook.program.file.deletingLastPathComponent().appending(
      path: "expected/an-error.txt")
    try Data("Error: another one\n".utf8).write(to: file)
    #expect(
      try check(notebook) == [
        "“An error”, line 1: expected “Error: another one”, got “Error: as it should be”"
      ])
  }

  @Test func differingFiguresAreShownSideBySide() throws {
    let notebook = try accepted()
    let expected = notebook.program.file.deletingLastPathComponent().appending(path: "expected")
    let white = Bitmap(
      width: 40, height: 80, channels: 1, bytes: .init(repeating: 255, count: 3200))
    try Data(try encodePNG(white)).write(to: expected.appending(path: "first.png"))
    let difference = try #require(try check(notebook).first)
    #expect(difference.contains("first.png: expected 40 × 80 pixels, got 200 × 160; see "))
    let picture = notebook.folders.output.appending(path: "check/test-notebook/first-compared.png")
    #expect(FileManager.default.fileExists(atPath: picture.path(percentEncoded: false)))
  }

  /// As Git checks files out on Windows.
  @Test func resultsWithOtherEndsOfLinesPass() throws {
    let notebook = try accepted(["seed=9", "number=1"])
    let expected = notebook.program.file.deletingLastPathComponent().appending(path: "expected")
    for name in ["parameters.txt", "streams.txt", "an-error.txt"] {
      let file = expected.appending(path: name)
      let text = try String(contentsOf: file, encoding: .utf8)
      #expect(text.contains("\n"))
      try text.replacing("\n", with: "\r\n").write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try check(notebook) == [])
  }

  @Test func otherFilesBesideTheResultsAreKept() throws {
    let notebook = try accepted()
    let expected = notebook.program.file.deletingLastPathComponent().appending(path: "expected")
    for name in ["README.md", "folder.png/a.txt"] {
      let file = expected.appending(path: name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(name.utf8).write(to: file)
    }
    #expect(try notebook.program.accept(notebook.options(["quick=true"])) == [])
    #expect(try check(notebook) == [])
    let names = try FileManager.default.subpathsOfDirectory(
      atPath: expected.path(percentEncoded: false))
    #expect(names.contains("README.md") && names.contains("folder.png/a.txt"))
    #expect(names.contains("first.png") && !names.contains("second.png"))
  }

  @Test func picturesOfDifferencesAreRemovedByTheNextCheck() throws {
    let notebook = try accepted()
    let expected = notebook.program.file.deletingLastPathComponent().appending(path: "expected")
    let first = try Data(contentsOf: expected.appending(path: "first.png"))
    let black = Bitmap(width: 100, height: 80, channels: 1, bytes: .init(repeating: 0, count: 8000))
    try Data(try encodePNG(black)).write(to: expected.appending(path: "first.png"))
    #expect(try check(notebook).count == 1)
    let picture = notebook.folders.output.appending(path: "check/test-notebook/first-compared.png")
    #expect(FileManager.default.fileExists(atPath: picture.path(percentEncoded: false)))
    try first.write(to: expected.appending(path: "first.png"))
    #expect(try check(notebook) == [])
    #expect(!FileManager.default.fileExists(atPath: picture.path(percentEncoded: false)))
  }

  @Test func checkNeedsAnAcceptedRun() throws {
    let notebook = try TestNotebook()
    #expect(throws: NotebookError.self) { try check(notebook) }
  }

  @Test func failedRunsAreNotAccepted() throws {
    let notebook = try TestNotebook()
    let reasons = try notebook.program.accept(notebook.options(["end=thrown"]))
    #expect(reasons.count == 1 && reasons[0].hasSuffix("no luck"))
    #expect(throws: NotebookError.self) { try check(notebook) }
  }
}
