import Lab
import Testing

@Suite struct GeneratorTests {
  // g = torch.Generator().manual_seed(42)
  // torch.randperm(n, generator=g), torch.empty((), dtype=torch.int64).random_(generator=g)
  @Test(
    arguments: [
      (0, [], 6_909_045_637_428_952_499),
      (1, [0], 6_909_045_637_428_952_499),
      (2, [0, 1], 5_470_252_540_486_615_900),
      (5, [2, 4, 3, 0, 1], 4_279_532_810_384_561_223),
      (10, [2, 6, 1, 8, 4, 5, 0, 9, 3, 7], 8_224_162_778_172_047_826),
    ] as [(Int, [Int], UInt64)])
  func permutations(count: Int, expected: [Int], next: UInt64) {
    let generator = Generator(seed: 42)
    #expect(generator.permutation(of: count) == expected)
    #expect(generator.word64() & (1 << 63 - 1) == next)
  }

  // p = torch.randperm(n, generator=torch.Generator().manual_seed(42))
  // p[:5], p[-5:], int((p * torch.arange(1, n + 1)).sum())
  @Test(
    arguments: [
      (
        60_000, [37542, 43087, 2992, 25810, 39634], [44527, 54582, 28045, 16929, 22100],
        53_968_154_258_704
      ),
      (
        325_266, [197172, 314063, 247886, 59431, 232800], [306454, 75403, 109383, 100008, 294776],
        8_594_152_750_961_614
      ),
      (
        1_000_003, [632718, 119226, 282795, 846417, 893173],
        [410190, 810306, 131495, 740785, 204711],
        249_949_546_053_473_376
      ),
    ] as [(Int, [Int], [Int], Int)])
  func largePermutations(count: Int, first: [Int], last: [Int], weighted: Int) {
    let permutation = Generator(seed: 42).permutation(of: count)
    #expect(Array(permutation.prefix(5)) == first)
    #expect(Array(permutation.suffix(5)) == last)
    #expect(permutation.enumerated().reduce(0) { $0 + ($1.offset + 1) * $1.element } == weighted)
  }

  // torch.randperm(8, generator=torch.Generator().manual_seed(seed)): only 32 bits of a seed count
  @Test(
    arguments: [
      (1 << 32 + 42, [6, 3, 0, 7, 2, 1, 4, 5]),
      (1 << 63 - 1, [3, 6, 4, 7, 2, 1, 5, 0]),
      (0, [4, 0, 7, 3, 2, 5, 1, 6]),
    ] as [(UInt64, [Int])])
  func seeds(seed: UInt64, expected: [Int]) {
    #expect(Generator(seed: seed).permutation(of: 8) == expected)
    let generator = Generator(seed: 1)
    generator.seed(seed)
    #expect(generator.permutation(of: 8) == expected)
  }

  // torch.empty(5).uniform_(-1, 1, generator=torch.Generator().manual_seed(42))
  // … .numpy().view(np.uint32)
  @Test func uniformNumbers() {
    let numbers = Generator(seed: 42).uniform(count: 5, -1, 1)
    #expect(
      numbers.map(\.bitPattern)
        == [1_061_402_828, 1_062_501_222, 3_195_004_192, 1_063_987_740, 3_193_986_224])
  }

  // t = torch.empty(100003).uniform_(low, high, generator=torch.Generator().manual_seed(7))
  // b = t.numpy().view(np.uint32).astype(np.uint64)
  // b.sum(), (b * np.arange(1, len(b) + 1, dtype=np.uint64)).sum()
  @Test(
    arguments: [
      (0, 1, 105_277_522_391_317, 5_264_185_441_527_736_999),
      (-0.125, 0.125, 209_727_656_329_322, 10_484_357_816_959_002_438),
      (-1 / 28, 1 / 28, 208_214_529_667_954, 10_408_700_424_243_796_860),
      (-0.3333333, 0.1, 268_959_086_103_630, 13_448_316_806_562_414_956),
      (3, 1000, 113_658_413_183_800, 5_683_251_484_601_910_501),
    ] as [(Float, Float, UInt64, UInt64)])
  func uniformNumbersBitForBit(low: Float, high: Float, sum: UInt64, weighted: UInt64) {
    let bits = Generator(seed: 7).uniform(count: 100_003, low, high).map { UInt64($0.bitPattern) }
    #expect(bits.reduce(0, &+) == sum)
    #expect(
      bits.enumerated().reduce(0) { $0 &+ UInt64($1.offset + 1) &* $1.element } == weighted)
  }
}
