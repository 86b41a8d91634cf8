import ArgumentParser

/// How many of the batches to use: a count, such as `2`, or a fraction, such as `0.1`.
///
/// As in PyTorch Lightning, `1` is one batch and `1.0` is all of them.
public enum BatchLimit: Equatable, Sendable {
  /// So many batches.
  case count(Int)
  /// This share of the batches, rounded down.
  case fraction(Double)

  /// All batches.
  public static let all = BatchLimit.fraction(1)

  /// How many of `available` batches that is.
  public func batches(of available: Int) -> Int {
    switch self {
    case .count(let count): min(count, available)
    case .fraction(let fraction): Int(Double(available) * fraction)
    }
  }
}

extension BatchLimit: ExpressibleByArgument {
  /// A whole number of at least 0, or a number with a point in 0…1.
  public init?(argument: String) {
    if let count = Int(argument) {
      guard count >= 0 else { return nil }
      self = .count(count)
    } else if let fraction = Double(argument), (0...1).contains(fraction) {
      self = .fraction(fraction)
    } else {
      return nil
    }
  }

  public var defaultValueDescription: String {
    switch self {
    case .count(let count): "\(count)"
    case .fraction(let fraction): "\(fraction)"
    }
  }
}
