import Foundation
import JupyterKernel
import Literate
import Testing

struct CellListTests {
  private func cell(_ code: String, _ id: String? = nil, count: Int = 1) -> CellList.Cell {
    .init(id: id, code: code, count: count)
  }

  @Test func aProgramHasTheCellsUpToOne() {
    var list = CellList()
    list.add(cell("let a = 1", "a"))
    list.add(cell("print(a)\n", "b"))
    let next = CellList.Cell(id: "c", code: "f()", count: 3, isExpectedToFail: true)
    #expect(
      list.program(for: next).text == """
        import Literate
        cell("1")
        let a = 1
        cell("2")
        print(a)

        cell("3", expectedToFail: true)
        f()

        """)
    // A cell that runs again keeps its place, and later ones do not run.
    let again = list.program(for: cell("let a = 2", "a", count: 9))
    #expect(again.text == "import Literate\ncell(\"1\")\nlet a = 2\n")
    list.add(cell("let a = 2", "a"))
    #expect(list.cells.map(\.code) == ["let a = 2", "print(a)\n"])
  }

  @Test func theTextDoesNotDependOnCounts() {
    let programs = [1, 7].map { CellProgram([cell("f()", count: $0)]).text }
    #expect(programs[0] == programs[1])
  }

  @Test func deletedCellsAreForgotten() {
    var list = CellList()
    for id in ["a", "b", nil] { list.add(cell("f()", id)) }
    list.remove(["a", "x"])
    #expect(list.cells.map(\.id) == ["b", nil])
  }

  @Test func linesBelongToCells() {
    let program = CellProgram([cell("a\nb", count: 4), cell("c", count: 5)])
    #expect(program.calls == [2, 5])
    #expect(
      [1, 2, 3, 4, 5, 6].map { program.name(of: $0) } == [
        nil, nil, "cell [4], line 1", "cell [4], line 2", nil, "line 1",
      ])
    #expect(program.excerpt(4) == ["2 | b"])
    #expect(program.excerpt(5) == [])
  }

  private static let file = ".build/kernel/kernel-session-1/main.swift"

  private func errors(_ output: String, _ program: CellProgram) -> CompileErrors {
    let report = BuildReport(
      output.replacing("FILE", with: "/p/\(Self.file)"), package: URL(filePath: "/p"))
    return program.errors(report, in: Self.file)
  }

  @Test func errorsHaveTheLinesOfTheirCell() {
    let program = CellProgram([cell("let x = 1", count: 2), cell("f(\nprint(y)", count: 3)])
    let output = """
      FILE:6:7: error: cannot find 'y' in scope
       3 | let x = 1
       4 | cell("2")
       5 | f(
       6 | print(y)
         |       `- error: cannot find 'y' in scope
       7 |
      FILE:3:5: error: no
       3 | let x = 1
         |     `- error: no
      error: fatalError
      """
    let errors = errors(output, program)
    #expect(errors.summary == "line 2: cannot find 'y' in scope (and 1 more)")
    #expect(
      errors.lines == [
        "line 2, column 7: cannot find 'y' in scope", " 1 | f(", " 2 | print(y)",
        "   |       `- error: cannot find 'y' in scope", "",
        "cell [2], line 1, column 5: no", " 1 | let x = 1", "   |     `- error: no",
      ])
    #expect(errors.redeclares == nil)
  }

  @Test func aNameDeclaredAgainIsFound() {
    let program = CellProgram([
      cell("let w = 0", count: 1), cell("let x = 1", count: 2), cell("let x = 2", count: 3),
    ])
    let output = """
      FILE:7:5: error: invalid redeclaration of 'x'
      3 | let w = 0
      4 | cell("2")
      5 | let x = 1
        |     `- note: 'x' previously declared here
      6 | cell("3")
      7 | let x = 2
        |     `- error: invalid redeclaration of 'x'
      8 |
      """
    let errors = errors(output, program)
    #expect(errors.redeclares == 1)
    #expect(errors.summary == "line 1: invalid redeclaration of 'x'")
    #expect(errors.lines.contains("in cell [2], line 1:\n1 | let x = 1"))
    // Where the name is used, it is ambiguous.
    let use = self.errors("FILE:3:9: error: ambiguous use of 'x'\n" + output, program)
    #expect(use.redeclares == 1)
    #expect(use.summary == "line 1: invalid redeclaration of 'x' (and 1 more)")
    // With another error, nothing is replaced.
    let both = output + "\nFILE:7:9: error: something else\n7 | let x = 2\n"
    #expect(self.errors(both, program).redeclares == nil)
  }

  @Test func errorsOfOtherFilesStay() {
    let errors = errors(
      "/p/Sources/Lab/Models/CNN.swift:3:1: error: no\n3 | x\n", CellProgram([cell("f()")]))
    #expect(errors.summary == "Sources/Lab/Models/CNN.swift, line 3: no")
    #expect(errors.lines == ["Sources/Lab/Models/CNN.swift, line 3, column 1: no", "3 | x"])
  }
}

