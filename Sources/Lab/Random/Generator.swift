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
  /// Normal numbers are drawn in pairs: the second one, until it is used.
  private let spareNormal = Mutex<Double?>(nil)

  /// The default generator of initial weights, dropout masks and shuffling: PyTorch's global
  /// generator, seeded by ``manualSeed(_:)``.
  ///
  /// A part of a program can use another one:
  ///
  /// ```swift
  /// let model = Generator.$shared.withValue(Generator(seed: 42)) { CNN(data.config) }
  /// ```
  @TaskLocal public static var shared = Generator(seed: 0)

  /// A generator in the state of `torch.Generator().manual_seed(seed)`.
  public init(seed: UInt64) {
    twister = Mutex(MersenneTwister(seed: UInt32(truncatingIfNeeded: seed)))
  }

  /// Resets the generator to the state of `manual_seed(seed)`.
  public func seed(_ seed: UInt64) {
    twister.withLock { $0 = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed)) }
    spareNormal.withLock { $0 = nil }
  }

  /// The whole state of a generator.
  package struct State: Codable, Equatable, Sendable {
    fileprivate let twister: MersenneTwister
    fileprivate let spareNormal: Double?
  }

  /// The current state, which determines all later numbers.
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
    twister.withLock { $0.next64() }
  }

  /// ``word64()`` several times, with no draw of another thread in between.
  package func words64(_ count: Int) -> [UInt64] {
    twister.withLock { twister in (0..<count).map { _ in twister.next64() } }
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
  ///   - count: The number of numbers.
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

  /// A normally distributed number, as PyTorch draws one in double precision.
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

extension Generator {
  /// `count` normally distributed numbers, as `Tensor.normal_(mean, std)` draws them on an x86-64
  /// processor.
  ///
  /// PyTorch uses the Box–Muller transform: for 16 numbers or more in single precision, eight pairs
  /// at a time, with logarithm, sine and cosine of the Cephes library; for fewer numbers in double
  /// precision.
  ///
  /// ```swift
  /// Generator(seed: 42).normal(count: 16)[0]  // 1.9269153, as torch.randn(16)[0]
  /// ```
  ///
  /// - Parameters:
  ///   - count: The number of numbers.
  ///   - mean: The mean.
  ///   - std: The standard deviation.
  /// - Complexity: O(count)
  ///
  /// Source: Box and Muller, "A Note on the Generation of Random Normal Deviates", Annals of
  /// Mathematical Statistics 29 (1958).
  public func normal(count: Int, mean: Double = 0, std: Double = 1) -> [Float] {
    guard count >= 16 else {
      return (0..<count).map { _ in Float(normalNumber() * std + mean) }
    }
    var numbers = uniform(count: count, 0, 1)
    for first in stride(from: 0, through: count - 16, by: 16) {
      makeNormal(&numbers, at: first, Float(mean), Float(std))
    }
    if count % 16 > 0 {
      // The last 16 numbers are drawn again, including those that were drawn already.
      numbers.replaceSubrange(count - 16..<count, with: uniform(count: 16, 0, 1))
      makeNormal(&numbers, at: count - 16, Float(mean), Float(std))
    }
    return numbers
  }
}

/// Transforms 16 uniform numbers in 0..<1 to normal ones.
private func makeNormal(_ numbers: inout [Float], at first: Int, _ mean: Float, _ std: Float) {
  for index in first..<first + 8 {
    let radius = (-2 * logarithm(1 - numbers[index])).squareRoot()
    let (sine, cosine) = sineAndCosine(Float(2 * Double.pi) * numbers[index + 8])
    numbers[index] = mean.addingProduct(radius * cosine, std)
    numbers[index + 8] = mean.addingProduct(radius * sine, std)
  }
}

/// The natural logarithm of a positive number, by the polynomial of Cephes' `logf`.
private func logarithm(_ number: Float) -> Float {
  // number = x · 2^exponent with x in √½..<√2
  var exponent = Float(Int(number.bitPattern >> 23) - 126)
  var x = Float(bitPattern: number.bitPattern & 0x7f_ffff | Float(0.5).bitPattern)
  if x < Float(0.5).squareRoot() {
    exponent -= 1
    x += x
  }
  x -= 1
  let polynomial = horner(
    x,
    [
      7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
      -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    ])
  // ln 2 is split into two parts for precision.
  let square = x * x
  let rest = (exponent * -2.12194440e-4).addingProduct(polynomial * x, square)
    .addingProduct(-0.5, square)
  return (x + rest).addingProduct(exponent, 0.693359375)
}

/// The sine and the cosine of an angle of at least 0, by the polynomials of Cephes' `sinf`.
private func sineAndCosine(_ angle: Float) -> (Float, Float) {
  // angle = x + octant · π/4 with an even octant; π/4 is split into three parts for precision.
  let octant = (Int(angle * 1.27323954473516) + 1) & ~1
  let x = angle.addingProduct(Float(octant), -0.78515625)
    .addingProduct(Float(octant), -2.4187564849853515625e-4)
    .addingProduct(Float(octant), -3.77489497744594108e-8)
  let square = x * x
  let cosine =
    (square * -0.5).addingProduct(
      horner(square, [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]) * square,
      square) + 1
  let sine = x.addingProduct(
    horner(square, [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]) * square, x)
  let isTurned = octant & 2 != 0
  return (
    (octant & 4 == 0 ? 1 : -1) * (isTurned ? cosine : sine),
    ((octant + 2) & 4 == 0 ? 1 : -1) * (isTurned ? sine : cosine)
  )
}

/// The value of a polynomial; the coefficient of the highest power comes first.
private func horner(_ x: Float, _ coefficients: [Float]) -> Float {
  coefficients.dropFirst().reduce(coefficients[0]) { $1.addingProduct($0, x) }
}
