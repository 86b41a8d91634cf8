/// The extent of the data along one axis.
struct Extent {
  /// From the smallest to the largest value; `nil` if there is none.
  var range: ClosedRange<Double>?
  /// The names of the categories at 0, 1, 2, …; `nil` for numbers.
  var categories: [String]?
  /// Whether there are values and all of them are whole numbers.
  var isWhole = false
  /// Ends without a margin, such as 0 for bars.
  var edges: [Double] = []
  /// The pixels needed beyond the largest value.
  var room = 0.0
  /// The pixels needed beyond the smallest value.
  var roomBelow = 0.0
  /// The range of the values above 0, which a logarithmic axis shows.
  var positive: ClosedRange<Double>?
  /// What a logarithmic axis cannot show, such as a value that is not above 0.
  var notLogarithmic: (expected: String, found: String)?

  /// The extent of numbers. Values that cannot be drawn are ignored.
  init(_ values: some Sequence<Double>) {
    let values = values.filter(isDrawable)
    isWhole = !values.isEmpty && values.allSatisfy { $0 == $0.rounded() }
    for value in values {
      range = range.map { min($0.lowerBound, value)...max($0.upperBound, value) } ?? value...value
      if value > 0 {
        // Smaller ones have no logarithm of full precision.
        let value = max(value, 1e-300)
        positive =
          positive.map { min($0.lowerBound, value)...max($0.upperBound, value) } ?? value...value
      } else if notLogarithmic == nil {
        notLogarithmic = ("values above 0", "\(value)")
      }
    }
  }

  /// The extent of categories, one unit wide each.
  ///
  /// - Parameter margin: The margin at both ends, in units.
  init(categories: [String], margin: Double = 0) {
    self.categories = categories
    notLogarithmic = ("numbers", "names")
    let ends = [-0.5 - margin, Double(categories.count) - 0.5 + margin]
    range = ends[0]...ends[1]
    edges = ends
  }

  /// The extent of bars that start at 0, where a logarithmic axis begins below the smallest one.
  ///
  /// - Parameter allowsZero: Whether a logarithmic axis may show no bar for 0.
  func startingAtZero(_ values: [Double], allowsZero: Bool) -> Extent {
    var extent = self
    extent.edges.append(0)
    let refused = values.first { allowsZero ? $0 < 0 : $0 <= 0 }
    extent.notLogarithmic = refused.map { ("values above 0", "\($0)") }
    if let positive {
      let start = max(positive.lowerBound / 2, 1e-300)
      extent.positive = start...positive.upperBound
      if start < positive.lowerBound { extent.edges.append(start) }
    }
    return extent
  }

  /// The extent that covers both.
  func union(_ other: Extent) -> Extent {
    var sum = self
    if let range, let second = other.range {
      sum.range =
        min(range.lowerBound, second.lowerBound)...max(range.upperBound, second.upperBound)
    } else {
      sum.range = range ?? other.range
    }
    if let positive, let second = other.positive {
      sum.positive =
        min(positive.lowerBound, second.lowerBound)...max(positive.upperBound, second.upperBound)
    } else {
      sum.positive = positive ?? other.positive
    }
    sum.notLogarithmic = notLogarithmic ?? other.notLogarithmic
    sum.categories = categories ?? other.categories
    sum.isWhole = range == nil ? other.isWhole : isWhole && (other.range == nil || other.isWhole)
    sum.edges += other.edges
    sum.room = max(room, other.room)
    sum.roomBelow = max(roomBelow, other.roomBelow)
    return sum
  }

  /// The limits of an axis: with matplotlib's margins of 5 %, and with room for text.
  ///
  /// - Parameters:
  ///   - length: The length of the axis in pixels.
  ///   - limits: The limits set by the user; ignored if nothing can be drawn with them.
  func axis(
    length: Int, limits: ClosedRange<Double>?, scale: AxisScale = .linear
  ) -> ClosedRange<Double> {
    if let limits, isDrawable(limits.lowerBound), isDrawable(limits.upperBound),
      isWide(limits)
    {
      return limits
    }
    if scale == .log { return logarithmicAxis(length: length) }
    guard let range else { return 0...1 }
    let (low, high) = (range.lowerBound, range.upperBound)
    if !isWide(range) {
      // A single value is centered; if it is an edge, the axis starts there.
      let margin = isWhole && abs(low) < 1e6 ? 0.5 : max(abs(low) * 0.05, 1e-9)
      return edges.contains(low) ? low...low + 1 : low - margin...high + margin
    }
    return withMargins(range, length: length, edges: edges)
  }

  private func logarithmicAxis(length: Int) -> ClosedRange<Double> {
    guard let positive else { return 1...10 }
    let ends = [positive.lowerBound, positive.upperBound].map(AxisScale.log.position)
    // A single value is centered within a factor of ten.
    guard ends[1] - ends[0] > 1e-9 else {
      return AxisScale.log.value(at: ends[0] - 0.5)...AxisScale.log.value(at: ends[0] + 0.5)
    }
    let edges = edges.filter { $0 > 0 }.map(AxisScale.log.position)
    let range = withMargins(ends[0]...ends[1], length: length, edges: edges)
    // Nothing is lost by a logarithm and its inverse.
    func value(_ position: Double, _ end: Double, _ exact: Double) -> Double {
      position == end ? exact : AxisScale.log.value(at: min(max(position, -305), 305))
    }
    return value(
      range.lowerBound, ends[0], positive.lowerBound)...value(
        range.upperBound, ends[1], positive.upperBound)
  }

  private func withMargins(
    _ range: ClosedRange<Double>, length: Int, edges: [Double]
  ) -> ClosedRange<Double> {
    var (low, high) = (range.lowerBound, range.upperBound)
    let span = high - low
    // Text takes at most half of the axis.
    let shares = [room, roomBelow].map { $0 / Double(max(length, 1)) }
    let total = shares[0] + shares[1]
    let scale = total > 0.5 ? 0.5 / total : 1
    func margin(_ share: Double) -> Double {
      span * max(0.05, share * scale / (1 - total * scale))
    }
    if !edges.contains(high) { high += margin(shares[0]) }
    if !edges.contains(low) { low -= margin(shares[1]) }
    return low...high
  }
}

/// Whether positions between the bounds can be distinguished.
func isWide(_ range: ClosedRange<Double>) -> Bool {
  let largest = max(abs(range.lowerBound), abs(range.upperBound))
  return range.upperBound - range.lowerBound > max(largest * 1e-12, 1e-290)
}

/// Whether a value can be drawn: finite, and small enough that sums and differences stay finite.
func isDrawable(_ value: Double) -> Bool { abs(value) < 1e300 }
