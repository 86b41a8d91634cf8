import Literate
import Testing

struct TextComparisonTests {
  @Test func equalTextsMatch() {
    #expect(TextComparison().differences(expected: "a 1\nb", actual: "a 1\nb") == [])
  }

  @Test func endsOfLinesAsOnWindowsAreEqual() {
    #expect(
      TextComparison().differences(expected: "\u{FEFF}a 1\r\nb\r\n", actual: "a 1\nb\n") == [])
    #expect(
      TextComparison().differences(expected: "a\r\nb", actual: "a\nc")
        == ["line 2: expected “b”, got “c”"])
  }

  @Test func withoutToleranceNumbersMustBeEqual() {
    #expect(
      TextComparison().differences(expected: "loss 1.0\nb", actual: "loss 1.1\nb\n")
        == ["line 1: expected “loss 1.0”, got “loss 1.1”", "expected 2 lines, got 3"])
  }

  @Test(arguments: [
    ("loss=1.00, acc=0.5", "loss=1.09, acc=0.45", true),
    ("loss=1.00, acc=0.5", "loss=1.11, acc=0.5", false),
    ("loss=1.00", "lose=1.00", false),
    ("1e-3 -2", "0.002 -2.05", true),
    ("1", "nan", false),
    ("1 2", "1 2 3", false),
  ])
  func numbersMayDifferByTheTolerance(expected: String, actual: String, isSame: Bool) {
    let comparison = TextComparison(tolerance: 0.1)
    #expect(comparison.differences(expected: expected, actual: actual).isEmpty == isSame)
  }

  @Test(arguments: [(0.5, true), (0.25, true), (0.2, false), (0, false)])
  func aShareOfNumbersMayDifferByMore(share: Double, isSame: Bool) {
    let comparison = TextComparison(tolerance: .init(share: share))
    let (expected, actual) = ("[ 4, 54]\n[54,  4]", "[54, 54]\n[54,  4]")
    #expect(comparison.differences(expected: expected, actual: actual).isEmpty == isSame)
    #expect(comparison.differences(expected: "(4)", actual: "[4]") != [])
  }

  @Test func numbersBeyondTheToleranceAreNamed() {
    #expect(
      TextComparison(tolerance: 0.1).differences(expected: "x 1.0\ny 2", actual: "x 1.5\ny 2")
        == ["line 1: expected “x 1.0”, got “x 1.5”"])
  }

  @Test func ignoredLinesAreNotCompared() {
    let comparison = TextComparison(ignoring: ["Processor: "])
    #expect(comparison.differences(expected: "Processor: a", actual: "Processor: b 2") == [])
    #expect(comparison.differences(expected: "Processor: a", actual: "other").count == 1)
  }
}
