import Kernels
import Testing

struct DropoutRuleTests {
  @Test(arguments: [0.1, 0.25, 0.5, 0.9], [0 as UInt64, 1, 0xdead_beef_0123_4567])
  func dropsTheRequestedShare(probability: Double, seed: UInt64) {
    let rule = DropoutRule(probability: probability, seed: seed)
    let kept = (0..<100_000).count { rule.keeps($0) }
    #expect(abs(Double(kept) / 100_000 - (1 - probability)) < 0.005)
    #expect(rule.scale == Float(1 / (1 - probability)))
  }

  @Test func neighborsAndSeedsAreIndependent() {
    // Two independent fair coins agree half of the time.
    let seeds = (0..<8).map { DropoutRule(probability: 0.5, seed: $0) }
    let high = DropoutRule(probability: 0.5, seed: 1 << 32)
    for distance in [1, 2, 64, 196, 12544] {
      let alike = (0..<100_000).count { seeds[0].keeps($0) == seeds[0].keeps($0 + distance) }
      #expect(abs(alike - 50_000) < 1000)
    }
    for other in seeds.dropFirst() + [high] {
      let alike = (0..<100_000).count { seeds[0].keeps($0) == other.keeps($0) }
      #expect(abs(alike - 50_000) < 1000)
    }
  }
}
