import Lab
import Testing

@Suite struct PythonLiteralsTests {
  // repr(text)
  @Test(arguments: [
    ("a", "'a'"), ("'", "\"'\""), ("\"", "'\"'"), ("'\"", "'\\'\"'"), ("\\", "'\\\\'"),
    (" ", "' '"),
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
