import Literate
import Testing

struct CellKeysTests {
  @Test(arguments: [
    ("let a = 1  // one\n\nlet b = 2", "let a = 1 let b = 2"),
    ("/* a */ f(\n  1,\n  2)", "f( 1, 2)"),
    ("print(\"a  // b\")", "print(\"a  // b\")"),
    ("let t = \"\"\"\n  x   y // z\n  \"\"\"", "let t = \"\"\"\n  x   y // z\n  \"\"\""),
    ("print(\"a  b\\(a  +  b)\")  ", "print(\"a  b\\(a + b)\")"),
    ("", ""),
  ])
  func commentsAndSpacesDoNotCount(code: String, expected: String) {
    #expect(codeWithoutComments(code) == expected)
  }

  @Test(arguments: [
    ("let a = 1\nfunc f() -> Int {\n  // two\n  2\n}\nprint(f())", ["func f() -> Int { 2 }"]),
    ("func f(\n  a: Int\n) -> Int {\n  a\n}", ["func f( a: Int ) -> Int { a }"]),
    ("struct A {\n  func f() {}\n}\nlet x = 1", ["struct A { func f() {} }"]),
    ("for i in 1...3 {\n  func g() {}\n}", []),
    ("typealias A = Int\nprint(1)", ["typealias A = Int"]),
    ("nonisolated struct A: Model {\n}", ["nonisolated struct A: Model { }"]),
    ("@MainActor private func f() { }", ["@MainActor private func f() { }"]),
    (
      "extension Int {\n  var x: Int { 1 }\n}\nextension Int { }",
      ["extension Int { var x: Int { 1 } }", "extension Int { }"]
    ),
    ("let text = \"\"\"\nfunc f() {}\n\"\"\"", []),
    ("/*\nfunc f() {}\n*/", []),
    ("let f = { (a: Int) in a }\n", []),
    ("func f()\n{\n  1\n}\nprint(2)", ["func f() { 1 }"]),
    ("", []),
  ])
  func declarationsAreFound(code: String, expected: [String]) {
    #expect(declaredCode(in: code) == expected)
  }

  @Test func declarationsCountWhereTheyAreUsed() {
    let declarations = [
      "func f() { g() }", "func g() { 1 }", "func unused() { f() }", "extension Int { }",
      "struct Box { }", "func + (a: Box, b: Box) -> Box { a }",
    ]
    #expect(
      used(declarations, by: ["print(f())"])
        == [
          "func f() { g() }", "func g() { 1 }", "extension Int { }", "struct Box { }",
          "func + (a: Box, b: Box) -> Box { a }",
        ])
    #expect(used(declarations, by: ["ff()"]).first == "extension Int { }")
    #expect(used([], by: ["f()"]) == [])
  }
}
