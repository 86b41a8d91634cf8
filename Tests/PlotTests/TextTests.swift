import Plot
import Testing

struct TextTests {
  @Test(
    arguments: [
      (" ", "␣"),
      ("a b", "a b"),
      ("Correct:  , Pred:  ", "Correct: ␣, Pred: ␣"),
      (" a\n b ", "␣a\n␣b␣"),
      ("a\tb", "a b"),
      ("", ""),
    ])
  func invisibleSpacesAreShown(text: String, shown: String) {
    #expect(showingSpaces(text) == shown)
  }

  @Test(
    arguments: [
      ("one two three", 7.0, ["one two", "three"], false),
      ("one two three", 13, ["one two three"], false),
      ("one two three", 3, ["one", "two", "thr", "ee"], true),
      ("one twothreefour", 6, ["one", "twothr", "eefour"], true),
      ("one\n\ntwo\r\nx y", 9, ["one", "", "two", "x y"], false),
      ("wide", 0, ["w", "i", "d", "e"], true),
      ("", 5, [], false),
    ])
  func linesBreakAtSpaces(text: String, width: Double, lines: [String], broken: Bool) {
    let paragraph = Paragraph(text, width: width) { Double($0.count) }
    #expect(paragraph.lines == lines)
    #expect(paragraph.hasBrokenWords == broken)
  }

  @Test func truncatedTextEndsInAnEllipsis() {
    var paragraph = Paragraph("one two three four", width: 7) { Double($0.count) }
    #expect(paragraph.lines == ["one two", "three", "four"])
    paragraph.cut(to: 3, width: 7) { Double($0.count) }
    #expect(paragraph.lines == ["one two", "three", "four"])
    paragraph.cut(to: 2, width: 7) { Double($0.count) }
    #expect(paragraph.lines == ["one two", "three…"])
    paragraph.cut(to: 1, width: 7) { Double($0.count) }
    #expect(paragraph.lines == ["one tw…"])
  }

  @Test(
    arguments: [
      (0.5, 2, "0.50"), (-0.5, 1, "−0.5"), (-0.001, 2, "0.00"), (0, 0, "0"), (-12, 0, "−12"),
    ])
  func decimalsHaveTypographicMinusSigns(value: Double, count: Int, text: String) {
    #expect(decimal(value, count) == text)
  }
}
