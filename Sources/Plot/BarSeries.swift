/// One of several series of a bar chart: a bar for each category.
public struct BarSeries: Sendable {
  /// Its name in the legend.
  public let label: String
  /// One number for each category, 0 or more.
  public let values: [Double]
  /// How far error bars reach up and down, one number for each category; or nothing.
  public let errors: [Double]
  /// The bars' colour; the next one of ``Color/cycle``, if left out.
  public let color: Color?

  public init(_ label: String, _ values: [Double], errors: [Double] = [], color: Color? = nil) {
    precondition(
      values.allSatisfy { $0 >= 0 && $0.isFinite }, "bars have lengths of 0 or more")
    precondition(
      errors.isEmpty || errors.count == values.count,
      "a bar chart has as many errors as bars, got \(errors.count) and \(values.count)")
    self.label = label
    self.values = values
    self.errors = errors
    self.color = color
  }
}
