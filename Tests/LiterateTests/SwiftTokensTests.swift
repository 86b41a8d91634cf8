import Foundation
import Literate
import Testing

struct SwiftTokensTests {
  /// Each token that is not plain, as `kind text`.
  private func highlighted(_ source: String) -> [String] {
    swiftTokens(of: source).filter { $0.kind != .plain }.map { "\($0.kind) \($0.text)" }
  }

  @Test(
    arguments: [
      ("let x: Int = 1", ["keyword let", "type Int", "number 1"]),
      ("@MainActor func f()", ["attribute @MainActor", "keyword func"]),
      ("#if DEBUG", ["attribute #if", "type DEBUG"]),
      (
        "0x1F + 0b10_1 + 1_000.5e-3 + 0..<9",
        [
          "number 0x1F", "number 0b10_1", "number 1_000.5e-3", "number 0", "number 9",
        ]
      ),
      ("x // let\ny", ["comment // let"]),
      ("/* a /* b */ let */ let", ["comment /* a /* b */ let */", "keyword let"]),
      // Labels and members that look like keywords.
      ("f(in: x, for: y)", []),
      ("x.default + .self", ["keyword self"]),
      ("`class` = letter", []),
      // The end of a comment is not code.
      ("// One.\nstruct S", ["comment // One.", "keyword struct", "type S"]),
      ("f(a  // b.\n  , in: x)", ["comment // b."]),
      (
        "case .some(let x): default: 1",
        ["keyword case", "keyword let", "keyword default", "number 1"]
      ),
    ])
  func kinds(source: String, expected: [String]) {
    #expect(highlighted(source) == expected)
  }

  @Test(
    arguments: [
      (#""a \"b\" c""#, [#"string "a \"b\" c""#]),
      (#""a \(b + "c") d""#, [#"string "a \("#, #"string "c") d""#]),
      (#""\(f(x) { Int($0) })!""#, [#"string "\("#, "type Int", #"string )!""#]),
      (
        ##"#"raw \n \(no) \#(yes) "quoted""#"##,
        [
          ##"string #"raw \n \(no) \#("##, ##"string ) "quoted""#"##,
        ]
      ),
      (
        "\"\"\"\n  \"two\" lines\n  \"\"\" + 1",
        ["string \"\"\"\n  \"two\" lines\n  \"\"\"", "number 1"]
      ),
      // An unterminated string ends with its line.
      ("\"open\nlet x", ["string \"open", "keyword let"]),
    ])
  func strings(source: String, expected: [String]) {
    #expect(highlighted(source) == expected)
  }

  @Test(
    arguments: [
      "", "\"", "\"\\", "\"\\(", "\"\\(\"\\(", "/*", "/* /", "#", "#\"", "@", "`", "0x", "1.",
      "\"\"\"",
      "f)(", "a = /b\"c/ + /", "#/\n\"\n/#", "/ /", "/\n/", "é ü 🙂 \u{301}", "\r\nlet\r\n",
      "#/a b/#", "$0._$1", "a/b//c",
    ])
  func tokensJoinToTheSource(source: String) {
    #expect(swiftTokens(of: source).map(\.text).joined() == source)
  }

  @Test func tokensOfThisFileJoinToIt() throws {
    let source = try String(contentsOfFile: #filePath, encoding: .utf8)
    let tokens = swiftTokens(of: source)
    #expect(tokens.map(\.text).joined() == source)
    #expect(tokens.contains { $0.kind == .attribute && $0.text == "@Test" })
  }

  /// Code taken for text, or text for code, would leave a bracket alone.
  @Test func bracketsOfTheseSourcesArePaired() throws {
    let tests = URL(filePath: #filePath).deletingLastPathComponent()
    let sources = tests.deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/Literate")
    for folder in [tests, sources] {
      let path = folder.path(percentEncoded: false)
      for name in try FileManager.default.subpathsOfDirectory(atPath: path)
      where name.hasSuffix(".swift") {
        let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        let tokens = swiftTokens(of: text)
        let code = tokens.filter { $0.kind == .plain }.map(\.text).joined()
        for (opening, closing) in [("{", "}"), ("[", "]")] as [(Character, Character)] {
          let counts = [opening, closing].map { bracket in code.count { $0 == bracket } }
          #expect(counts[0] == counts[1], "\(name): \(opening)")
        }
      }
    }
  }

  @Test func highlightedTextIsEscaped() {
    #expect(
      HTML(highlighting: "a<Int>(\"&\")").text
        == "a&lt;<span class=\"type\">Int</span>&gt;(<span class=\"string\">&quot;&amp;&quot;</span>)"
    )
  }
}
