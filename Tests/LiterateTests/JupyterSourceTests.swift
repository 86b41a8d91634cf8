import Foundation
import Literate
import Testing

/// Notebooks of Swift from notebooks of Jupyter, with the structure of the course's.
struct JupyterSourceTests {
  private func converted(_ cells: String, metadata: String = "{}") throws -> String {
    let json = """
      {"cells": [\(cells)], "metadata": \(metadata), "nbformat": 4, "nbformat_minor": 4}
      """
    return try JupyterSource(Data(json.utf8), named: "old.ipynb").text(
      setup: "import Lab\n", title: "Old")
  }

  @Test func proseAndCodeAlternate() throws {
    let text = try converted(
      #"""
      {"cell_type": "markdown", "metadata": {}, "source": ["# Lab 2: *CNNs*\n", "\n", "An `x`."]},
      {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [],
       "source": ["%matplotlib inline\n", "!pip install x\n", "\n", "import numpy as np"]},
      {"cell_type": "markdown", "metadata": {}, "source": "## The data\r\n\r\nIt is *big*.\r\n"},
      {"cell_type": "code", "metadata": {}, "source": "data = \"a\\n\"\nprint(data)  # */",
       "outputs": [{"output_type": "display_data", "data": {"image/png": "AAAA"}, "metadata": {}}]}
      """#, metadata: #"{"language_info": {"name": "python"}}"#)
    #expect(
      text == #"""
        // # Lab 2: CNNs
        //
        // An `x`.

        import Lab

        cell("%matplotlib inline")

        // To translate from python:
        //
        // %matplotlib inline
        // !pip install x
        //
        // import numpy as np

        // It is *big*.
        cell("The data")

        // To translate from python:
        //
        // data = "a\n"
        // print(data)  # */
        //
        // (The original shows an image here.)

        """#)
  }

  /// What the runner reads of the result is what was meant.
  @Test func theResultIsANotebook() throws {
    let text = try converted(
      #"""
      {"cell_type": "markdown", "source": "No heading here"},
      {"cell_type": "code", "source": "x"}, {"cell_type": "code", "source": "x"},
      {"cell_type": "code", "source": "  \n"},
      {"cell_type": "markdown", "source": "Why \"x\" \\ and\u0000\u2028 no y?\n```\n# no heading\n```"},
      {"cell_type": "code", "source": "# Load \"all\" \\n\nload()"},
      {"cell_type": "raw", "source": "raw <text>"},
      {"cell_type": "widget", "source": "w"},
      {"cell_type": "markdown", "source": "한글 제목\n===\n\n본문"}
      """#)
    let source = NotebookSource(text, name: "n")
    #expect(source.title == "Old")
    #expect(source.introduction == "No heading here")
    #expect(source.cells.map(\.title) == ["x", "x (2)", "Load \"all\" \\n", "한글 제목"])
    #expect(source.cells[2].prose.hasSuffix("```\n# no heading\n```"))
    #expect(
      source.cells[3].prose == """
        ```text
        raw <text>
        ```

        (A cell of the kind “widget” was left out.)

        본문
        """)
    #expect(source.cells.map(\.code).last == "")
    #expect(!text.contains("\0"))
  }

  @Test func imagesAreLeftOut() throws {
    let text = try converted(
      #"""
      {"cell_type": "markdown", "attachments": {"a.png": {"image/png": "AAAA"}},
       "source": ["# T\n", "![A cat](attachment:a.png) and ![](data:image/png;base64,AAAA)\n",
        "<img src=\"data:image/png;base64,AAAA\" alt=\"A dog\"/>\n",
        "![far](https://example.org/a.png)"]}
      """#)
    #expect(!text.contains("AAAA") && !text.contains("attachment"))
    #expect(
      text.contains(
        """
        // (An image was left out: A cat.) and (An image was left out.)
        // (An image was left out: A dog.)
        // ![far](https://example.org/a.png)
        """))
  }

  @Test func anEmptyNotebookIsOne() throws {
    #expect(try converted("") == "// # Old\n\nimport Lab\n")
  }

  @Test(
    arguments: [
      ("", "old.ipynb: expected a Jupyter notebook, got a file that is none or is damaged"),
      (
        "{\"cells\": [",
        "old.ipynb: expected a Jupyter notebook, got a file that is none or is damaged"
      ),
      ("[1]", "old.ipynb: expected a Jupyter notebook, got a file that is none or is damaged"),
      (
        "{\"nbformat\": 4, \"cells\": [{\"source\": 3}]}",
        "old.ipynb: expected a Jupyter notebook, got a file that is none or is damaged"
      ),
      (
        "{\"nbformat\": 3, \"worksheets\": []}",
        "old.ipynb: expected a Jupyter notebook of format 4, got format 3; open it in Jupyter and save it"
      ),
    ])
  func errorsAreOneLine(text: String, message: String) throws {
    #expect(throws: NotebookError(message)) {
      try JupyterSource(Data(text.utf8), named: "old.ipynb")
    }
  }
}

struct NewNotebookTests {
  private func withFolders(_ body: (NotebookFolders, URL) throws -> Void) throws {
    try withSampleFolder(figures: false) { folder in
      let sources = folder.appending(path: "Notebooks")
      try FileManager.default.createDirectory(
        at: sources.appending(path: "01-One"), withIntermediateDirectories: true)
      try Data("targets: [\"Plot\", \"bench\"]".utf8).write(
        to: folder.appending(path: "Package.swift"))
      let folders = NotebookFolders(
        sources: sources, programs: folder, output: folder, command: "my notebooks")
      try body(folders, sources)
    }
  }

  @Test func foldersAreMadeWhole() throws {
    try withFolders { folders, sources in
      let file = try folders.create("02-two", "// # Two\n")
      #expect(try String(contentsOf: file, encoding: .utf8) == "// # Two\n")
      #expect(folders.all.map(\.name) == ["02-two"])
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: sources.path).sorted()
          == ["01-One", "02-two"])
    }
  }

  @Test(
    arguments: [
      ("", "expected a name of letters"), ("a b", "expected a name of letters"),
      ("../a", "expected a name of letters"), ("-a", "expected a name of letters"),
      ("a--b", "expected a name of letters"), (".a", "expected a name of letters"),
      ("데이터", "expected a name of letters"), ("a_b", "expected a name of letters"),
      (String(repeating: "a", count: 65), "expected a name of letters"),
      ("01-one", "but there is Notebooks/01-One; choose another name"),
      ("BENCH", "which is that of a part of the package"), ("main", "which is that of a part"),
    ])
  func namesAreChecked(name: String, message: String) throws {
    try withFolders { folders, sources in
      #expect {
        try folders.create(name, "")
      } throws: { error in
        "\(error)".contains(message) && !"\(error)".contains("\n")
      }
      // Nothing is left over.
      let names = try FileManager.default.contentsOfDirectory(atPath: sources.path)
      #expect(names == ["01-One"])
    }
  }

  @Test func foldersThatCannotBeWrittenAreErrors() throws {
    try withFolders { folders, sources in
      try FileManager.default.removeItem(at: sources)
      try Data().write(to: sources)
      #expect(throws: (any Error).self) { try folders.create("02-two", "") }
    }
  }
}
