import Foundation
import Literate
import Spawning
import Testing

/// The notebook `cached-notebook`, which writes down what it computes.
private final class CachedNotebook {
  let notebook = try? TestNotebook("cached-notebook")
  let computedFile: URL
  let folder: URL

  init() throws {
    folder = try #require(notebook).folder
    computedFile = folder.appending(path: "computed")
  }

  /// Runs the notebook, and returns what was computed.
  @discardableResult
  func run(
    _ parameters: [String] = [], usesCache: Bool = true, refreshed: [String] = [],
    recordsTimes: Bool = false
  ) throws -> [String] {
    try? FileManager.default.removeItem(at: computedFile)
    let notebook = try #require(notebook)
    var options = notebook.options(
      ["computed=\(computedFile.path(percentEncoded: false))"] + parameters)
    options.usesCache = usesCache
    options.refreshed = refreshed
    options.recordsTimes = recordsTimes
    state = try notebook.program.run(options, on: Console(isQuiet: true))
    return try computed()
  }

  /// Runs the program without the runner.
  func runAlone(
    _ parameters: [String], _ variables: [String: String] = [:]
  ) throws -> (Spawned.Outcome, [String]) {
    try? FileManager.default.removeItem(at: computedFile)
    var environment = ProcessInfo.processInfo.environment
    environment["LITERATE_FOLDER"] = folder.appending(path: "figures").path()
    environment["LITERATE_CACHE"] = cache.path()
    environment.merge(variables) { $1 }
    let outcome = try Spawned.run(
      [
        TestNotebook.programs.appending(path: "cached-notebook").path(),
        "--computed=\(computedFile.path())",
      ] + parameters, environment: environment, in: folder)
    return (outcome, try computed())
  }

  func computed() throws -> [String] {
    guard let text = try? String(contentsOf: computedFile, encoding: .utf8) else { return [] }
    return text.split(separator: "\n").map(String.init)
  }

  private(set) var state = Page.State.notRun

  /// The outputs of all cells, without where results are from.
  var outputs: [[Page.Output]] {
    get throws {
      try #require(notebook).page.cells.map { cell in
        cell.outputs.filter { if case .cached = $0 { false } else { true } }
      }
    }
  }

  var cache: URL { folder.appending(path: "output/cache/cached-notebook") }

  /// The folders of the results.
  var results: [URL] {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: cache.path(percentEncoded: false))
    return (names ?? []).sorted().map { cache.appending(path: $0) }
  }

  static let all = ["numbers", "random", "large", "fails", "reports an error"]
}

