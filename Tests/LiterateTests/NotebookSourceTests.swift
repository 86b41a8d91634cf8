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

  /// Each cell as `title: prose: code`.
  private func cells(_ text: String) -> [String] {
    NotebookSource(text, name: "n").cells.map { "\($0.title): \($0.prose): \($0.code)" }
  }

  @Test(arguments: ["\r\n", "\r\r\n"])
  func linesMayEndAsOnWindows(end: String) {
    let text = """
      // # My title
      //
      // Some *introduction*.

      import Literate

      // The first.
      cell("First")
      print("hello")

      // The second.
      cell("Second")
      let text = \"""
        a
        \"""

      """
    let source = NotebookSource("\u{FEFF}" + text.replacing("\n", with: end), name: "n")
    #expect(source.title == "My title")
    #expect(source.introduction == "Some *introduction*.")
    #expect(source.setup == "import Literate")
    #expect(source.cells.map(\.title) == ["First", "Second"])
    #expect(source.cells.map(\.line) == [8, 12])
    #expect(source.cells.map(\.prose) == ["The first.", "The second."])
    #expect(source.cells[1].code == "let text = \"\"\"\n  a\n  \"\"\"")
    #expect(source.code == NotebookSource(text, name: "n").code)
  }

  /// Marks of strings and comments that are none where they are.
  @Test(
    arguments: [
      #"// Between """ marks."#, #"// A " mark."#, #"/* One """ mark. */"#, "/* /* */ \" */",
      #"let a = "\"""#, ##"let a = #"a " b"#"##, ##"let a = #"\"#"##,
      #"let a = "" + "/*""#, #"let a = "//" + "/* ""#, #"let a = "\("\"".count)""#,
      #"let a = "\(f("/*"))""#, "let a = /\"/", "let a = b.matches(of: /\"[^\"]*\"\"\"/)",
      "let a = /\\/*\"/", "let a = #/\"/*/#", "let a = 1 / 2  // \"", "let a = b /* \" */ / c",
      "let `\"` = 1", "let a = \"open", "let a = #\"\"\"\n  \"\"\" \\(a \"\n  \"\"\"#",
      "let a = \"\"\"\n  \\(b[\"c\"]) \\\"\"\"\n  \"\"\"", "let a = #/\n  \"\n  /#",
    ])
  func codeDoesNotHideLaterCells(code: String) {
    let text = "cell(\"A\")\n\(code)\n\n// Prose.\ncell(\"B\")\nprint(2)\n"
    #expect(cells(text) == ["A: : \(code)", "B: Prose.: print(2)"])
  }

  /// Neither cells nor prose.
  @Test(
    arguments: [
      "/* Off:\n\n// Old.\ncell(\"Old\")\nprint(3)\n*/",
      "/* a /* b */\ncell(\"Old\")\n*/",
      "let a = \"\"\"\n// Old.\ncell(\"Old\")\n\"\"\"",
      "let a = #\"\"\"\n\"\"\"\ncell(\"Old\")\n\"\"\"#",
      "let a = \"\"\"\n\\(f(\n// Old.\ncell(\"Old\")\n))\n\"\"\"",
    ])
  func textIsNoCell(code: String) {
    let text = "cell(\"A\")\n\(code)\n\n// Prose.\ncell(\"B\")\nprint(2)\n"
    #expect(cells(text) == ["A: : \(code)", "B: Prose.: print(2)"])
  }

  @Test(
    arguments: [
      (#"cell("Loss \u{2013} accuracy")"#, "Loss \u{2013} accuracy"),
      (#"cell("Say \"x\", \\ and\ttab")"#, "Say \"x\", \\ and\ttab"),
      (##"cell(#"Raw \n "quotes""#, tolerance: 1)"##, #"Raw \n "quotes""#),
      (##"cell(#"Raw \#u{41}"#)"##, "Raw A"),
      ("cell(\n  \"\"\"\n  Two \\\n  lines\n  \"\"\")", "Two lines"),
      (#"cell(/* "no" */ "Yes" /* ) */, ignoring: ["a"])"#, "Yes"),
      // What only the program knows stands as it is written.
      (#"cell("Seed \(seed), \(f("a", b))")"#, #"Seed \(seed), \(f("a", b))"#),
      ("cell(name(of: 1, 2), tolerance: 1)", "name(of: 1, 2)"),
      (#"cell("a" + b)"#, #""a" + b"#),
    ])
  func titlesAreReadAsSwiftReadsThem(call: String, title: String) {
    let source = NotebookSource("\(call)\nprint(1)\n", name: "n")
    #expect(source.cells.map(\.title) == [title])
    #expect(source.cells.map(\.code) == ["print(1)"])
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