struct MagicTests {
  @Test func commandsAreTakenFromTheBeginning() throws {
    let (code, magics) = try Magic.take(
      from: "\n%parameters quick=true  seed=7\n%reset\nlet a = 7 % 2\n%b")
    #expect(code == "\n\n\nlet a = 7 % 2\n%b")
    #expect(magics == [.parameters(["quick=true", "seed=7"]), .reset])
  }

  @Test func unknownCommandsAreRefused() {
    #expect(
      throws: KernelError(
        "expected %parameters name=value … or %reset, got %matplotlib inline; other lines with % are "
          + "Python's")
    ) { try Magic.take(from: "%matplotlib inline") }
    #expect(
      throws: KernelError("expected a parameter as name=value, such as quick=true, got --quick")
    ) { try Magic.parameters(in: "seed=7 --quick") }
  }
}

struct OutputTextTests {
  private func pieces(_ texts: (String, Page.Stream)...) -> [String] {
    var output = OutputText()
    for (text, stream) in texts { output.add(Array(text.utf8), stream) }
    return output.take().map { "\($0.name): \($0.text)" }
  }

  @Test func streamsStayInOrder() {
    #expect(
      pieces(("a", .standardOutput), ("b\n", .standardOutput), ("c\n", .standardError)) == [
        "stdout: ab\n", "stderr: c\n",
      ])
  }

  @Test func onlyTheLastStateOfABarIsSent() {
    let states = (1...100).map { "\r\($0) %\u{1b}[K" }.joined()
    #expect(pieces((states, .standardError)) == ["stdout: \r100 %"])
    #expect(pieces((states + "\n", .standardError)) == ["stdout: \r100 %\n"])
    // What was never shown need not be erased.
    #expect(
      pieces((states + "\r\u{1b}[K", .standardError), ("x\n", .standardOutput)) == ["stdout: x\n"])
  }

  @Test func aShorterStateCoversALongerOne() {
    var output = OutputText()
    output.add(Array("\rlonger\u{1b}[K".utf8), .standardError)
    #expect(output.isOnlyBar)
    #expect(output.take().map(\.text) == ["\rlonger"])
    output.add(Array("\rabc\u{1b}[K".utf8), .standardError)
    #expect(output.take().map(\.text) == ["\rabc   "])
    output.add(Array("\r\u{1b}[KWarning: x\n".utf8), .standardError)
    #expect(output.take().map(\.text) == ["\r   \r", "Warning: x\n"])
  }

  @Test func incompleteCharactersWait() {
    var output = OutputText()
    let bytes = Array("ü\u{1b}[1mx".utf8)
    var texts: [String] = []
    for byte in bytes {
      output.add([byte], .standardOutput)
      texts += output.take().map(\.text)
    }
    #expect(texts == ["ü", "\u{1b}[1m", "x"])
  }

  @Test func theNoticeOfACrashIsLeftOut() {
    let notice = "a\n\n*** Signal 4: Backtracing from 0x7f12... done ***\n\n"
    #expect(pieces((notice, .standardError)) == ["stderr: a"])
    // It comes in two parts.
    var output = OutputText()
    output.add(Array(notice.utf8.prefix(40)), .standardError)
    #expect(output.take().map(\.text) == ["a"])
    output.add(Array(notice.utf8.dropFirst(40)), .standardError)
    #expect(output.take(isLast: true) == [])
    #expect(pieces(("b\nx/main.swift:9: Fatal error: no\n", .standardError)) == ["stderr: b\n"])
  }

  @Test func theLineOfAnErrorIsRemoved() {
    var output = OutputText()
    output.add(Array("a\nError: no\n".utf8), .standardError)
    output.removeLast("Error: no\n")
    #expect(output.take().map(\.text) == ["a\n"])
  }
}

