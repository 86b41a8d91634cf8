import Foundation

extension [Double] {
  /// The mean; NaN if there are no values.
  public var mean: Double { reduce(0, +) / Double(count) }

  /// The sample standard deviation; 0 for a single value.
  public var standardDeviation: Double {
    guard count > 1 else { return 0 }
    let mean = mean
    let squares = map { ($0 - mean) * ($0 - mean) }
    return (squares.reduce(0, +) / Double(count - 1)).squareRoot()
  }

  /// The mean with four decimals, and the standard deviation if there are several values:
  /// `0.7466 ± 0.0021`.
  public var meanAndDeviation: String {
    let text = String(format: "%.4f", mean)
    return count > 1 ? text + String(format: " ± %.4f", standardDeviation) : text
  }
}
