import Foundation
import Literate
import Plot
import Spawning
import Testing

struct NotebookRunTests {
  @Test func runsMakePages() throws {
    let notebook = try TestNotebook()
    #expect(try notebook.run(["seed=7", "number=1.5"]) == .passed)
    let page = try notebook.page
    #expect(page.title == "A notebook for tests")
    #expect(page.cells.map(\.title).first == "Streams")
    #expect(
      page.cells.map(\.state) == [
        .passed, .passed, .failedAsExpected(message: "as it should be"), .passed, .passed,
      ])
    let streams = (1...20).flatMap { line -> [Page.Output] in
      [
        .text("out \(line)\n", stream: .standardOutput),
        .text("error \(line)\n", stream: .standardError),
      ]
    }
    #expect(page.cells[0].outputs == streams)
    #expect(
      page.cells[1].outputs == [
        .text("Machine: mine\nnumber: 1.5\n", stream: .standardOutput),
        .figure(.init(file: "first.png", alternativeText: "Four squares", width: 100, height: 80)),
        .figure(.init(file: "second.png", alternativeText: "Four more", width: 100, height: 80)),
      ])
    #expect(page.cells[3].outputs == [.text("last words\n", stream: .standardOutput)])
    let facts = Dictionary(uniqueKeysWithValues: page.facts.map { ($0.name, $0.value) })
    #expect(facts["Seed"] == "7")
    #expect(
      facts["Parameters"]
        == "quick=false, end=well, seed=7, number=1.5, machine=mine, correct=false")
    #expect(facts["Kind"] == "test")
    #expect(facts["Swift"]?.hasPrefix("6.") == true)
    #expect(
      try notebook.files.keys.sorted() == [
        "events.jsonl", "fingerprint.json", "first.png", "index.html", "page.json",
        "record.json", "second.png", "test-notebook.ipynb", "test-notebook.md",
      ])
    // Pages show the failure once: without the line that the program printed.
    for form in ["index.html", "test-notebook.ipynb", "test-notebook.md"] {
      let text = String(decoding: try #require(notebook.files[form]), as: UTF8.self)
      #expect(text.contains("as it should be") && !text.contains("Error: as it should be"))
    }
  }

  @Test func timesAndMemoryAreRecordedAndProgressIsNot() throws {
    let notebook = try TestNotebook()
    var options = notebook.options([])
    options.recordsTimes = true
    #expect(try notebook.program.run(options, on: Console(isQuiet: true)) == .passed)
    let page = try notebook.page
    #expect(page.cells.allSatisfy { ($0.seconds ?? -1) >= 0 && ($0.peakMemory ?? 0) > 1 << 20 })
    #expect((page.seconds ?? 0) > 0)
    #expect(
      page.cells[1].outputs.first
        == .text("Machine: mine\nnumber: 0.5\n", stream: .standardOutput))
    #expect(!page.cells.flatMap(\.outputs).contains { "\($0)".contains("100 %") })
    #expect(
      page.cells[1].outputs.last
        == .figure(
          .init(file: "times.png", alternativeText: "How long it took", width: 100, height: 80)))
  }

  /// Optimized programs do not say which check failed.
  #if DEBUG
    private static let trap = "Index out of range"
  #else
    private static let trap = "a runtime check failed, such as an array index"
  #endif

  @Test(arguments: [
    ("trap", trap, "case .trap, .expectedTrap"),
    ("thrown", "no luck", "case .thrown"),
    ("uncaught", "nobody cares", "cell(\"The end\""),
    ("killed", "ended by signal 9 (Killed)", "cell(\"The end\""),
    ("exit", "ended with exit status 3", "cell(\"The end\""),
  ])
  func everyEndingLeavesAPage(end: String, message: String, place: String) throws {
    let notebook = try TestNotebook()
    let state = try notebook.run(["end=\(end)"])
    let line = try notebook.line(place)
    guard case .failed(let found, let place?) = state else {
      Issue.record("expected a failure, got \(state)")
      return
    }
    #expect(found.contains(message))
    #expect(place == line)
    let page = try notebook.page
    #expect(page.state == state)
    #expect(page.cells[3].state == state)
    #expect(page.cells[4].state == .notRun)
    // Text without a line break is there too.
    #expect(page.cells[3].outputs.first == .text("last words", stream: .standardOutput))
    #expect(page.cells[1].outputs.count == 3)
    let files = try notebook.files
    #expect(files["fingerprint.json"] == nil)
    let html = String(decoding: try #require(files["index.html"]), as: UTF8.self)
    #expect(html.contains(message) && html.contains("Not run"))
    #expect(files["test-notebook.ipynb"] != nil && files["test-notebook.md"] != nil)
  }

  @Test func theTimeLimitEndsANotebookThatHangs() throws {
    let notebook = try TestNotebook()
    // However far the notebook came in that time.
    let state = try notebook.run(["end=hanging"], timeLimit: 2)
    guard case .failed(let message, _) = state else {
      Issue.record("expected a failure, got \(state)")
      return
    }
    #expect(message == "exceeded the time limit of 2 s")
    #expect(try notebook.page.state == state)
  }

  @Test func cellsExpectedToFailMustFail() throws {
    let notebook = try TestNotebook()
    let line = try notebook.line("cell(\"An error\"")
    let state = Page.State.failed(
      message: "the cell was expected to fail, but did not", line: line)
    #expect(try notebook.run(["correct=true"]) == state)
    let page = try notebook.page
    #expect(page.cells[2].state == state)
    // The program continued.
    #expect(page.cells[4].state == .passed)
  }

  @Test func anExpectedTrapMustBeInTheLastCell() throws {
    let notebook = try TestNotebook()
    let state = try notebook.run(["end=expectedTrap"])
    #expect(try notebook.page.cells[3].state != .passed)
    guard case .failed(let message, _) = state else {
      Issue.record("expected a failure, got \(state)")
      return
    }
    #expect(message.contains("put it last"))
    // In a source without the last cell, the same events are a run that passed.
    try notebook.edit("cell(\"After the end\")\n", to: "")
    let source = NotebookSource(
      try String(contentsOf: notebook.program.file, encoding: .utf8), name: "n")
    let log = try Data(contentsOf: notebook.program.folder.appending(path: "events.jsonl"))
    #expect(Page("n", source, try Event.all(in: log)).state == .passed)
  }

  @Test func runsWithoutTimesAreReproducible() throws {
    let notebook = try TestNotebook()
    #expect(try notebook.run(["seed=3"]) == .passed)
    let first = try notebook.files
    #expect(try notebook.run(["seed=3"]) == .passed)
    let second = try notebook.files
    #expect(second.keys.sorted() == first.keys.sorted())
    for (name, bytes) in first {
      let (expected, actual) = (String(decoding: bytes, as: UTF8.self), second[name] ?? Data())
      #expect(String(decoding: actual, as: UTF8.self) == expected, "\(name)")
    }
    try notebook.run(["seed=4"])
    #expect(try notebook.files["index.html"] != first["index.html"])
  }

  @Test func filesOfEarlierRunsAreRemoved() throws {
    let notebook = try TestNotebook()
    try notebook.run()
    #expect(try notebook.files["second.png"] != nil)
    let note = notebook.program.folder.appending(path: "note.txt")
    try Data("mine".utf8).write(to: note)
    try notebook.run(["quick=true"])
    #expect(try notebook.files["second.png"] == nil)
    #expect(try notebook.files["note.txt"] == Data("mine".utf8))
  }

  /// Whatever a reader puts into the folder, of whatever name, stays.
  @Test(arguments: [[], ["end=exit"], ["quick=true"]])
  func filesOfTheReaderAreKept(parameters: [String]) throws {
    let notebook = try TestNotebook()
    try notebook.run()
    let names = [
      "a.png", "b.md", "c.ipynb", "d.html", "e.json", "f.jsonl", "folder.png/g.png", "folder/h",
      "last-passed/mine.md",
    ]
    for name in names {
      let file = notebook.program.folder.appending(path: name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(name.utf8).write(to: file)
    }
    try notebook.run(parameters)
    try notebook.run(parameters)
    let files = try notebook.files
    for name in names { #expect(files[name] == Data(name.utf8), "\(name)") }
  }

  @Test func aFileOfTheReaderIsRenamedIfTheRunNeedsItsName() throws {
    let notebook = try TestNotebook()
    try notebook.run(["quick=true"])
    let mine = Data("mine".utf8)
    try mine.write(to: notebook.program.folder.appending(path: "second.png"))
    try notebook.run()
    #expect(try notebook.files["second.png.kept"] == mine)
    #expect(try notebook.files["second.png"] != mine)
    // Now it is the run's.
    try notebook.run(["quick=true"])
    #expect(try notebook.files["second.png"] == nil)
    #expect(try notebook.files["second.png.kept"] == mine)
  }

  /// A record that came with a folder must not name files elsewhere.
  @Test(arguments: ["../../outside.png", "link/outside.png", "/outside.png", "a/../../outside.png"])
  func recordsRemoveNothingElsewhere(name: String) throws {
    let notebook = try TestNotebook()
    try notebook.run()
    let outside = notebook.folder.appending(path: "outside.png")
    try Data("mine".utf8).write(to: outside)
    try FileManager.default.createSymbolicLink(
      at: notebook.program.folder.appending(path: "link"), withDestinationURL: notebook.folder)
    let record = notebook.program.folder.appending(path: "record.json")
    try Data(#"{"files": ["\#(name)", "second.png"]}"#.utf8).write(to: record)
    try notebook.run(["quick=true"])
    #expect(try Data(contentsOf: outside) == Data("mine".utf8))
    #expect(try notebook.files["second.png"] == nil)
  }

  @Test func runsOfOlderVersionsAreReplaced() throws {
    let notebook = try TestNotebook()
    try notebook.run()
    try FileManager.default.removeItem(at: notebook.program.folder.appending(path: "record.json"))
    try notebook.run(["quick=true"])
    #expect(
      try notebook.files.keys.sorted() == [
        "events.jsonl", "fingerprint.json", "first.png", "index.html", "page.json", "record.json",
        "test-notebook.ipynb", "test-notebook.md",
      ])
  }

  @Test func aFailedRunKeepsTheLastPageThatPassed() throws {
    let notebook = try TestNotebook()
    try notebook.run()
    let passed = try notebook.files
    for _ in 1...2 {
      let state = try notebook.run(["end=exit", "quick=true"])
      #expect(try notebook.page.state == state)
      let files = try notebook.files
      #expect(files["second.png"] == nil)
      for name in ["first.png", "second.png", "events.jsonl", "page.json", "fingerprint.json"] {
        #expect(files["last-passed/\(name)"] == passed[name], "\(name)")
      }
      let pages = try ["", "last-passed/"].map {
        String(decoding: try #require(files["\($0)index.html"]), as: UTF8.self)
      }
      #expect(pages[0].contains("<a href=\"last-passed/index.html\">"))
      #expect(pages[1].contains("<a href=\"../index.html\">"))
      #expect(pages[1].contains("<a href=\"../../index.html\">All notebooks</a>"))
      #expect(pages[1].contains("<span class=\"label passed\">Passed</span>"))
      let markdown = String(decoding: try #require(files["test-notebook.md"]), as: UTF8.self)
      #expect(markdown.contains("An earlier run passed. [Its page](last-passed/test-notebook.md)"))
    }
    #expect(notebook.program.lastPassedPage?.lastPathComponent == "index.html")
    // The link is there after rendering, too.
    try notebook.program.render()
    let html = String(decoding: try #require(notebook.files["index.html"]), as: UTF8.self)
    #expect(html.contains("<a href=\"last-passed/index.html\">"))
    try notebook.run()
    #expect(try notebook.files == passed)
    #expect(notebook.program.lastPassedPage == nil)
  }

  @Test func whileANotebookRunsItsLastPageStays() throws {
    let notebook = try TestNotebook()
    try notebook.run()
    let passed = try notebook.files
    var state: [String: Data] = [:]
    let options = notebook.options(["end=exit"])
    _ = try notebook.program.step(options, on: Console(isQuiet: true)) { opening in
      if opening.title == "The end" { state = (try? notebook.files) ?? [:] }
      return true
    }
    for (name, bytes) in passed { #expect(state[name] == bytes, "\(name)") }
    #expect(state[".run/events.jsonl"] != nil)
  }

  @Test func twoRunsOfOneNotebookDoNotMix() throws {
    let notebook = try TestNotebook()
    var error: (any Error)?
    let options = notebook.options([])
    let state = try notebook.program.step(options, on: Console(isQuiet: true)) { opening in
      if opening.title == "The end" {
        do { try notebook.run() } catch let other { error = other }
      }
      return true
    }
    #expect(state == .passed)
    #expect(
      error as? NotebookError
        == NotebookError(
          "test-notebook is being run by another process; wait for its end, or stop it"))
  }

  @Test func whatAKilledRunLeftIsRemoved() throws {
    let notebook = try TestNotebook()
    let left = notebook.program.folder.appending(path: ".run/left.png")
    try FileManager.default.createDirectory(
      at: left.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("left".utf8).write(to: left)
    try notebook.run()
    #expect(try notebook.files.keys.allSatisfy { !$0.contains("left") && !$0.hasPrefix(".run") })
  }

  @Test func refusedParametersKeepThePreviousPage() throws {
    let notebook = try TestNotebook()
    try notebook.run()
    let files = try notebook.files
    #expect(throws: UsageError.self) { try notebook.run(["sed=3"]) }
    #expect(try notebook.files == files)
  }

  /// Whether this process may mount a small disk.
  private static let canMount: Bool = {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mount-\(UUID())")
    let path = folder.path(percentEncoded: false)
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func succeeds(_ command: [String]) -> Bool {
      (try? Spawned.run(["/usr/bin/env"] + command, in: folder.deletingLastPathComponent()))?.status
        == 0
    }
    return succeeds(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path])
      && succeeds(["umount", path])
  }()

  @Test(.enabled("mounting needs privileges that this process lacks") { canMount })
  func fullDisksStillGetThePage() throws {
    let notebook = try TestNotebook()
    let output = notebook.folders.output.path(percentEncoded: false)
    try FileManager.default.createDirectory(
      at: notebook.folders.output, withIntermediateDirectories: true)
    let mount = ["-t", "tmpfs", "-o", "size=16m", "tmpfs", output]
    let mounted = try Spawned.run(["/usr/bin/env", "mount"] + mount, in: notebook.folder)
    try #require(mounted.status == 0, "\(mounted.errors)")
    defer { _ = try? Spawned.run(["/usr/bin/env", "umount", output], in: notebook.folder) }
    let state = try notebook.run(["end=full"])
    guard case .failed(let message, _) = state else {
      Issue.record("expected a failure, got \(state)")
      return
    }
    #expect(message.contains("space"), "\(message)")
    #expect(try notebook.page.state == state)
    #expect(try notebook.files["index.html"]?.isEmpty == false)
    #expect(try notebook.files["test-notebook.ipynb"]?.isEmpty == false)
    let last = try String(
      contentsOf: notebook.program.folder.appending(path: "events.jsonl"), encoding: .utf8
    ).split(separator: "\n").last
    guard case .end = try Event(line: try #require(last)) else {
      Issue.record("expected the end, got \(last ?? "")")
      return
    }
  }
}