struct CompleteSwiftTests {
  @Test(arguments: [
    ("let a = 1", true), ("f {", false), ("f {\n}", true), ("let t = \"\"\"\nx", false),
    ("/* a", false), ("\"{\"", true), ("// {", true), ("", true),
  ])
  func completeness(code: String, expected: Bool) {
    #expect(isCompleteSwift(code) == expected)
  }
}

struct KernelSpecificationTests {
  @Test func theFileIsWrittenAndRemoved() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "kernel-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let programs = folder.appending(path: "package/.build/release")
    try FileManager.default.createDirectory(at: programs, withIntermediateDirectories: true)
    let program = programs.appending(path: "lab")
    #expect(throws: KernelError.self) { try KernelPackage(of: program, swift: "/bin/sh") }
    try Data().write(to: folder.appending(path: "package/Package.swift"))
    let package = try KernelPackage(of: program, swift: "/bin/sh")
    #expect(package.folder.lastPathComponent == "package")

    let place = KernelSpecification(environment: ["JUPYTER_DATA_DIR": folder.path])
    #expect(try !place.uninstall())
    try place.install(package, parameters: ["quick=true", "seed=7"])
    let file = folder.appending(path: "kernels/swift/kernel.json")
    let content = try JSON(Array(Data(contentsOf: file)))
    #expect(content["argv"]?.strings.first?.hasSuffix(".build/release/lab-kernel") == true)
    #expect(content["argv"]?.strings.last == "{connection_file}")
    #expect(content["interrupt_mode"]?.string == "message")
    #expect(content["env"]?["LAB_KERNEL_PARAMETERS"]?.string == "quick=true seed=7")
    #expect(try place.uninstall())
    #expect(!FileManager.default.fileExists(atPath: file.deletingLastPathComponent().path))

    // Another kernel of this name stays.
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("{\"argv\": [\"/usr/bin/other\"]}".utf8).write(to: file)
    let error = KernelError(
      "expected a file of lab kernel install at \(file.path), found another kernel; move it")
    #expect(throws: error) { try place.uninstall() }
    #expect(throws: error) { try place.install(package, parameters: []) }
  }

  @Test func theFolderIsThatOfTheUserOrOfAnEnvironment() {
    #if os(Linux)
      let user = KernelSpecification(environment: ["HOME": "/home/u"])
      #expect(user.folder.path == "/home/u/.local/share/jupyter/kernels/swift")
    #endif
    let other = KernelSpecification(prefix: "/venv", environment: ["JUPYTER_DATA_DIR": "/d"])
    #expect(other.folder.path == "/venv/share/jupyter/kernels/swift")
  }

  @Test func eachKernelHasAFolderOfItsOwn() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "kernel-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    var sessions: [SessionFolder] = []
    for _ in 0..<SessionFolder.count { sessions.append(try SessionFolder(in: folder)) }
    #expect(Set(sessions.map(\.name)).count == SessionFolder.count)
    #expect(throws: KernelError.self) { try SessionFolder(in: folder) }
    let source = folder.appending(path: ".build/kernel/kernel-session-1/main.swift")
    try Data("let x =".utf8).write(to: source)
    sessions.removeFirst()
    #expect(try SessionFolder(in: folder).name == "kernel-session-1")
    // It may have been left in the middle of a change.
    #expect(try String(contentsOf: source, encoding: .utf8) == "\n")
  }
}
