import Lab
import Testing

@Suite struct CourseTextTests {
  // re.sub("  +", " ", " ".join(tokens).translate({ord(c): None for c in string.punctuation}))
  @Test(arguments: [
    (["Don't", "--", "stop", "."], "Dont stop "),
    (["``", "No", "''"], " No "),
    (["--", "...", "--"], " "),
    (["one"], "one"),
    (["a1", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "b2"], "a1 b2"),
    ([], ""),
  ])
  func isPythons(tokens: [String], expected: String) {
    var text = CourseText()
    for token in tokens { text.append(token.utf8) }
    #expect(String(decoding: text.bytes, as: UTF8.self) == expected)
  }
}
