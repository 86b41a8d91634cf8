import Lab
import Testing

@Suite struct ClassBalanceTests {
  // y = np.array([5, 4, 4, 7, 4, 4, 5, 4, 4, 4, 7, 4, 4, 4, 4, 4, 4, 4, 4, 4])
  // np.random.seed(42); n = int(np.bincount(y).mean())  # 2
  // np.concatenate([np.unique(np.random.choice(np.where(y == l)[0], n)) for l in np.unique(y)])
  // np.random.randint(2**32, dtype=np.uint64)
  @Test func drawsAsTheCourse() {
    let labels: [UInt8] = [5, 4, 4, 7, 4, 4, 5, 4, 4, 4, 7, 4, 4, 4, 4, 4, 4, 4, 4, 4]
    var random = RandomState(seed: 42)
    #expect(balance(labels: labels, using: &random) == [5, 9, 0, 3, 10])
    #expect(random.word() == 2_571_218_620)
  }

  @Test func nothingStaysNothing() {
    var random = RandomState(seed: 42)
    #expect(balance(labels: [], using: &random) == [])
    #expect(random == RandomState(seed: 42))
  }
}
