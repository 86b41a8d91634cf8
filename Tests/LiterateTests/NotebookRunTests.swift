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
        "second.png", "test-notebook.ipynb", "test-notebook.md",
      ])
    // Pages show the failure once: without the line that the program printed.
    for form in ["index.html", "test-notebook.ipynb", "test-notebook.md"] {
      let text = String(decoding: try #require(notebook.files[form]), as: UTF8.self)
      #expect(text.contains("as it should be") && !text.contains("Error: as it should be"))
    }
  }

  @Test func timesMemoryAndTheLastProgressAreRecorded() throws {
    let notebook = try TestNotebook()
    var options = notebook.options([])
    options.recordsTimes = true
    #expect(try notebook.program.run(options, on: Console(isQuiet: true)) == .passed)
    let page = try notebook.page
    #expect(page.cells.allSatisfy { ($0.seconds ?? -1) >= 0 && ($0.peakMemory ?? 0) > 1 << 20 })
    #expect((page.seconds ?? 0) > 0)
    #expect(page.cells[1].outputs.first == .text("100 %\n", stream: .standardError))
    #expect(
      page.cells[1].outputs.last
        == .figure(
          .init(file: "times.png", alternativeText: "How long it took", width: 100, height: 80)))
  }

  @Test(arguments: [
    ("trap", "a runtime check failed, such as an array index", "case .trap, .expectedTrap"),
    ("thrown", "no luck", "case .thrown"),
    ("uncaught", "nobody cares", "cell(\"The end\""),
    ("killed", "ended by signal 9 (Killed)", "cell(\"The end\""),
    ("hanging", "exceeded the time limit of 5 s", "cell(\"The end\""),
    ("exit", "ended with exit status 3", "cell(\"The end\""),
  ])
  func everyEndingLeavesAPage(end: String, message: String, place: String) throws {
    let notebook = try TestNotebook()
    let state = try notebook.run(["end=\(end)"], timeLimit: end == "hanging" ? 5 : 60)
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
    try notebook.edit("cell(\"After the end\")\n", to: "")
    #expect(try notebook.program.render().state == .passed)
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
