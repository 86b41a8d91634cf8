import Foundation
import Literate
import Testing

struct BuildTests {
  /// A notebook whose programs are built by a script in place of `swift`. The program starts that of
  /// the tests; its bytes depend on the source.
  private func notebook() throws -> TestNotebook {
    let real = TestNotebook.programs.appending(path: TestNotebook.name)
    return try TestNotebook { package, programs in
      let swift = package.appending(path: "swift")
      let script = """
        #!/bin/sh
        cd "\(package.path(percentEncoded: false))"
        echo "$@" >> builds
        source=Notebooks/test-notebook/main.swift
        if [ -f edits ]; then . ./edits; rm edits; fi
        if grep -q MISTAKE $source; then
          for step in 1 2; do
            echo "[$step/4] Compiling $source"
            echo "$PWD/$source:3:7: error: cannot find 'MISTAKE' in scope"
            echo "3 | MISTAKE"
            echo "  | \\`- error: cannot find 'MISTAKE' in scope"
          done
          exit 1
        fi
        mkdir -p programs
        program=programs/test-notebook
        { echo "#!/bin/sh"; echo "# $(cksum < $source)"; echo 'exec "\(real.path)" "$@"'; } > $program
        chmod +x $program
        """
      try Data(script.utf8).write(to: swift)
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o755], ofItemAtPath: swift.path(percentEncoded: false))
      let library = package.appending(path: "Sources/Library/shim.h")
      try FileManager.default.createDirectory(
        at: library.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("int one;".utf8).write(to: library)
      return ProgramBuilder(
        package: package, scratch: package.appending(path: ".build"), configuration: "release",
        swift: swift)
    }
  }

  /// The builds so far.
  private func builds(of notebook: TestNotebook) throws -> [String] {
    try String(contentsOf: notebook.folder.appending(path: "builds"), encoding: .utf8)
      .split(separator: "\n").map(String.init)
  }

  /// Whether a run starts the notebook: then its log has no mark any more.
  private func runs(_ notebook: TestNotebook) throws -> Bool {
    let log = notebook.program.folder.appending(path: "events.jsonl")
    let mark = Data("{\"event\":\"fact\",\"name\":\"mark\",\"value\":\"mark\"}\n".utf8)
    try (try Data(contentsOf: log) + mark).write(to: log)
    #expect(try notebook.run(isForced: false) == .passed)
    return try !Data(contentsOf: log).suffix(mark.count).elementsEqual(mark)
  }

  private func html(of notebook: TestNotebook) throws -> String {
    String(decoding: try #require(try notebook.files["index.html"]), as: UTF8.self)
  }

  @Test func changedSourcesAreBuiltBeforeTheRun() throws {
    let notebook = try notebook()
    #expect(try notebook.run() == .passed)
    let folder = notebook.folder.path(percentEncoded: false)
    #expect(
      try builds(of: notebook) == [
        "build --package-path \(folder) --scratch-path \(folder)/.build --configuration release "
          + "--product test-notebook"
      ])
    // Nothing has changed: nothing is built, also if the notebook is run anyway.
    #expect(try !runs(notebook))
    #expect(try notebook.run() == .passed)
    #expect(try notebook.program.step(notebook.options([]), on: .init(isQuiet: true)) == .passed)
    #expect(try builds(of: notebook).count == 1)

    // A library that does not change the program.
    try Data("int two;".utf8)
      .write(to: notebook.folder.appending(path: "Sources/Library/shim.h"))
    #expect(try !runs(notebook))
    #expect(try builds(of: notebook).count == 2)

    try notebook.edit("print(\"still there\")", to: "print(\"still here\")")
    #expect(try runs(notebook))
    #expect(try builds(of: notebook).count == 3)
    #expect(try html(of: notebook).contains("still here"))

    // Prose changes nothing that is built.
    try notebook.edit("worth keeping.", to: "worth *keeping*.")
    #expect(try !runs(notebook))
    #expect(try builds(of: notebook).count == 3)
    #expect(try html(of: notebook).contains("<em>keeping</em>"))
  }

  @Test func checksBuildToo() throws {
    let notebook = try notebook()
    #expect(try notebook.program.accept(notebook.options([])) == [])
    try notebook.edit("print(\"still there\")", to: "print(\"still here\")")
    #expect(try notebook.program.check(notebook.options([])) == [])
    #expect(try builds(of: notebook).count == 2)
  }

  @Test func compileErrorsKeepThePageAndAreOneLine() throws {
    let notebook = try notebook()
    try notebook.run()
    let files = try notebook.files
    try notebook.edit("print(\"still there\")", to: "MISTAKE")
    #expect(
      throws: NotebookError(
        "test-notebook was not built, and not run: 1 error: "
          + "Notebooks/test-notebook/main.swift:3:7: error: cannot find 'MISTAKE' in scope")
    ) { try notebook.run(isForced: false) }
    #expect(try notebook.files == files)
  }

  /// The program may have been built from the source before or after.
  @Test func aSourceSavedDuringTheBuildIsBuiltAgain() throws {
    let notebook = try notebook()
    let edit = "sed 's/still there/still here/' $source > new && mv new $source"
    try Data(edit.utf8).write(to: notebook.folder.appending(path: "edits"))
    #expect(try notebook.run() == .passed)
    #expect(try builds(of: notebook).count == 2)
    #expect(try html(of: notebook).contains("still here"))
  }

  @Test func withoutABuildAnOldProgramIsRefused() throws {
    let notebook = try TestNotebook()
    try notebook.run()
    let files = try notebook.files
    try FileManager.default.setAttributes(
      [.modificationDate: Date.distantFuture],
      ofItemAtPath: notebook.program.file.path(percentEncoded: false))
    // As where an archive was unpacked.
    #expect(
      throws: NotebookError(
        "\(notebook.program.file.path(percentEncoded: false)) was changed after its program was "
          + "built, and there is no Package.swift to build it; to change a notebook, get the package "
          + "and Swift")
    ) { try notebook.run() }
    try Data().write(to: notebook.folder.appending(path: "Package.swift"))
    #expect(
      throws: NotebookError(
        "\(notebook.program.file.path(percentEncoded: false)) is newer than its program; "
          + "to build it: swift build -c release --product test-notebook")
    ) { try notebook.run() }
    #expect(try notebook.files == files)
  }

  @Test func pagesShowTheCodeThatRan() throws {
    let notebook = try TestNotebook()
    try notebook.run()
    try notebook.edit("print(\"still there\")", to: "print(\"still here\")")
    try notebook.edit("worth keeping.", to: "worth *keeping*.")
    try notebook.program.render()
    #expect(try html(of: notebook).contains("still there&quot;"))
    #expect(try !html(of: notebook).contains("still here"))
    // Also without a record, as older versions left a run that failed.
    try notebook.run(["end=exit"])
    try FileManager.default.removeItem(at: notebook.program.folder.appending(path: "record.json"))
    try notebook.edit("print(\"still here\")", to: "print(\"there again\")")
    try notebook.program.render()
    #expect(try html(of: notebook).contains("still here&quot;"))
    #expect(try !html(of: notebook).contains("there again"))
  }
}

