import Lab
import Testing

@Suite struct MersenneTwisterTests {
  // np.random.RandomState(seed).randint(2**32, size=4, dtype=np.uint64)
  @Test(
    arguments: [
      (42, [1_608_637_542, 3_421_126_067, 4_083_286_876, 787_846_414]),
      (0, [2_357_136_044, 2_546_248_239, 3_071_714_933, 3_626_093_760]),
      (.max, [419_326_371, 479_346_978, 3_918_654_476, 2_416_749_639]),
    ] as [(UInt32, [UInt32])])
  func firstWords(seed: UInt32, expected: [UInt32]) {
    var twister = MersenneTwister(seed: seed)
    #expect((0..<4).map { _ in twister.next() } == expected)
  }

  // np.random.RandomState(42).randint(2**32, size=100000, dtype=np.uint64)[[623, 624, 99999]]
  @Test func wordsAfterTheStateIsRegenerated() {
    var twister = MersenneTwister(seed: 42)
    let words = (0..<100_000).map { _ in twister.next() }
    #expect(
      [words[623], words[624], words[99_999]] == [1_077_437_785, 108_880_612, 3_756_924_365])
  }
}
