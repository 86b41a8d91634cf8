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

  /// The extent of numbers. Values that cannot be drawn are ignored.
  init(_ values: some Sequence<Double>) {
    let values = values.filter(isDrawable)
    isWhole = !values.isEmpty && values.allSatisfy { $0 == $0.rounded() }
    for value in values {
      range = range.map { min($0.lowerBound, value)...max($0.upperBound, value) } ?? value...value
    }
  }

  /// The extent of categories, one unit wide each.
  ///
  /// - Parameter margin: The margin at both ends, in units.
  init(categories: [String], margin: Double = 0) {
    self.categories = categories
    let ends = [-0.5 - margin, Double(categories.count) - 0.5 + margin]
    range = ends[0]...ends[1]
    edges = ends
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
  func axis(length: Int, limits: ClosedRange<Double>?) -> ClosedRange<Double> {
    if let limits, isDrawable(limits.lowerBound), isDrawable(limits.upperBound),
      isWide(limits)
    {
      return limits
    }
    guard let range else { return 0...1 }
    var (low, high) = (range.lowerBound, range.upperBound)
    if !isWide(range) {
      // A single value is centered; if it is an edge, the axis starts there.
      let margin = isWhole && abs(low) < 1e6 ? 0.5 : max(abs(low) * 0.05, 1e-9)
      return edges.contains(low) ? low...low + 1 : low - margin...high + margin
    }
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
