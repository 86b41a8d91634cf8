/// NumPy's legacy generator, `numpy.random.RandomState`: the same numbers from the same seed.
///
/// ```swift
/// var random = RandomState(seed: 42)
/// random.integer(below: 10)           // 6, as numpy.random.RandomState(42).randint(10)
/// random.uniform(0, 1)                // 0.7965429868602328
/// ```
///
/// Each draw takes as many words from the stream as in NumPy: an integer below 1 takes none, a uniform
/// number takes two even if both bounds are equal.
public struct RandomState: Sendable, Equatable {
  private var twister: MersenneTwister

  /// A generator in the state of `numpy.random.seed(seed)`.
  public init(seed: UInt32) {
    twister = MersenneTwister(seed: seed)
  }

  /// The next 32 bits of the stream.
  public mutating func word() -> UInt32 {
    twister.next()
  }

  /// An integer in `0..<bound`, as `randint(bound)` and `choice(bound)` draw it: words are masked
  /// with the smallest all-ones mask, and drawn again while they are larger than `bound - 1`.
  ///
  /// - Parameter bound: The exclusive upper bound, at least 1.
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "integer(below:): expected a bound of at least 1, got \(bound)")
    let largest = UInt64(bound - 1)
    if largest == 0 { return 0 }
    let mask = UInt64.max >> largest.leadingZeroBitCount
    if largest <= UInt64(UInt32.max) {
      while true {
        let word = UInt64(twister.next()) & mask
        if word <= largest { return Int(word) }
      }
    }
    while true {
      let high = UInt64(twister.next())
      let word = (high << 32 | UInt64(twister.next())) & mask
      if word <= largest { return Int(word) }
    }
  }

  /// `count` integers in `0..<bound` with replacement, as `choice(bound, count)` draws them.
  ///
  /// - Parameters:
  ///   - bound: The exclusive upper bound, at least 1.
  ///   - count: The number of integers.
  public mutating func choice(below bound: Int, count: Int) -> [Int] {
    (0..<count).map { _ in integer(below: bound) }
  }

  /// A number in `low..<high`, as `uniform(low, high)` draws it, with 53 random bits.
  ///
  /// - Parameters:
  ///   - low: The lower bound.
  ///   - high: The upper bound.
  public mutating func uniform(_ low: Double, _ high: Double) -> Double {
    let a = twister.next() >> 5
    let b = twister.next() >> 6
    let unit = (Double(a) * 67_108_864 + Double(b)) / 9_007_199_254_740_992
    return low + (high - low) * unit
  }
}

extension RandomState: Codable {}