struct BuildReportTests {
  private func report(_ output: String) -> BuildReport {
    BuildReport(output, package: URL(filePath: "/one/lab/"))
  }

  @Test func errorsAreShownOnceWithTheirLines() {
    let error = """
      /one/lab/Sources/A/A.swift:91:15: error: cannot convert 'String' to 'Int'
      90 |
      91 | let z: Int = "a"
         |              `- error: cannot convert 'String' to 'Int'
      92 | try f()

      """
    let output = """
      Building for debugging...
      error: emit-module command failed with exit code 1
      [3/6] Emitting module A
      \(error)/one/lab/Sources/A/A.swift:92:5: warning: no calls
      92 | try f()
      [4/6] Compiling A A.swift
      \(error)
      """
    let expected = error.replacing("/one/lab/", with: "").trimmingCharacters(in: .newlines)
    #expect(report(output).details == expected)
    #expect(
      report(output).summary
        == "1 error: Sources/A/A.swift:91:15: error: cannot convert 'String' to 'Int'")
    let both = output + "\n/one/lab/Sources/A/B.swift:1:1: error: no\n"
    #expect(
      report(both).summary
        == "2 errors, the first: Sources/A/A.swift:91:15: error: cannot convert 'String' to 'Int'")
  }

  @Test func errorsWithoutAPlaceAreShown() {
    let text = "error: no product named 'x'"
    #expect(report(text).summary == "1 error: no product named 'x'")
    #expect(report("something\n").details == "something")
    #expect(report("something\n").summary == "swift build failed")
  }
}
