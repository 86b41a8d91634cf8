import Foundation
import LabFiles
import Literate
import Testing

@Suite(.serialized)
struct NotebooksCommandTests {
  private let name = "01-look-at-emnist"
  private let parameters = ["-p", "data_source=synthetic", "-p", "limit_train_batches=3"]

  @Test func givesTheSameResultsTwiceAndStopsWhenInterrupted() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let arguments =
        ["notebooks", "run", "1", "--quick", "--no-timing", "--no-build"] + parameters
      let first = try lab.run(arguments)
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.output.contains("SYNTHETIC EMNIST Dataset"))
      let gallery = folder.appending(path: "output/index.html").path(percentEncoded: false)
      #expect(first.output.hasSuffix("\nAll pages: \(gallery)\n"))
      let files = try files(in: folder)
      #expect(files.keys.contains("characters-SYNTHETIC.png"))

      let again = try lab.run(arguments)
      #expect(again.output.contains("fresh: nothing has changed"))
      // The first run drew the data, and reported it on standard error.
      let second = try lab.run(arguments + ["--force"])
      #expect(second.output == first.output)
      let third = try self.files(in: folder)
      _ = try lab.run(arguments + ["--force"])
      #expect(try self.files(in: folder) == third)

      let listed = try lab.run(["notebooks", "list"])
      #expect(listed.output.hasPrefix("\(name)  Look at EMNIST  (passed)\n"))

      let log = folder.appending(path: "output/\(name)/.run/events.jsonl")
      let stopped = try lab.run(
        ["notebooks", "run", "01", "-p", "data_source=synthetic", "--no-build"]
      ) {
        let events = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        return events.contains("Total params") && !events.contains("\"event\":\"end\"")
      }
      #expect(stopped.status == 130)
      let page = try page(in: folder)
      #expect(page.state == page.cells[3].state)
      #expect(stopped.output.contains(": interrupted\n"))
      #expect(page.cells[4].state == .notRun)
    }
  }

  @Test func storedResultsAreListedUsedAndRemoved() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      func run(_ arguments: [String]) throws -> String {
        let outcome = try lab.run(["notebooks"] + arguments)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.output
      }
      #expect(try run(["cache", "list"]) == "no results\n")
      let once = ["run", "01", "--quick", "--no-build"] + parameters
      #expect(try !run(once).contains("“cnn” is from "))
      let listed = try run(["cache", "list"])
      #expect(listed.contains(#/\n01-look-at-emnist +cnn +[0-9.]+ s +7 MB +20/#), "\(listed)")
      #expect(listed.hasSuffix("\n7 MB together\n"))
      // Nothing has changed, but the notebook is run.
      #expect(try run(once + ["--force"]).contains("“cnn” is from "))
      #expect(try !run(once + ["--no-cache"]).contains("“cnn” is from "))
      #expect(try !run(once + ["--refresh=cnn"]).contains("“cnn” is from "))
      let page = folder.appending(path: "output/\(name)/index.html")
      #expect(try String(contentsOf: page, encoding: .utf8).contains("Epoch 0"))
      #expect(try run(["cache", "clear", "02"]) == "0 results removed, 0 MB\n")
      #expect(try run(["cache", "clear", "01", "--result=other"]).hasPrefix("0 results"))
      #expect(try run(["cache", "clear", "--all"]) == "1 result removed, 7 MB\n")
      #expect(try run(["cache", "list"]) == "no results\n")
      let both = try lab.run(["notebooks"] + once + ["--no-cache", "--refresh=cnn"])
      #expect(both.status == 64)
      #expect(both.errors.contains("Error: expected --no_cache or --refresh, got both\n"))
    }
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func interruptedRunsKeepThePageAndTellTheSignal(signal: Int32) throws {
    let status = try #require([SIGINT: 130, SIGTERM: 143, SIGHUP: 129][signal])
    try withFolder { folder in
      try copyTestNotebook(to: folder)
      let lab = Program(name: "lab", folder: folder)
      let log = folder.appending(path: "output/test-notebook/.run/events.jsonl")
      for arguments in [["run", "test"], ["run", "test", "--force", "-p", "end=hanging"]] {
        let outcome = try lab.run(
          ["notebooks"] + arguments + ["--no-build"], startedIn: folder, stopping: signal
        ) {
          let events = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
          return arguments.contains("end=hanging") && events.contains("The end")
        }
        #expect(outcome.status == (arguments.contains("--force") ? status : 0), "\(outcome.errors)")
        if arguments.contains("--force") {
          #expect(outcome.output.contains("FAILED, line 87: interrupted\nPage: "))
          #expect(outcome.output.contains("\nLast run that passed: "))
        }
      }
      // The same run again finds its page.
      let again = try lab.run(["notebooks", "run", "test", "--no-build"], startedIn: folder)
      #expect(again.output.contains("fresh: nothing has changed"))
      #expect(again.output.contains("\nPassed\n"))
    }
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func watchEndsWithASignalWhileACellWaits(signal: Int32) throws {
    try withFolder { folder in
      try copyTestNotebook(to: folder)
      let lab = Program(name: "lab", folder: folder)
      let log = folder.appending(path: "output/test-notebook/.run/events.jsonl")
      let outcome = try lab.run(
        ["notebooks", "watch", "test", "--step", "--no-browser", "--no-build"],
        startedIn: folder, seconds: 60, stopping: signal
      ) {
        ((try? String(contentsOf: log, encoding: .utf8)) ?? "").contains("Streams")
      }
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains(#/\nhttp:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/\n/#))
      #expect(outcome.output.contains("\nPage: "))
    }
  }

  @Test func exportsAreMadeFromTheRecord() throws {
    try withFolder { folder in
      try copyTestNotebook(to: folder)
      let lab = Program(name: "lab", folder: folder)
      func run(_ arguments: [String], zone: String = "UTC") throws -> String {
        let outcome = try lab.run(
          ["notebooks"] + arguments, environment: ["TZ": zone], startedIn: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.output
      }
      _ = try run(["run", "test", "--no-build", "--no-timing"])
      let output = folder.appending(path: "output").path(percentEncoded: false)
      #expect(
        try run(["export", "test", "--zip", "--slides"])
          == "\(output)/test-notebook.zip\n\(output)/test-notebook-slides.html\n")
      let zip = folder.appending(path: "output/test-notebook.zip")
      let members = try Archive.members(of: zip, limit: 1 << 26) { _ in true }
      #expect(
        members.keys.sorted() == [
          "test-notebook/first.png", "test-notebook/index.html", "test-notebook/second.png",
          "test-notebook/test-notebook.ipynb", "test-notebook/test-notebook.md",
        ])
      let figure = folder.appending(path: "output/test-notebook/first.png")
      #expect(try members["test-notebook/first.png"] == Array(Data(contentsOf: figure)))
      // The same bytes in another time zone.
      let first = try Data(contentsOf: zip)
      let elsewhere = try run(
        ["export", "test", "--zip", "--to", "new/a.zip"], zone: "Asia/Seoul")
      #expect(elsewhere == "new/a.zip\n")
      #expect(try Data(contentsOf: folder.appending(path: "new/a.zip")) == first)
      // In a folder, files have the names of the notebooks.
      let all = try run(["export", "--all", "--slides", "--to", "new"])
      #expect(all == "new/test-notebook-slides.html\n")
      let slides = folder.appending(path: "new/test-notebook-slides.html")
      #expect(try String(contentsOf: slides, encoding: .utf8).contains("class=\"slide title\""))
    }
  }

  @Test(
    arguments: [
      (["export", "test"], "Error: expected --pdf, --slides or --zip, or several of them\n", 64),
      (["export", "--zip"], "Error: expected notebooks' names or --all\n", 64),
      (
        ["export", "test", "--zip"],
        "Error: test-notebook has not been run yet; to run it: lab notebooks run test-notebook\n", 1
      ),
      (
        ["export", "test", "--zip", "--to", "a.html"],
        "Error: --to: expected a file that ends with .zip, or a folder that ends with /, got a.html\n",
        64
      ),
      (
        ["export", "test", "--zip", "--pdf", "--to", "a.zip"],
        "Error: --to: expected a folder for 2 files, got a.zip; end it with /\n", 64
      ),
    ] as [([String], String, Int32)])
  func errorsOfExportsAreOneLine(arguments: [String], message: String, status: Int32) throws {
    try withFolder { folder in
      try copyTestNotebook(to: folder)
      let outcome = try Program(name: "lab", folder: folder).run(
        ["notebooks"] + arguments, startedIn: folder)
      #expect(outcome.status == status)
      #expect(outcome.errors.hasPrefix(message), "\(outcome.errors)")
    }
  }

  #if os(Linux)
    @Test func withoutABrowserThePDFSaysWhatToInstall() throws {
      try withFolder { folder in
        try copyTestNotebook(to: folder)
        let lab = Program(name: "lab", folder: folder)
        _ = try lab.run(["notebooks", "run", "test", "--no-build"], startedIn: folder)
        let outcome = try lab.run(
          ["notebooks", "export", "test", "--pdf", "--zip"], environment: ["PATH": "/nowhere"],
          startedIn: folder)
        #expect(outcome.status == 1)
        let page = folder.appending(path: "output/test-notebook/index.html")
        #expect(
          outcome.errors
            == "Error: --pdf: expected Chromium or Chrome, found none; install it (Debian, Ubuntu: "
            + "apt-get install chromium; macOS: brew install --cask google-chrome), or print "
            + "\(page.path(percentEncoded: false)) with your browser\n")
        // Nothing is written if something is missing.
        let zip = folder.appending(path: "output/test-notebook.zip")
        #expect(!FileManager.default.fileExists(atPath: zip.path(percentEncoded: false)))
      }
    }
  #endif

  @Test func stepShowsProseAndCodeAndDoesNotWaitWithoutATerminal() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let outcome = try lab.run(["notebooks", "step", "01", "--quick", "--no-build"] + parameters)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let parts = [
        "EMNIST extends MNIST", "The data\n========", "The images are 28×28 pixels",
        "print(data)", "SYNTHETIC EMNIST Dataset", "A batch of the test set\n==", "Figure: ",
      ]
      var rest = outcome.output[...]
      for part in parts {
        let range = try #require(rest.range(of: part), "\(part) is missing or too early")
        rest = rest[range.upperBound...]
      }
      #expect(try page(in: folder).state == .passed)
    }
  }

  @Test(
    arguments: [
      (
        ["run", "01", "-p", "sed=7"], "Error: Unknown option '--sed'. Did you mean '--seed'?\n", 64
      ),
      (
        ["run", "01", "-p", "seed=x"],
        "'--seed <seed>': expected a whole number of at least 0, got x\n", 64
      ),
      (
        ["run", "01", "-p", "data_source=syntetic"],
        "expected auto, download, synthetic, got syntetic; did you mean synthetic?\n", 64
      ),
      (["run", "01", "-p", "max-epochs=0"], "--max_epochs: expected at least 1, got 0", 64),
      (["run", "01", "-p", "seed"], "Error: -p: expected name=value, got seed\n", 64),
      (["run", "--", "--my-name"], "or its prefix, got --my-name; there are: 01-", 1),
      (["run", "12"], "or its prefix, got 12; there are: 01-", 1),
      (["run", "a\u{1B}[1mb"], "or its prefix, got ab; there are: 01-", 1),
      (["run"], "Error: expected notebooks' names or --all\n", 64),
      (["run", "01", "--time-limit=0"], "--time_limit: expected seconds above 0, got 0.0\n", 64),
      (
        ["run", "09"],
        "Error: expected the name of a notebook or its prefix, got 09; there are: 01-look-at-emnist, ",
        1
      ),
      (
        ["render", "01"],
        "01-look-at-emnist has not been run yet; to run it: lab notebooks run 01-look-at-emnist\n",
        1
      ),
    ] as [([String], String, Int32)])
  func errorsAreOneLine(arguments: [String], message: String, status: Int32) throws {
    try withFolder { folder in
      // Not built: the tests' own build may be waiting for the end of this.
      var arguments = arguments
      if arguments[0] == "run" { arguments.insert("--no-build", at: 1) }
      let outcome = try Program(name: "lab", folder: folder).run(["notebooks"] + arguments)
      #expect(outcome.status == status)
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
  }

  /// Copies the notebook of the tests; the copy is older than the program, which is not built again.
  private func copyTestNotebook(to folder: URL) throws {
    let path = "Notebooks/test-notebook/main.swift"
    let source = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: path)
    let copy = folder.appending(path: path)
    try FileManager.default.createDirectory(
      at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: source, to: copy)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 0)],
      ofItemAtPath: copy.path(percentEncoded: false))
  }

  private func files(in folder: URL) throws -> [String: Data] {
    let folder = folder.appending(path: "output/\(name)")
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.path(percentEncoded: false))
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: folder.appending(path: $0))) })
  }

  private func page(in folder: URL) throws -> Page {
    let file = folder.appending(path: "output/\(name)/page.json")
    return try JSONDecoder().decode(Page.self, from: Data(contentsOf: file))
  }
}
