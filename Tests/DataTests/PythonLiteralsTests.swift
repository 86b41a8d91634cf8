import Lab
import Testing

@Suite struct PythonLiteralsTests {
  // repr(text)
  @Test(arguments: [
    ("a", "'a'"), ("'", "\"'\""), ("\"", "'\"'"), ("'\"", "'\\'\"'"), ("\\", "'\\\\'"),
    (" ", "' '"), ("a\u{1b}[2J", "'a\\x1b[2J'"), ("\u{2028}\r\n\t", "'\\u2028\\r\\n\\t'"),
    ("\u{e000}x\u{e0001}", "'\\ue000x\\U000e0001'"), ("\u{a0}é한", "'\\xa0é한'"),
  ])
  func strings(text: String, expected: String) {
    #expect(pythonLiteral(text) == expected)
  }

  // repr(tuple(numbers))
  @Test(
    arguments: [
      ([], "()"), ([128], "(128,)"), ([1, 28, 28], "(1, 28, 28)"),
    ] as [([Int], String)])
  func tuples(numbers: [Int], expected: String) {
    #expect(pythonTuple(numbers) == expected)
  }
}
