import Foundation
import Literate
import Spawning
import Testing

struct JupyterNotebookTests {
  private static let python = ProcessInfo.processInfo.environment["LAB_TEST_PYTHON"]

  /// The parts of a notebook file that are tested.
  private struct Notebook: Decodable {
    struct Cell: Decodable {
      var id: String
      var cell_type: String
      var source: [String]
      var execution_count: Int?
      var outputs: [Output]?
    }

    struct Output: Decodable {
      var output_type: String
      var name: String?
      var text: [String]?
      var evalue: String?
    }

    var nbformat: Int
    var nbformat_minor: Int
    var cells: [Cell]
  }

  private func sample() throws -> Notebook {
    try withSampleFolder { folder in
      try PageWriter(SamplePage.page).write(to: folder)
      let file = folder.appending(path: "\(SamplePage.page.name).ipynb")
      return try JSONDecoder().decode(Notebook.self, from: Data(contentsOf: file))
    }
  }

  @Test func proseAndCodeAlternate() throws {
    let notebook = try sample()
    #expect(notebook.nbformat == 4)
    #expect(notebook.nbformat_minor == 5)
    #expect(
      notebook.cells.map { "\($0.cell_type) \($0.id)" } == [
        "markdown introduction", "markdown facts", "code setup",
        "markdown look-at-the-data-prose", "code look-at-the-data",
        "markdown look-at-the-data-prose-2", "code look-at-the-data-2",
        "markdown train-prose", "code train", "markdown predict-prose", "code predict",
      ])
    #expect(
      notebook.cells[2].source == ["import Lab\n", "\n", "let options = Options.fromCommandLine()"])
    // Cells that did not run have no count.
    let counts = notebook.cells.filter { $0.cell_type == "code" }.map(\.execution_count)
    #expect(counts == [1, 2, 3, 4, nil])
  }

  @Test func outputsAreInOrder() throws {
    let cells = try sample().cells
    let outputs = try #require(cells[4].outputs)
    // A warning is not red.
    #expect(outputs.map(\.output_type) == ["stream", "display_data", "display_data"])
    #expect(outputs.map(\.name) == ["stdout", nil, nil])
    #expect(outputs[0].text == ["260212 <images>\n", "and more\n"])
    #expect(cells[6].outputs?.last?.evalue == "linear: expected x of shape [rows, 3]")
    #expect(cells[8].outputs?.map(\.output_type) == ["stream", "error"])
  }

  /// Runs if the environment variable names a Python with nbformat.
  @Test(.enabled(if: python != nil))
  func nbformatValidatesTheFile() throws {
    let python = try #require(Self.python)
    try withSampleFolder { folder in
      try PageWriter(SamplePage.page).write(to: folder)
      let file = folder.appending(path: "\(SamplePage.page.name).ipynb").path
      let check = "import nbformat, sys; nbformat.validate(nbformat.read(sys.argv[1], 4))"
      let outcome = try Spawned.run([python, "-W", "error", "-c", check, file], in: folder)
      #expect(outcome.errors == "")
      #expect(outcome.status == 0)
    }
  }
}
