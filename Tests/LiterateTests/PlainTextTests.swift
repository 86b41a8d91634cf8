import Literate
import Testing

struct PlainTextTests {
  @Test(
    arguments: [
      ("\u{1B}[1;31mred\u{1B}[0m", "red"),
      ("\u{1B}[2K\u{1B}[?25lbar", "bar"),
      ("\u{1B}]8;;https://example.org\u{1B}\\link\u{1B}]8;;\u{07}", "link"),
      ("\u{1B}(B\u{1B}=a\u{07}b\u{08}\u{00}\u{85}", "ab"),
      ("a\r\nb\tc\n", "a\nb\tc\n"),
      ("[0m é 🙂 ██▏", "[0m é 🙂 ██▏"),
      // The program ended in the middle of a sequence.
      ("a\u{1B}", "a"),
    ])
  func withoutWhatOnlyTerminalsUnderstand(text: String, expected: String) {
    #expect(plainText(text) == expected)
  }
}
