import Foundation
import Literate
import NotebookServer
import Testing

/// The server runs on the threads that Swift's tasks share, which other tests block: these tests run in a
/// process of their own, which `make test` starts with `LAB_TEST_SERVER`.
@Suite(
  .serialized,
  .enabled(
    if: ProcessInfo.processInfo.environment["LAB_TEST_SERVER"] != nil, "LAB_TEST_SERVER is not set")
)
struct NotebookServerTests {
  /// A server of a notebook of the tests, in folders of its own.
  private func withServer(
    _ name: String = "test-notebook", parameters: [String] = [], stepping: Bool = false,
    builds: Bool = false,
    _ body: (_ live: LiveNotebook, _ address: URL, _ source: URL) throws -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "server-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = folder.appending(path: "Notebooks/\(name)/main.swift")
    try FileManager.default.createDirectory(
      at: source.deletingLastPathComponent(), withIntermediateDirectories: true)
    let original = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Notebooks/\(name)/main.swift")
    try FileManager.default.copyItem(at: original, to: source)
    try makeOld(source)
    let library = folder.appending(path: "Sources/Library/shim.h")
    try FileManager.default.createDirectory(
      at: library.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("int one;".utf8).write(to: library)
    let programs = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let folders = NotebookFolders(
      sources: folder.appending(path: "Notebooks"),
      programs: builds ? folder.appending(path: "programs") : programs,
      output: folder.appending(path: "output"), command: "my notebooks",
      builder: builds ? try builder(name, in: folder, programs) : nil)
    let live = try LiveNotebook(
      folders.notebook(name), .init(parameters: parameters), stepping: stepping)
    let server = NotebookServer(live)
    let address = try server.start()
    live.start()
    defer {
      live.close()
      server.stop()
    }
    try body(live, address, source)
  }

  /// Builds with a script in place of `swift`: its program starts that of the tests.
  private func builder(
    _ name: String, in package: URL, _ programs: URL
  ) throws -> ProgramBuilder {
    let swift = package.appending(path: "swift")
    let script = """
      #!/bin/sh
      cd "\(package.path(percentEncoded: false))"
      source=Notebooks/\(name)/main.swift
      sleep 0.3
      line=$(grep -n MISTAKE $source | cut -d: -f1)
      if [ -n "$line" ]; then
        echo "$PWD/$source:$line:7: error: cannot find 'MISTAKE' in scope"
        echo "$line | MISTAKE"
        exit 1
      fi
      mkdir -p programs
      program=programs/\(name)
      { echo "#!/bin/sh"; echo "# $(cksum < $source)"
        echo 'exec "\(programs.path(percentEncoded: false))\(name)" "$@"'; } > $program
      chmod +x $program
      """
    try Data(script.utf8).write(to: swift)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: swift.path(percentEncoded: false))
    return ProgramBuilder(
      package: package, scratch: package.appending(path: ".build"), configuration: "release",
      swift: swift)
  }

  private func edit(_ source: URL, _ text: String, to replacement: String) throws {
    let before = try String(contentsOf: source, encoding: .utf8)
    try #require(before.contains(text))
    try before.replacing(text, with: replacement)
      .write(to: source, atomically: true, encoding: .utf8)
  }

  @Test(.enabled(if: Chromium.path != nil))
  func browsersSeeEditsErrorsAndSteps() throws {
    try withServer(builds: true) { live, address, source in
      // Two windows of one browser would share a connection.
      let (one, other) = (try Chromium(), try Chromium())
      let (first, second) = (try one.open(address), try other.open(address))
      for tab in [first, second] { try tab.wait(forState: "Passed in") }
      try first.wait(for: "document.querySelectorAll('main img').length === 3")
      try first.wait(for: "[...document.images].every(image => image.naturalWidth > 0)")

      try edit(source, "worth keeping.", to: "worth *keeping*.")
      for tab in [first, second] { try tab.wait(for: "!!document.querySelector('main em')") }

      try edit(source, "print(\"still there\")", to: "MISTAKE")
      for tab in [first, second] {
        try tab.wait(forState: "1 error")
        try tab.wait(
          for: "document.querySelector('[data-cell=cell-after-the-end] .compile-error')"
            + ".textContent.includes('MISTAKE')")
        try tab.wait(for: "document.querySelectorAll('.live-cell.outdated').length === 5")
      }
      try edit(source, "MISTAKE", to: "print(\"still there\")")
      for tab in [first, second] {
        try tab.wait(forState: "Passed in")
        try tab.wait(for: "document.querySelectorAll('.outdated, .compile-error').length === 0")
      }

      try first.click("[data-action=nextCell]")
      for tab in [first, second] { try tab.wait(forState: "Waiting before cell 2 of 5") }
      try second.click("[data-id=an-error]")
      for tab in [first, second] { try tab.wait(forState: "Waiting before cell 4 of 5") }
      try first.click("[data-action=runAll]")
      for tab in [first, second] { try tab.wait(forState: "Passed in") }
      try first.click("[data-action=nextCell]")
      try second.wait(forState: "Waiting before cell 2 of 5")
      try second.click("[data-action=stop]")
      for tab in [first, second] { try tab.wait(forState: "Stopped in cell 2 of 5") }
    }
  }

