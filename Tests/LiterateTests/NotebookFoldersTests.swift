import Foundation
import Literate
import Testing

struct NotebookFoldersTests {
  private let folders: NotebookFolders

  init() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "literate-\(UUID())")
    for name in ["01-one", "02-two", "02-two-more"] {
      let source = folder.appending(path: "Notebooks/\(name)/main.swift")
      try FileManager.default.createDirectory(
        at: source.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("// # \(name)\n".utf8).write(to: source)
    }
    folders = NotebookFolders(
      sources: folder.appending(path: "Notebooks"), programs: folder,
      output: folder.appending(path: "output"), command: "my notebooks")
  }

  @Test func notebooksAreFoundByPrefix() throws {
    defer { try? FileManager.default.removeItem(at: folders.programs) }
    #expect(folders.all.map(\.name) == ["01-one", "02-two", "02-two-more"])
    #expect(try folders.notebook("01").name == "01-one")
    #expect(try folders.notebook("02-two").name == "02-two")
    #expect(try folders.notebook("1").name == "01-one")
    #expect(try folders.notebook("001").name == "01-one")
    #expect(
      throws: NotebookError(
        "expected a unique prefix, got 02, which several notebooks have: 02-two, 02-two-more")
    ) {
      try folders.notebook("02")
    }
    #expect(
      throws: NotebookError(
        "expected the name of a notebook or its prefix, got 3; "
          + "there are: 01-one, 02-two, 02-two-more")
    ) { try folders.notebook("3") }
    #expect(
      throws: NotebookError("01-one has not been run yet; to run it: my notebooks run 01-one")
    ) { try folders.notebook("01").render() }
    #expect(
      throws: NotebookError(
        "01-one: expected an accepted run in \(folders.sources.path)/01-one/expected, found none; "
          + "to accept one: my notebooks check 01-one --accept --quick")
    ) { try folders.notebook("01").check(.init()) }
    let program = folders.programs.appending(path: "01-one").path(percentEncoded: false)
    #expect(
      throws: NotebookError(
        "expected the program \(program), found none; to build it: "
          + "swift build -c release --product 01-one")
    ) { try folders.notebook("01").run(.init(), on: Console(isQuiet: true)) }
  }
}
