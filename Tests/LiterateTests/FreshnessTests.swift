import Foundation
import Literate
import Testing

struct FreshnessTests {
  /// Whether the notebook is run: a run removes a mark added to its log.
  private func runs(_ notebook: TestNotebook, _ parameters: [String] = []) throws -> Bool {
    let log = notebook.program.folder.appending(path: "events.jsonl")
    let mark = Data("{\"event\":\"fact\",\"name\":\"mark\",\"value\":\"mark\"}\n".utf8)
    try (try Data(contentsOf: log) + mark).write(to: log)
    try notebook.run(parameters, isForced: false)
    return try !Data(contentsOf: log).suffix(mark.count).elementsEqual(mark)
  }

  @Test func unchangedNotebooksAreSkipped() throws {
    let notebook = try TestNotebook()
    try notebook.run()
    #expect(try !runs(notebook))
    #expect(try runs(notebook, ["seed=8"]))
    #expect(try !runs(notebook, ["seed=8"]))
  }

  @Test func changedProseIsRenderedAndChangedCodeIsRun() throws {
    let notebook = try TestNotebook()
    try notebook.run()
    try notebook.edit("worth keeping.", to: "worth keeping,\n// *really*.")
    #expect(try !runs(notebook))
    let html = notebook.program.folder.appending(path: "index.html")
    #expect(try String(contentsOf: html, encoding: .utf8).contains("<em>really</em>"))
    try notebook.edit("print(\"still there\")", to: "print(\"still here\")")
    #expect(try runs(notebook))
  }

  @Test func changedDataIsRunAgain() throws {
    let notebook = try TestNotebook()
    let data = notebook.folder.appending(path: "data")
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    try Data("1".utf8).write(to: data.appending(path: "a"))
    let parameters = ["data=\(data.path(percentEncoded: false))"]
    try notebook.run(parameters)
    #expect(try !runs(notebook, parameters))
    try Data("12".utf8).write(to: data.appending(path: "a"))
    #expect(try runs(notebook, parameters))
  }

  @Test func failedRunsAreRunAgain() throws {
    let notebook = try TestNotebook()
    try notebook.run(["end=exit"])
    #expect(try runs(notebook, ["end=exit"]))
  }
}
