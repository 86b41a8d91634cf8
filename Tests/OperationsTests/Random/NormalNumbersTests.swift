import Lab
import Testing

struct NormalNumbersTests {
  // g = torch.Generator().manual_seed(42)
  // for n in (3, 1, 2, 16, 17, 5):
  //     t = torch.empty(n).normal_(0.5, 2, generator=g)
  //     t.numpy().view(np.uint32).astype(np.uint64).sum()
  // torch.empty((), dtype=torch.int64).random_(generator=g)
  @Test func fewAndManyFromOneStream() {
    let generator = Generator(seed: 42)
    let sums: [(Int, UInt64)] = [
      (3, 3_192_926_232), (1, 1_064_693_302), (2, 4_259_437_011), (16, 25_642_871_043),
      (17, 39_562_297_188), (5, 7_482_205_620),
    ]
    for (count, sum) in sums {
      let numbers = generator.normal(count: count, mean: 0.5, std: 2)
      #expect(numbers.reduce(0) { $0 + UInt64($1.bitPattern) } == sum, "\(count)")
    }
    #expect(generator.word64() & (1 << 63 - 1) == 294_525_462_892_317_236)
  }

  // t = torch.empty(n).normal_(mean, std, generator=torch.Generator().manual_seed(7))
  // b = t.numpy().view(np.uint32).astype(np.uint64)
  // b.sum(), (b * np.arange(1, len(b) + 1, dtype=np.uint64)).sum()
  @Test(
    arguments: [
      (0, 1, 100_003, 213_111_761_558_215, 10_666_182_958_381_354_235),
      (-0.25, 0.05892556509887896, 36_864, 117_790_009_205_335, 2_171_167_869_786_971_105),
      (3, 1000, 160, 365_062_420_848, 28_483_244_564_505),
    ] as [(Double, Double, Int, UInt64, UInt64)])
  func bitForBit(mean: Double, std: Double, count: Int, sum: UInt64, weighted: UInt64) {
    let bits = Generator(seed: 7).normal(count: count, mean: mean, std: std)
      .map { UInt64($0.bitPattern) }
    #expect(bits.reduce(0, &+) == sum)
    #expect(bits.enumerated().reduce(0) { $0 &+ UInt64($1.offset + 1) &* $1.element } == weighted)
  }

  @Test func aSeedRemovesTheSpareNumber() {
    let generator = Generator(seed: 1)
    let first = generator.normal(count: 1)
    generator.seed(1)
    #expect(generator.normal(count: 1) == first)
  }
}
