/// How many batches to use: a count, such as `2`, or a fraction, such as `0.1`.
///
/// As in PyTorch Lightning, `1` is one batch and `1.0` is all of them.
public enum BatchLimit: Equatable, Sendable {
  /// This number of batches.
  case count(Int)
  /// This fraction of the batches, rounded down.
  case fraction(Double)

  /// All batches.
  public static let all = BatchLimit.fraction(1)

  /// Whether no batches at all are asked for.
  var isZero: Bool { self == .count(0) || self == .fraction(0) }

  /// The number of batches, of `available` ones.
  public func batches(of available: Int) -> Int {
    switch self {
    case .count(let count): min(count, available)
    case .fraction(let fraction): Int(Double(available) * fraction)
    }
  }
}

extension BatchLimit: CustomStringConvertible {
  /// `2` or `0.1`.
  public var description: String {
    switch self {
    case .count(let count): "\(count)"
    case .fraction(let fraction): "\(fraction)"
    }
  }
}
