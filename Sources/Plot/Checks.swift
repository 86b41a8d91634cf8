import ImageFiles

/// The largest number of pixels that are drawn: what is written can be read again.
let largestPixelCount = FileImage.largestPixelCount

/// What is wrong with the input of one call, in one line; `nil` if nothing is.
///
/// ```swift
/// let problem = Checks("plot")
///   .expect(x.count == y.count, "as many x as y", got: "\(x.count) and \(y.count)")
///   .problem
/// ```
struct Checks {
  private let call: String
  private(set) var problem: String?

  /// - Parameter call: The name of the function that was called.
  init(_ call: String) {
    self.call = call
  }

  func expect(
    _ condition: @autoclosure () -> Bool, _ expected: @autoclosure () -> String,
    got: @autoclosure () -> String
  ) -> Checks {
    guard problem == nil, !condition() else { return self }
    var copy = self
    copy.problem = "\(call): expected \(expected()), got \(got())"
    return copy
  }

  /// Line widths in points.
  func expectWidth(_ width: Double) -> Checks {
    expect((0...1000).contains(width), "a linewidth from 0 to 1000", got: "\(width)")
  }

  /// Opacities.
  func expectAlpha(_ alpha: Double) -> Checks {
    expect((0...1).contains(alpha), "an alpha from 0 to 1", got: "\(alpha)")
  }

  /// Diameters of markers in points.
  func expectMarkersize(_ size: Double) -> Checks {
    expect((0...1000).contains(size), "a markersize from 0 to 1000", got: "\(size)")
  }

  /// Values of which none may be missing.
  func expectDrawable(_ values: [Double], _ name: String) -> Checks {
    let wrong = values.first { !isDrawable($0) }
    return expect(
      wrong == nil, "\(name) between −1e300 and 1e300", got: "\(wrong ?? 0)")
  }

  /// As many elements as another array has.
  func expectCounts(_ first: Int, _ second: Int, _ names: String) -> Checks {
    expect(first == second, "as many \(names)", got: "\(first) and \(second)")
  }

  /// Font sizes in points.
  func expectFontsize(_ size: Double) -> Checks {
    expect((1...1000).contains(size), "a fontsize from 1 to 1000", got: "\(size)")
  }

  /// Positions in data coordinates.
  func expectPositions(_ points: [(x: Double, y: Double)]) -> Checks {
    let wrong = points.first { !isDrawable($0.x) || !isDrawable($0.y) }
    return expect(
      wrong == nil, "positions between −1e300 and 1e300",
      got: "(\(wrong?.x ?? 0), \(wrong?.y ?? 0))")
  }

  /// Limits of a color scale.
  func expectRange(_ range: ClosedRange<Double>?) -> Checks {
    expect(
      range.map { isDrawable($0.lowerBound) && isDrawable($0.upperBound) } ?? true,
      "a range between −1e300 and 1e300",
      got: range.map { "\($0.lowerBound)...\($0.upperBound)" } ?? "")
  }

  /// Numbers of decimals.
  func expectDecimals(_ decimals: Int?) -> Checks {
    expect(
      (0...20).contains(decimals ?? 0), "from 0 to 20 decimals", got: "\(decimals ?? 0)")
  }

  /// A matrix and the names of its rows and columns.
  func expectMatrix(
    _ values: [[Double]], xticklabels: [String], yticklabels: [String]
  ) -> Checks {
    let columns = values.first?.count ?? 0
    let odd = values.first { $0.count != columns }
    return
      expect(columns > 0, "a matrix of at least one row and column", got: "none")
      .expect(
        odd == nil, "rows of equal length", got: "\(columns) and \(odd?.count ?? 0)"
      )
      .expect(
        [0, columns].contains(xticklabels.count), "a tick label for each of \(columns) columns",
        got: "\(xticklabels.count)"
      )
      .expect(
        [0, values.count].contains(yticklabels.count),
        "a tick label for each of \(values.count) rows", got: "\(yticklabels.count)")
  }

  /// The series of a bar chart.
  func expectBars(_ labels: [String], _ series: [BarSeries], stacked: Bool) -> Checks {
    let uneven = series.first { $0.values.count != labels.count }
    let lacking = series.first { ![0, $0.values.count].contains($0.errors.count) }
    let checks = expect(!labels.isEmpty, "at least one label", got: "none")
      .expect(!series.isEmpty, "at least one series", got: "none")
      .expect(
        uneven == nil, "a value for each of \(labels.count) labels",
        got: "\(uneven?.values.count ?? 0)"
      )
      .expect(
        lacking == nil, "an error for each of \(labels.count) values or none",
        got: "\(lacking?.errors.count ?? 0)")
    guard checks.problem == nil else { return checks }
    let value = series.lazy.flatMap(\.values).first { !(abs($0) <= 1e300) }
    let error = series.lazy.flatMap(\.errors).first { !(0...1e300).contains($0) }
    return
      checks
      .expect(value == nil, "values between −1e300 and 1e300", got: "\(value ?? 0)")
      .expect(error == nil, "errors from 0 to 1e300", got: "\(error ?? 0)")
      // Sums of many values stay finite.
      .expect(
        !stacked || series.count <= 1_000_000, "at most 1000000 series", got: "\(series.count)")
  }
}

extension Int {
  /// The nearest whole number toward zero within ±10⁹; 0 for NaN.
  ///
  /// Positions far outside the canvas do not fit an `Int`.
  init(clamping value: Double) {
    self = value.isNaN ? 0 : Int(Swift.min(Swift.max(value, -1e9), 1e9))
  }
}
