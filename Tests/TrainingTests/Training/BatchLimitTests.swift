import Lab
import Testing

struct BatchLimitTests {
  @Test(arguments: [
    ("2", 2), ("1", 1), ("0", 0), ("1000", 50), ("1.0", 50), ("0.5", 25), ("0.01", 0), ("0.0", 0),
  ])
  func aCountOrAFraction(text: String, batches: Int) throws {
    #expect(try #require(BatchLimit(argument: text)).batches(of: 50) == batches)
  }

  @Test(arguments: ["-1", "1.5", "-0.5", "nan", "two", ""])
  func anythingElseIsRefused(text: String) {
    #expect(BatchLimit(argument: text) == nil)
  }
}
