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

  @Test func areUnique() {
    var identifiers = Identifiers()
    let given = ["a", "a", "a-2", "A!", "a"].map { identifiers.next(for: $0) }
    #expect(given == ["a", "a-2", "a-2-2", "a-3", "a-4"])
  }
}
