import Literate
import Testing

struct AmountsTests {
  @Test(
    arguments: [
      (0, "0.00 s"), (0.834, "0.83 s"), (9.994, "9.99 s"), (9.996, "10.0 s"), (59.44, "59.4 s"),
      (59.97, "1 min 0 s"), (119.6, "2 min 0 s"), (3599.4, "59 min 59 s"), (3600, "1 h 0 min"),
      (7384, "2 h 3 min"),
    ])
  func durations(seconds: Double, expected: String) {
    #expect(duration(seconds) == expected)
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
