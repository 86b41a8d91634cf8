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
      // An incomplete sequence.
      ("a\u{1B}", "a"),
    ])
  func removesTerminalSequences(text: String, expected: String) {
    #expect(plainText(text) == expected)
  }
}

struct AmountsTests {
  @Test(
    arguments: [
      (0, "0.00 s"), (0.834, "0.83 s"), (9.994, "9.99 s"), (9.996, "10.0 s"), (59.44, "59.4 s"),
      (59.97, "1 min 0 s"), (119.6, "2 min 0 s"), (3599.4, "59 min 59 s"), (3600, "1 h 0 min"),
      (7384, "2 h 3 min"),
    ])
  func durations(seconds: Double, expected: String) {
    #expect(Language.english.duration(seconds) == expected)
  }

  @Test(
    arguments: [
      (812_400_000, "812 MB"), (999_400_000, "999 MB"), (999_600_000, "1.0 GB"),
      (1_250_000_001, "1.3 GB"),
    ])
  func memory(bytes: Int, expected: String) {
    #expect(amountOfMemory(bytes) == expected)
  }
}
