import Literate
import Testing

struct DeclarationOrderTests {
  @Test func functionsMoveToTheFirstCellThatUsesThem() {
    let cells = [
      "import Plot", "let a = 1", "draw(a)\nprint(\"helper\")",
      "draw(2)\n\n/// Draws.\nfunc draw(_ x: Int) {\n  print(Helper(x: \"}\\(x)\"))\n}",
      "struct Helper {\n  var x: String\n}\nfunc own() {}\nown()",
    ]
    #expect(
      inOrderOfUse(cells) == [
        "import Plot", "let a = 1",
        "draw(a)\nprint(\"helper\")\n\n/// Draws.\nfunc draw(_ x: Int) {\n  print(Helper(x: \"}\\(x)\"))\n}"
          + "\n\nstruct Helper {\n  var x: String\n}",
        "draw(2)", "func own() {}\nown()",
      ])
  }

  @Test func whatIsDeclaredBeforeItsUseStays() {
    let cells = ["func f() {}", "f()\n  func g() {}", "// g f\nlet text = \"g()\""]
    #expect(inOrderOfUse(cells) == cells)
  }
}