  @Test(.enabled(if: Chromium.path != nil))
  func browsersSeeTheBarMoveAndNewFigures() throws {
    try withServer("cached-notebook", parameters: ["bar=60"], builds: true) {
      live, address, source in
      let (one, other) = (try Chromium(), try Chromium())
      let (first, second) = (try one.open(address), try other.open(address))
      for tab in [first, second] {
        try tab.wait(for: "document.querySelector('.tail progress')?.value > 0.1")
        try tab.wait(for: "document.querySelector('.tail progress')?.value > 0.5")
      }
      for tab in [first, second] {
        try tab.wait(forState: "Passed in")
        try tab.wait(for: "!document.querySelector('.tail progress')")
        try tab.wait(
          for: "[...document.images].some(image => image.src.endsWith('/after.png') "
            + "&& image.naturalWidth > 0)")
      }
      // What was computed is shown again after an edit of a later cell.
      try edit(source, "print(\"later\")", to: "print(\"even later\")")
      for tab in [first, second] {
        try tab.wait(for: "document.body.textContent.includes('“numbers” is from')")
        try tab.wait(forState: "Passed in")
      }
    }
  }

  @Test func aKilledNotebookIsSurvived() throws {
    try withServer(parameters: ["end=killed"]) { live, address, _ in
      try expect("Failed in cell 4 of 5", address)
      _ = try post(#"{"action":"run","parameters":{"end":"well"}}"#, address)
      try expect("Passed in", address)
    }
  }

  @Test func aPageOfFiftyMegabytesIsServed() throws {
    try withServer("cached-notebook", parameters: ["lines=500000"]) { live, address, _ in
      let limit = ContinuousClock.now + .seconds(120)
      while live.isBusy, ContinuousClock.now < limit { usleep(100_000) }
      let page = try get(address.path(), address)
      #expect(page.utf8.count > 50_000_000)
      #expect(page.contains("Passed in") && page.contains("line 499999 x"))
    }
  }

  /// The program is not built here: it must not be older than the source.
  private func makeOld(_ file: URL) throws {
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 0)],
      ofItemAtPath: file.path(percentEncoded: false))
  }

  private func get(
    _ path: String, _ address: URL, host: String? = nil, headers: String = ""
  ) throws -> String {
    let port = try #require(address.port)
    return try #require(
      Request.send(
        "GET \(path) HTTP/1.1\r\nHost: \(host ?? "127.0.0.1:\(port)")\r\n\(headers)"
          + "Connection: close\r\n\r\n", port: UInt16(port)))
  }

  private func post(_ body: String, _ address: URL, origin: String? = nil) throws -> String {
    let port = try #require(address.port)
    let origin = origin ?? "http://127.0.0.1:\(port)"
    return try #require(
      Request.send(
        "POST \(address.path())actions HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"
          + "\(origin.isEmpty ? "" : "Origin: \(origin)\r\n")Content-Type: application/json\r\n"
          + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)",
        port: UInt16(port)))
  }

  /// Waits until the page has a text.
  private func expect(_ text: String, _ address: URL) throws {
    let limit = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < limit {
      if try get(address.path(), address).contains(text) { return }
      usleep(50_000)
    }
    Issue.record("expected the page to show \(text)")
  }

  @Test func thePageFillsAndShowsFigures() throws {
    try withServer { live, address, _ in
      try expect("Passed in", address)
      let page = try get(address.path(), address)
      #expect(page.contains("out 20"))
      let figure = try #require(page.firstMatch(of: /src="(figures\/[0-9a-f]+\/first\.png)"/))
      #expect(try get("\(address.path())\(figure.1)", address).contains("image/png"))
      #expect(try get("\(address.path())figures/../../Package.swift", address).contains(" 404 "))
    }
  }

  @Test func foreignRequestsAreRefused() throws {
    try withServer(stepping: true) { live, address, _ in
      let path = address.path()
      #expect(try get(path, address).hasPrefix("HTTP/1.1 200"))
      #expect(try get(path, address, host: "example.org").hasPrefix("HTTP/1.1 403"))
      #expect(
        try get(path, address, headers: "Origin: http://example.org\r\n").hasPrefix("HTTP/1.1 403"))
      #expect(try get("/", address).hasPrefix("HTTP/1.1 404"))
      let wrong = path.replacing(/[0-9a-f]\/$/, with: "x/")
      #expect(try get(wrong, address).hasPrefix("HTTP/1.1 404"))
      let action = #"{"action":"runAll"}"#
      #expect(try post(action, address, origin: "").hasPrefix("HTTP/1.1 403"))
      #expect(try post(action, address, origin: "http://example.org").hasPrefix("HTTP/1.1 403"))
      #expect(try post("no JSON", address).hasPrefix("HTTP/1.1 400"))
      #expect(try post(#"{"action":"runTo","cell":"none"}"#, address).hasPrefix("HTTP/1.1 400"))
      let headers = try get(path, address)
      #expect(headers.contains("frame-ancestors 'none'") && headers.contains("no-referrer"))
    }
  }

  @Test func cellsRunStepByStep() throws {
    try withServer(stepping: true) { live, address, _ in
      try expect("Waiting before cell 1 of 5: Streams", address)
      #expect(try post(#"{"action":"nextCell"}"#, address).hasPrefix("HTTP/1.1 204"))
      try expect("Waiting before cell 2 of 5", address)
      #expect(try get(address.path(), address).contains("out 20"))
      _ = try post(#"{"action":"runTo","cell":"an-error"}"#, address)
      try expect("Waiting before cell 4 of 5: The end", address)
      _ = try post(#"{"action":"runAll"}"#, address)
      try expect("Passed in", address)
      _ = try post(#"{"action":"nextCell"}"#, address)
      try expect("Waiting before cell 2 of 5", address)
      _ = try post(#"{"action":"stop"}"#, address)
      try expect("Stopped in cell 2 of 5", address)
    }
  }

  @Test func wrongParametersStandAtTheForm() throws {
    try withServer { live, address, _ in
      try expect("Passed in", address)
      let page = try get(address.path(), address)
      #expect(page.contains("name=\"seed\" value=\"42\" data-default=\"42\""))
      #expect(page.contains("<option selected>well</option>"))
      #expect(page.contains("What is printed and drawn comes from this number."))
      _ = try post(#"{"action":"run","parameters":{"seed":"many"}}"#, address)
      try expect("The value 'many' is invalid", address)
      _ = try post(#"{"action":"run","parameters":{"seed":"7"}}"#, address)
      try expect("value=\"7\" data-default=\"42\"", address)
      #expect(try post(#"{"action":"run","parameters":{"x":"7"}}"#, address).contains(" 400 "))
    }
  }

  @Test func proseIsShownWithoutARun() throws {
    try withServer { live, address, source in
      try expect("Passed in", address)
      let text = try String(contentsOf: source, encoding: .utf8)
      try text.replacing("worth keeping.", with: "worth *keeping*.")
        .write(to: source, atomically: true, encoding: .utf8)
      try expect("worth <em>keeping</em>", address)
      #expect(try get(address.path(), address).contains("Passed in"))
    }
  }

  @Test func aHundredConnectionsAndBadRequestsAreSurvived() throws {
    try withServer { live, address, _ in
      let port = UInt16(try #require(address.port))
      try expect("Passed in", address)
      let path = address.path()
      DispatchQueue.concurrentPerform(iterations: 100) { index in
        let request = "GET \(path)events?since=0 HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n"
        let answer = Request.send(request, port: port) { $0.contains("data: ") }
        #expect(answer?.contains("data: ") == true)
      }
      for bad in ["\r\n\r\n", "GET\r\n\r\n", "\u{0}\u{1}", "GET / HTTP/9\r\nHost\r\n\r\n"] {
        _ = Request.send(bad, port: port) { !$0.isEmpty }
      }
      #expect(try get(path, address).hasPrefix("HTTP/1.1 200"))
      // Those that have gone are noticed at the next sign of life.
      let limit = ContinuousClock.now + .seconds(30)
      while live.feed.readerCount > 0, ContinuousClock.now < limit { usleep(100_000) }
      #expect(live.feed.readerCount == 0)
      #expect(Request.send("GET / HTTP/1.1\r\n\r\n", port: port, host: "127.0.0.2") == nil)
    }
  }
}