struct CachedTests {
  @Test func resultsAreComputedOnce() throws {
    let notebook = try CachedNotebook()
    #expect(try notebook.run() == CachedNotebook.all)
    #expect(notebook.state == .passed)
    let (outputs, files) = (try notebook.outputs, try #require(notebook.notebook).files)
    #expect(
      joined(outputs).contains(
        "numbers: [1.5, nan, inf, -inf, 0.30000000000000004, 7.0]\nstates: 1 2\nrandom: 1 1\n"))
    #expect(try notebook.run() == [])
    #expect(notebook.state == .passed)
    let again = try notebook.outputs
    // What was written to the descriptor itself is not recorded.
    let recorded = outputs.map { cell in
      cell.filter { $0 != .text("not recorded\n", stream: .standardError) }
    }
    #expect(joined(again) == joined(recorded))
    for (name, bytes) in try #require(notebook.notebook).files where name.hasSuffix(".png") {
      #expect(files[name] == bytes, "\(name)")
    }
    #expect(try #require(notebook.notebook).files["drawn.png"] != nil)
    #expect(try #require(notebook.notebook).files["timed.png"] == nil)
    #expect(
      try #require(notebook.notebook).page.facts.contains { $0 == Page.Fact("Fact", "1.5") })
  }

  @Test func pagesSayWhereResultsAreFrom() throws {
    let notebook = try CachedNotebook()
    try notebook.run(recordsTimes: true)
    #expect(
      try #require(notebook.notebook).page.cells.flatMap(\.outputs).allSatisfy { !isOrigin($0) })
    try notebook.run(recordsTimes: true)
    let page = try #require(notebook.notebook).page
    let origins = page.cells.flatMap(\.outputs).compactMap { output -> Page.Cached? in
      if case .cached(let cached) = output { cached } else { nil }
    }
    #expect(origins.map(\.name) == CachedNotebook.all)
    #expect(origins.allSatisfy { abs($0.time - Date().timeIntervalSince1970) < 600 })
    #expect(page.cells[1].outputs.contains(.times("it took long\n")))
    #expect(try #require(notebook.notebook).files["timed.png"] != nil)
    let html = String(
      decoding: try #require(notebook.notebook?.files["index.html"]), as: UTF8.self)
    #expect(html.contains("“numbers” is from "))
  }

  @Test func onlyWhatMattersLetsResultsBeComputedAgain() throws {
    let notebook = try CachedNotebook()
    let test = try #require(notebook.notebook)
    try notebook.run()
    // Prose, comments and later cells do not matter.
    try test.edit("// Prose.", to: "// Other prose.")
    try test.edit("print(\"before\")", to: "print(\"before\")  // a comment")
    try test.edit("print(\"later\")", to: "print(\"even later\")")
    try test.edit("cell(\"Earlier\")", to: "cell(\"Before\")")
    #expect(try notebook.run() == [])
    // The code of a cell matters for it and for later ones.
    try test.edit("large.count)", to: "large.count + 0)")
    #expect(try notebook.run() == ["large", "fails", "reports an error"])
    try test.edit("let earlier = 1", to: "let earlier = 2")
    #expect(try notebook.run() == CachedNotebook.all)
    // A declaration matters wherever it is.
    try test.edit("  7\n", to: "  8\n")
    #expect(try notebook.run() == CachedNotebook.all)
    #expect(try notebook.run() == [])
    #expect(try notebook.run(["number=2.5"]) == CachedNotebook.all)
    #expect(try notebook.run() == [])
    // The sources of the package.
    let library = notebook.folder.appending(path: "Sources/Library")
    try FileManager.default.createDirectory(at: library, withIntermediateDirectories: true)
    for text in ["let a = 1", "let a = 2"] {
      try text.write(to: library.appending(path: "A.swift"), atomically: true, encoding: .utf8)
      #expect(try notebook.run() == CachedNotebook.all)
      #expect(try notebook.run() == [])
    }
  }

  @Test func dataMatter() throws {
    let notebook = try CachedNotebook()
    for parameter in ["before", "within"] {
      let data = notebook.folder.appending(path: "data-\(parameter)")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      try Data("1".utf8).write(to: data.appending(path: "a"))
      let parameters = ["\(parameter)=\(data.path(percentEncoded: false))"]
      #expect(try notebook.run(parameters) == CachedNotebook.all)
      #expect(try notebook.run(parameters) == [])
      try Data("22".utf8).write(to: data.appending(path: "a"))
      #expect(try notebook.run(parameters).contains("numbers"))
      #expect(try notebook.run(parameters) == [])
    }
  }

  @Test func resultsCanBeRefused() throws {
    let notebook = try CachedNotebook()
    #expect(try notebook.run(usesCache: false) == CachedNotebook.all)
    #expect(notebook.results.isEmpty)
    #expect(try notebook.run() == CachedNotebook.all)
    #expect(try notebook.run(usesCache: false) == CachedNotebook.all)
    #expect(try notebook.run(refreshed: ["large"]) == ["large"])
    #expect(try notebook.run(refreshed: ["*"]) == CachedNotebook.all)
    #expect(try notebook.run() == [])
  }

  @Test func failuresAreNotStored() throws {
    let notebook = try CachedNotebook()
    try notebook.run(["fails=true"])
    #expect(notebook.state == .passed)
    #expect(try notebook.run(["fails=true"]) == ["fails", "reports an error"])
    try notebook.run(["twice=true"])
    guard case .failed(let message, _) = notebook.state else {
      Issue.record("expected a failure, got \(notebook.state)")
      return
    }
    #expect(
      message
        == "cached: expected a name that no other result has, got “large” twice; in a loop, put its "
        + "variable into the name")
  }

  @Test func damagedResultsAreComputedAgain() throws {
    let notebook = try CachedNotebook()
    try notebook.run()
    let good = joined(try notebook.outputs)
    let numbers = try #require(
      notebook.results.first { $0.lastPathComponent.hasPrefix("numbers-") })
    let files = try FileManager.default.contentsOfDirectory(
      atPath: numbers.path(percentEncoded: false))
    #expect(files.contains("state-0") && files.contains("state-1") && files.contains("value.json"))
    for name in files {
      let file = numbers.appending(path: name)
      var bytes = try Data(contentsOf: file)
      bytes[bytes.count / 2] ^= 1
      try bytes.write(to: file)
      #expect(try notebook.run() == ["numbers"], "\(name)")
      let outputs = joined(try notebook.outputs)
      #expect(
        outputs.contains(
          "Warning: cached: of the stored result “numbers”, \(name) is damaged; it is computed again"
        ))
      #expect(outputs.replacing(/Warning: cached: .*\n/, with: "") == good)
      try FileManager.default.removeItem(at: file)
      #expect(try notebook.run() == ["numbers"], "\(name)")
      #expect(try notebook.run() == [])
    }
  }

  /// Kills the notebook at random moments while results are written and replayed.
  @Test func killedNotebooksLeaveNoWrongResults() throws {
    let notebook = try CachedNotebook()
    let parameters = ["size=3000"]
    try notebook.run(parameters, usesCache: false)
    let good = joined(try notebook.outputs)
    let test = try #require(notebook.notebook)
    var generator = SystemRandomNumberGenerator()
    for round in 0..<20 {
      // Each other round begins with a part of the results.
      if round % 2 == 0, let folder = notebook.results.randomElement(using: &generator) {
        _ = test.folders.removeStoredResults {
          $0.folder.lastPathComponent == folder.lastPathComponent
        }
      }
      var options = test.options(
        ["computed=\(notebook.computedFile.path(percentEncoded: false))"] + parameters)
      options.timeLimit = Double.random(in: 0.005...0.25, using: &generator)
      _ = try test.program.run(options, on: Console(isQuiet: true))
      if round % 4 == 3 {
        try notebook.run(parameters)
        #expect(notebook.state == .passed)
        #expect(
          joined(try notebook.outputs).replacing("not recorded\n", with: "")
            == good.replacing("not recorded\n", with: ""))
      }
    }
    #expect(try notebook.run(parameters) == [])
    // What was left behind goes when something is stored.
    try notebook.run(parameters, refreshed: ["large"])
    #expect(!notebook.results.contains { $0.lastPathComponent.hasSuffix(".part") })
  }

  @Test func notebooksWithoutRunnerStoreResultsToo() throws {
    let notebook = try CachedNotebook()
    func run(_ variables: [String: String] = [:]) throws -> (Spawned.Outcome, [String]) {
      try notebook.runAlone([], variables)
    }
    let (first, computed) = try run()
    #expect(first.status == 0)
    #expect(computed == CachedNotebook.all)
    let drawn = try Data(contentsOf: notebook.folder.appending(path: "figures/drawn.png"))
    try FileManager.default.removeItem(at: notebook.folder.appending(path: "figures"))
    let (second, nothing) = try run()
    #expect(nothing == [])
    #expect(second.output == first.output)
    #expect(
      first.output.contains(
        "numbers: [1.5, nan, inf, -inf, 0.30000000000000004, 7.0]\nstates: 1 2\nrandom: 1 1\n"))
    #expect(second.errors.contains("“numbers” is from "))
    #expect(try Data(contentsOf: notebook.folder.appending(path: "figures/drawn.png")) == drawn)
    // Too little room.
    let (third, again) = try run(["LITERATE_CACHE_MB": "0", "LITERATE_REFRESH": "large"])
    #expect(again == ["large"])
    #expect(
      third.errors.contains(
        "Warning: cached: “large” is not stored: expected at most 0 MB, got 0 MB; LITERATE_CACHE_MB changes the limit\n"
      ))
    let (_, none) = try run(["LITERATE_CACHE": ""])
    #expect(none == CachedNotebook.all)
  }

  @Test func resultsUsedLongAgoAreRemovedFirst() throws {
    let notebook = try CachedNotebook()
    _ = try notebook.runAlone(["--size=1500"])
    let folders = try #require(notebook.notebook).folders
    #expect(folders.storedResults.count == 5)
    // Four results of 1.5 MB fit into 7 MB.
    for number in 2...6 {
      let outcome = try notebook.runAlone(
        ["--size=1500", "--number=\(number)"], ["LITERATE_CACHE_MB": "7"])
      #expect(outcome.0.status == 0)
    }
    let left = folders.storedResults
    #expect(left.reduce(0) { $0 + $1.size } <= 7_000_000)
    #expect(left.count { $0.name == "large" } == 4)
    #expect(try notebook.runAlone(["--size=1500", "--number=6"]).1 == [])
    #expect(try notebook.runAlone(["--size=1500"]).1.contains("large"))
  }

  @Test func resultsCanBeListedAndRemoved() throws {
    let notebook = try CachedNotebook()
    try notebook.run()
    let folders = try #require(notebook.notebook).folders
    #expect(Set(folders.storedResults.compactMap(\.name)) == Set(CachedNotebook.all))
    #expect(folders.storedResults.allSatisfy { $0.notebook == "cached-notebook" && $0.state == "" })
    // A reader's file stays, wherever it is.
    let mine = try #require(notebook.results.first).appending(path: "notes.txt")
    try Data("mine".utf8).write(to: mine)
    try Data("mine".utf8).write(to: notebook.cache.appending(path: "mine.txt"))
    let (count, size, kept) = folders.removeStoredResults { _ in true }
    #expect(count == 4 && kept == 1 && size > 1000)
    #expect(try Data(contentsOf: mine) == Data("mine".utf8))
    #expect(notebook.results.map(\.lastPathComponent).contains("mine.txt"))
    #expect(try notebook.run() == CachedNotebook.all)
  }
}

private func isOrigin(_ output: Page.Output) -> Bool {
  if case .cached = output { true } else { false }
}

/// The outputs as one text: where a text ends does not matter.
private func joined(_ outputs: [[Page.Output]]) -> String {
  outputs.enumerated().map { index, cell in
    "\(index):\n"
      + cell.map { output in
        switch output {
        case .text(let text, _): text
        case .figure(let figure): "figure \(figure)\n"
        case .times(let text): text
        case .inspection(let inspection): "\(inspection)\n"
        case .check(let check): "\(check.text(in: .english))\n"
        case .cached: ""
        }
      }.joined()
  }.joined()
}
