/// What there is along one direction of axes.
struct Extent {
  /// From the smallest to the largest number; `nil` when there is none.
  var range: ClosedRange<Double>?
  /// Names that stand at 0, 1, 2, … instead of numbers.
  var categories: [String]?
  /// Whether there are numbers and all of them are whole.
  var isWhole = false
  /// Ends at which axes leave no margin, as bars do at 0.
  var edges: [Double] = []
  /// Pixels that are needed beyond the largest number.
  var room = 0.0

  /// The extent of numbers; those that cannot be drawn do not count.
  init(_ values: some Sequence<Double>) {
    let values = values.filter(isDrawable)
    isWhole = !values.isEmpty && values.allSatisfy { $0 == $0.rounded() }
    for value in values {
      range = range.map { min($0.lowerBound, value)...max($0.upperBound, value) } ?? value...value
    }
  }

  /// The extent of names that have one place each.
  ///
  /// - Parameter margin: What is left free at both ends, in places.
  init(categories: [String], margin: Double = 0) {
    self.categories = categories
    let ends = [-0.5 - margin, Double(categories.count) - 0.5 + margin]
    range = ends[0]...ends[1]
    edges = ends
  }

  /// Both extents in one.
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
    return sum
  }

  /// The range of an axis: with matplotlib's margins of a twentieth, and with the room.
  ///
  /// - Parameters:
  ///   - length: The axis's pixels.
  ///   - limits: What the user wants instead; if nothing can be drawn with that, it does not count.
  func axis(length: Int, limits: ClosedRange<Double>?) -> ClosedRange<Double> {
    if let limits, isDrawable(limits.lowerBound), isDrawable(limits.upperBound),
      limits.lowerBound < limits.upperBound
    {
      return limits
    }
    guard let range else { return 0...1 }
    var (low, high) = (range.lowerBound, range.upperBound)
    if high - low <= max(abs(low), abs(high)) * 1e-12 {
      // One number alone stands in the middle; where it is an edge, the axis goes on from it.
      let margin = isWhole && abs(low) < 1e6 ? 0.5 : max(abs(low) * 0.05, 1e-9)
      return edges.contains(low) ? low...low + 1 : low - margin...high + margin
    }
    let span = high - low
    let share = min(room / Double(max(length, 1)), 0.5)
    if !edges.contains(high) { high += span * max(0.05, share / (1 - share)) }
    if !edges.contains(low) { low -= span * 0.05 }
    return low...high
  }
}

/// Whether a number has a place in a figure; beyond that, sums and differences are infinite.
func isDrawable(_ value: Double) -> Bool { abs(value) < 1e300 }
