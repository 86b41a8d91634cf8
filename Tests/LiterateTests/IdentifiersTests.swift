import Literate
import Testing

struct IdentifiersTests {
  @Test(
    arguments: [
      ("Look at the data", "look-at-the-data"), ("28×28 pixels!", "28-28-pixels"), ("—", "section"),
      ("", "section"), ("a_b", "a_b"), ("facts", "facts-2"),
      (String(repeating: "x", count: 100), String(repeating: "x", count: 56)),
    ])
  func fromText(text: String, expected: String) {
    var identifiers = Identifiers(reserved: ["facts"])
    #expect(identifiers.next(for: text) == expected)
  }

  @Test(
    arguments: [
      ("데이터 보기", "데이터-보기"), ("손글씨", "손글씨"), ("CNN을 학습하기", "cnn을-학습하기"),
      // One letter in two pieces.
      ("e\u{301}te\u{301}", "\u{E9}t\u{E9}"), ("🙂", "section"),
      // 56 letters of 3 bytes.
      (String(repeating: "가", count: 90), String(repeating: "가", count: 56)),
      // Letters with many marks: the name of a file has at most 255 bytes.
      (
        String(repeating: "a" + String(repeating: "\u{335}", count: 9), count: 20),
        String(repeating: "a" + String(repeating: "\u{335}", count: 9), count: 8)
      ),
    ])
  func keepsLettersOfAllScripts(text: String, expected: String) {
    var identifiers = Identifiers()
    #expect(Array(identifiers.next(for: text).utf8) == Array(expected.utf8))
  }

  /// The identifiers of cells in a Jupyter notebook have at most 64 characters of ASCII.
  @Test func asciiIdentifiersDifferForDifferentTitles() {
    var identifiers = Identifiers(isASCII: true)
    let titles = ["데이터 보기", "데이터", "CNN 학습", "데이터", "plain", String(repeating: "가a ", count: 90)]
    let given = titles.map { identifiers.next(for: $0) }
    #expect(Set(given).count == titles.count)
    #expect(given[3] == given[1] + "-2")
    #expect(given[4] == "plain")
    #expect(given[2].hasPrefix("cnn-"))
    for identifier in given {
      #expect(identifier.wholeMatch(of: /[a-zA-Z0-9_-]{1,64}/) != nil, "\(identifier)")
    }
    // The same in every run.
    #expect(given[0] == "section-9548b01a")
  }

  @Test func areUnique() {
    var identifiers = Identifiers()
    let given = ["a", "a", "a-2", "A!", "a"].map { identifiers.next(for: $0) }
    #expect(given == ["a", "a-2", "a-2-2", "a-3", "a-4"])
  }
}
