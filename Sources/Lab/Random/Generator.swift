import Foundation
import Synchronization

/// PyTorch's generator on the CPU, `torch.Generator`: the same numbers from the same seed.
///
/// A generator is shared by reference and may be used from any thread.
///
/// ```swift
/// let generator = Generator(seed: 42)
/// generator.permutation(of: 5)  // [2, 4, 3, 0, 1], as torch.randperm(5, generator=generator)
/// ```
public final class Generator: Sendable {
  private let twister: Mutex<MersenneTwister>
  /// Normal numbers come in pairs: the second one, until it is asked for.
  private let spareNormal = Mutex<Double?>(nil)

  /// The generator that layers draw initial weights and dropout masks from unless they are given
  /// another one: PyTorch's global generator, seeded by ``manualSeed(_:)``.
  ///
  /// A part of a program can have one of its own:
  ///
  /// ```swift
  /// let model = Generator.$shared.withValue(Generator(seed: 42)) { CNN(data.config) }
  /// ```
  @TaskLocal public static var shared = Generator(seed: 0)

  /// The state that `torch.Generator().manual_seed(seed)` sets.
  public init(seed: UInt64) {
    twister = Mutex(MersenneTwister(seed: UInt32(truncatingIfNeeded: seed)))
  }

  /// Puts the generator into the state that `manual_seed(seed)` sets.
  public func seed(_ seed: UInt64) {
    twister.withLock { $0 = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed)) }
    spareNormal.withLock { $0 = nil }
  }

  /// All that the numbers to come depend on.
  package struct State: Codable, Equatable, Sendable {
    fileprivate let twister: MersenneTwister
    fileprivate let spareNormal: Double?
  }

  /// Where the generator is in its stream.
  package var state: State {
    get { State(twister: twister.withLock { $0 }, spareNormal: spareNormal.withLock { $0 }) }
    set {
      twister.withLock { $0 = newValue.twister }
      spareNormal.withLock { $0 = newValue.spareNormal }
    }
  }

  /// The next 32 bits of the stream.
  public func word() -> UInt32 {
    twister.withLock { $0.next() }
  }

  /// The next 64 bits of the stream: the first word drawn is the upper half.
  public func word64() -> UInt64 {
    twister.withLock {
      let high = UInt64($0.next())
      return high << 32 | UInt64($0.next())
    }
  }

  /// A permutation of `0..<count`, as `torch.randperm(count)` draws it.
  ///
  /// - Complexity: O(count)
  public func permutation(of count: Int) -> [Int] {
    var result = Array(0..<count)
    twister.withLock { twister in
      for index in 0..<max(0, count - 1) {
        result.swapAt(index, index + Int(twister.next()) % (count - index))
      }
    }
    return result
  }

  /// `count` numbers in `low..<high`, as `Tensor.uniform_(low, high)` draws them, with 24 random
  /// bits each.
  ///
  /// - Parameters:
  ///   - count: How many to draw.
  ///   - low: The lower bound.
  ///   - high: The upper bound.
  /// - Complexity: O(count)
  public func uniform(count: Int, _ low: Float, _ high: Float) -> [Float] {
    twister.withLock { twister in
      (0..<count).map { _ in
        let unit = Double(twister.next() & 0xff_ffff) / 16_777_216
        return Float(unit * Double(high - low) + Double(low))
      }
    }
  }

  /// A normally distributed number, as PyTorch draws it in double precision.
  func normalNumber() -> Double {
    spareNormal.withLock { spare in
      if let number = spare {
        spare = nil
        return number
      }
      let (angle, unit) = (2 * Double.pi * unitNumber(), unitNumber())
      let radius = (-2 * log1p(-unit)).squareRoot()
      spare = radius * sin(angle)
      return radius * cos(angle)
    }
  }

  /// A number in 0..<1 with 53 random bits.
  private func unitNumber() -> Double {
    Double(word64() & (1 << 53 - 1)) / 0x1p53
  }
}

/// Seeds the shared generator, as `torch.manual_seed(seed)` seeds PyTorch's.
public func manualSeed(_ seed: UInt64) {
  Generator.shared.seed(seed)
}
