import Foundation

/// The ticks along an axis, at round numbers.
package struct Ticks: Equatable {
  package let values: [Double]
  package let labels: [String]
  /// The ticks without labels.
  package let minor: [Double]

  init(_ values: [Double], labels: [String], minor: [Double]) {
    (self.values, self.labels, self.minor) = (values, labels, minor)
  }

  /// Multiples of 1, 2, 2.5 or 5 times a power of ten, as in matplotlib.
  ///
  /// ```swift
  /// Ticks(0...1, atMost: 6).labels             // 0.0, 0.2, 0.4, 0.6, 0.8, 1.0
  /// Ticks(0.9871...0.9923, atMost: 6).labels   // 0.988, 0.989, 0.990, 0.991, 0.992
  /// ```
  ///
  /// All labels have as many decimals as the step needs. Values from 10⁶ and below 10⁻⁴ are written
  /// with an exponent: `1.5e6`.
  ///
  /// - Parameters:
  ///   - range: The limits of the axis.
  ///   - count: The maximum number of steps.
  ///   - wholeOnly: Whether ticks must be whole numbers, as for epochs.
  package init(_ range: ClosedRange<Double>, atMost count: Int, wholeOnly: Bool = false) {
    let span = range.upperBound - range.lowerBound
    let least = span / Double(max(count, 1))
    let exponent = log10(least).rounded(.down)
    var steps = [1, 2, 2.5, 5, 10].map { $0 * pow(10, exponent) }
    if wholeOnly {
      steps = steps.filter { $0 >= 1 && $0 == $0.rounded() }
      if least < 1 { steps = [1] }
    }
    let step = steps.first { $0 >= least * (1 - 1e-9) } ?? 10 * pow(10, exponent)
    let (first, last) = (
      (range.lowerBound / step - 1e-9).rounded(.up), (range.upperBound / step + 1e-9).rounded(.down)
    )
    let values = stride(from: first, through: last, by: 1).map { $0 * step }
    self.values = values
    minor = []

    let largest = values.map(abs).max() ?? 0
    let isPower = largest >= 1e6 || (largest > 0 && largest < 1e-4)
    let power = isPower ? Int(log10(largest).rounded(.down)) : 0
    let decimals = Self.decimals(of: step / pow(10, Double(power)))
    let suffix = isPower ? "e" + decimal(Double(power), 0) : ""
    labels = values.map { value in
      let text = decimal(value / pow(10, Double(power)), decimals)
      return abs(value) > step / 2 ? text + suffix : text
    }
  }

  /// The number of decimals that a step needs.
  private static func decimals(of step: Double) -> Int {
    (0..<15).first { digits in
      let scaled = step * pow(10, Double(digits))
      return abs(scaled - scaled.rounded()) < 1e-6 * scaled
    } ?? 15
  }
}
