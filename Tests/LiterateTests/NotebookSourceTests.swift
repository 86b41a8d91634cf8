import Literate
import Testing

struct NotebookSourceTests {
  private let source = NotebookSource(
    """
    // # Look at *it*
    //
    // First paragraph,
    // two lines.
    //
    // - a list

    import Lab

    // About the next line.
    let a = 1

    // Prose of the first.
    //
    //     let indented = true
    cell("The data")
    print(a)

    // A remark in the code.
    print(a + 1)
    cell("No prose, (but \\"quotes\\")", tolerance: 0.1)

    /// Documents f.
    func f() {
      // cell("not a cell")
      cell("in a function")
    }
    // Too far above.

    cell(
      "Long",
      ignoring: ["("]
    )
    let text = \"""
    // no prose
    cell("no cell")
    \"""
    // The last one.
    cell("The data")

    """, name: "01-it")

  @Test func titleAndIntroductionComeFromTheTop() {
    #expect(source.title == "Look at *it*")
    #expect(source.introduction == "First paragraph,\ntwo lines.\n\n- a list")
    #expect(source.setup == "import Lab\n\n// About the next line.\nlet a = 1")
  }

  @Test func cellsStartWithTheProseAboveTheirCall() {
    let expected: [(id: String, title: String, line: Int, prose: String, code: String)] = [
      (
        id: "the-data", title: "The data", line: 16,
        prose: "Prose of the first.\n\n    let indented = true",
        code: "print(a)\n\n// A remark in the code.\nprint(a + 1)"
      ),
      (
        id: "no-prose-but-quotes", title: "No prose, (but \"quotes\")", line: 21, prose: "",
        code: """
        /// Documents f.
        func f() {
          // cell("not a cell")
          cell("in a function")
        }
        // Too far above.
        """
      ),
      (
        id: "long", title: "Long", line: 30, prose: "",
        code: "let text = \"\"\"\n// no prose\ncell(\"no cell\")\n\"\"\""
      ),
      (id: "the-data-2", title: "The data", line: 39, prose: "The last one.", code: ""),
    ]
    #expect(source.cells.map(\.id) == expected.map(\.id))
    #expect(source.cells.map(\.title) == expected.map(\.title))
    #expect(source.cells.map(\.line) == expected.map(\.line))
    #expect(source.cells.map(\.prose) == expected.map(\.prose))
    #expect(source.cells.map(\.code) == expected.map(\.code))
  }

  @Test func theNameIsTheDefaultTitle() {
    let plain = NotebookSource("print(1)\n", name: "03-plain")
    #expect(plain.title == "03-plain")
    #expect(plain.introduction == "")
    #expect(plain.setup == "print(1)")
    #expect(plain.cells.isEmpty)
  }

  @Test func codeExcludesProse() {
    let text = "// # T\n\n// One.\ncell(\"A\")\nprint(1)\n"
    let code = NotebookSource(text, name: "n").code
    let otherProse = text.replacing("// One.", with: "// Two\n// lines.")
    #expect(NotebookSource(otherProse, name: "n").code == code)
    let otherCode = text.replacing("print(1)", with: "print(2)")
    #expect(NotebookSource(otherCode, name: "n").code != code)
  }
}
