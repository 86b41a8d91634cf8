/// The Mersenne Twister MT19937, the source of bits of both NumPy's `RandomState` and PyTorch's
/// `Generator` on the CPU.
///
/// ```swift
/// var twister = MersenneTwister(seed: 42)
/// twister.next()  // 1608637542
/// twister.next()  // 3421126067
/// ```
///
/// Source: Matsumoto and Nishimura, "Mersenne Twister: A 623-Dimensionally Equidistributed Uniform
/// Pseudo-Random Number Generator", ACM TOMACS 8 (1998), with the initialization of 2002.
public struct MersenneTwister: Sendable, Equatable {
  private static let size = 624
  private static let shift = 397

  private var state: [UInt32]
  private var position: Int

  /// A generator in the state of NumPy's and PyTorch's from the same integer seed.
  public init(seed: UInt32) {
    state = [seed]
    state.reserveCapacity(Self.size)
    for index in 1..<Self.size {
      let last = state[index - 1]
      state.append(1_812_433_253 &* (last ^ (last >> 30)) &+ UInt32(index))
    }
    position = Self.size
  }

  /// The next 32 bits.
  public mutating func next() -> UInt32 {
    if position == Self.size { twist() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9d2c_5680
    word ^= (word << 15) & 0xefc6_0000
    return word ^ (word >> 18)
  }

  /// The next 64 bits: the first word drawn is the upper half.
  mutating func next64() -> UInt64 {
    let high = UInt64(next())
    return high << 32 | UInt64(next())
  }

  private mutating func twist() {
    var words = state.mutableSpan
    for index in 0..<Self.size {
      let upper = words[index] & 0x8000_0000
      let lower = words[index + 1 < Self.size ? index + 1 : 0] & 0x7fff_ffff
      let word = upper | lower
      let far = index + Self.shift
      words[index] =
        words[far < Self.size ? far : far - Self.size] ^ (word >> 1)
        ^ (word & 1 == 0 ? 0 : 0x9908_b0df)
    }
    position = 0
  }
}

extension MersenneTwister: Codable {
  private enum CodingKeys: String, CodingKey { case state, position }

  /// - Throws: A `DecodingError` if the numbers are not a state of a Mersenne Twister.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    state = try values.decode([UInt32].self, forKey: .state)
    position = try values.decode(Int.self, forKey: .position)
    guard state.count == Self.size, (0...Self.size).contains(position) else {
      throw DecodingError.dataCorruptedError(
        forKey: .state, in: values, debugDescription: "a state has \(Self.size) words")
    }
  }
}
