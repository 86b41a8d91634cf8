import Foundation

/// How values are spread along an axis, as matplotlib's `set_xscale`.
public enum AxisScale: Sendable {
  case linear
  /// Logarithmic, with ticks at powers of ten: equal distances are equal ratios. All values must be above
  /// 0.
  case log

  /// The position of a value, up to the choice of unit and origin.
  func position(of value: Double) -> Double { self == .log ? log10(value) : value }

  /// The value at a position.
  func value(at position: Double) -> Double { self == .log ? pow(10, position) : position }
}

extension Ticks {
  /// The ticks of a logarithmic axis: powers of ten, or round numbers if there are fewer than two.
  ///
  /// ```swift
  /// Ticks(logarithmic: 0.5...2e3, atMost: 9).labels    // 10⁰, 10¹, 10², 10³
  /// Ticks(logarithmic: 0.5...8, atMost: 9).labels      // 0.5, 1, 2, 5
  /// ```
  ///
  /// Where not all powers of ten have room, every second one is labeled, or every third, and so on.
  ///
  /// - Parameters:
  ///   - range: The limits of the axis, above 0.
  ///   - count: The maximum number of steps.
  package init(logarithmic range: ClosedRange<Double>, atMost count: Int) {
    let ends = [log10(range.lowerBound) - 1e-9, log10(range.upperBound) + 1e-9]
    let (first, last) = (Int(clamping: ends[0].rounded(.up)), Int(clamping: ends[1].rounded(.down)))
    func within(_ factors: [Double]) -> [Double] {
      (first - 1...max(first, last)).flatMap { power in factors.map { $0 * pow(10, Double(power)) }
      }
      .filter { (ends[0]...ends[1]).contains(log10($0)) }
    }
    if last > first {
      let step = max(1, (last - first + max(count, 1) - 1) / max(count, 1))
      let powers = (first...last).filter { $0 % step == 0 }
      self.init(
        powers.map { pow(10, Double($0)) }, labels: powers.map { "10" + superscript($0) },
        minor: step > 1
          ? (first...last).filter { $0 % step != 0 }.map { pow(10, Double($0)) }
          : within((2...9).map(Double.init)))
      return
    }
    let round = within([1, 2, 5])
    if round.count >= 3 {
      let step = (round.count + count) / (count + 1)
      let values = stride(from: 0, to: round.count, by: max(step, 1)).map { round[$0] }
      self.init(
        values, labels: values.map(plain),
        minor: within((1...9).map(Double.init)).filter { !values.contains($0) })
    } else {
      self.init(range, atMost: count)
    }
  }

  /// Ticks at given values, each labeled with its value.
  ///
  /// - Parameter sharesDecimals: Whether all labels have the decimals that one of them needs.
  package init(at values: [Double], sharesDecimals: Bool) {
    let largest = values.map(abs).max() ?? 0
    let isCommon = sharesDecimals && largest < 1e6 && largest >= 1e-4
    let count = min(values.map(decimals).max() ?? 0, 6)
    self.init(
      values, labels: values.map { isCommon ? decimal($0, count) : plain($0) }, minor: [])
  }
}

/// A number with as many decimals as it needs; with an exponent from 10⁶ and below 10⁻⁴.
private func plain(_ value: Double) -> String {
  guard value != 0 else { return "0" }
  guard (1e-4..<1e6).contains(abs(value)) else {
    let power = log10(abs(value)).rounded(.down)
    // 10³⁰⁸ is the largest power of ten.
    let mantissa = value / pow(10, power)
    return decimal(mantissa, min(decimals(of: mantissa), 6)) + "e" + decimal(power, 0)
  }
  return decimal(value, decimals(of: value))
}

/// The number of decimals that a number needs, at most 12.
private func decimals(of value: Double) -> Int {
  (0..<12).first { digits in
    let scaled = abs(value) * pow(10, Double(digits))
    return abs(scaled - scaled.rounded()) <= 1e-9 * scaled
  } ?? 12
}

private func superscript(_ number: Int) -> String {
  let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
  return String(
    String(number).map { character in
      character == "-" ? "⁻" : digits[character.wholeNumberValue ?? 0]
    })
}

/// Ticks set by the user.
struct HandTicks: Sendable {
  let values: [Double]
  /// As many as values; empty for the values themselves.
  let labels: [String]
}
