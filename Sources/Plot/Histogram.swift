/// The numbers of values in intervals, as `numpy.histogram` counts them.
///
/// ```swift
/// let histogram = try Histogram([1, 2, 1], bins: [0, 1, 2, 3])
/// histogram.counts    // [0, 2, 1]
/// ```
///
/// A bin includes its left edge but not its right one; the last bin includes both. Values outside all bins
/// are not counted.
///
/// Source: `numpy.histogram` of NumPy 2.
public struct Histogram: Sendable, Equatable {
  /// The number of values in each bin, or the sum of their weights, or the density.
  public let counts: [Double]
  /// The edges of the bins, one more than bins.
  public let edges: [Double]

  /// Counts values in bins of equal width.
  ///
  /// - Parameters:
  ///   - values: The values.
  ///   - bins: The number of bins.
  ///   - range: The first and the last edge; the minimum and maximum of the values by default. If both
  ///     are equal, 0.5 below and above.
  ///   - density: Whether to divide by the sum of the counts and by the widths, so that the area is 1.
  ///   - weights: The weight of each value; 1 if empty.
  /// - Throws: ``PlotError`` if a value is not finite, or a number of bins, weights or a range is wrong.
  public init(
    _ values: [Double], bins: Int = 10, range: ClosedRange<Double>? = nil, density: Bool = false,
    weights: [Double] = []
  ) throws(PlotError) {
    try self.init(
      "Histogram", values, .count(bins, range), density: density, weights: weights)
  }

  /// Counts values in bins with given edges, of equal width or not.
  ///
  /// - Parameters:
  ///   - values: The values.
  ///   - bins: The edges of the bins, at least two, none smaller than the one before.
  ///   - density: Whether to divide by the sum of the counts and by the widths, so that the area is 1.
  ///   - weights: The weight of each value; 1 if empty.
  /// - Throws: ``PlotError`` if a value is not finite, or edges or weights are wrong.
  public init(
    _ values: [Double], bins: [Double], density: Bool = false, weights: [Double] = []
  ) throws(PlotError) {
    try self.init("Histogram", values, .edges(bins), density: density, weights: weights)
  }

  enum Bins {
    case count(Int, ClosedRange<Double>?)
    case edges([Double])
  }

  /// - Parameter call: The name of the function in messages.
  fileprivate init(
    _ call: String, _ values: [Double], _ bins: Bins, density: Bool, weights: [Double]
  ) throws(PlotError) {
    var checks = Checks(call).expectDrawable(values, "values")
      .expect(
        [0, values.count].contains(weights.count), "a weight for each of \(values.count) values",
        got: "\(weights.count)"
      )
      .expectDrawable(weights, "weights")
    switch bins {
    case .count(let count, let range):
      checks =
        checks
        .expect((1...100_000).contains(count), "from 1 to 100000 bins", got: "\(count)")
        .expectRange(range)
    case .edges(let edges):
      checks =
        checks.expect(edges.count >= 2, "at least 2 edges of bins", got: "\(edges.count)")
        .expectDrawable(edges, "edges")
        .expect(
          zip(edges, edges.dropFirst()).allSatisfy { $0 <= $1 },
          "edges of bins from the smallest to the largest", got: "a smaller one after a larger one")
    }
    if let problem = checks.problem { throw PlotError(problem) }
    edges =
      switch bins {
      case .count(let count, let range): Self.edges(of: values, count, range)
      case .edges(let edges): edges
      }
    var counts = [Double](repeating: 0, count: edges.count - 1)
    for (index, value) in values.enumerated() {
      guard let bin = Self.bin(of: value, in: edges) else { continue }
      counts[bin] += weights.isEmpty ? 1 : weights[index]
    }
    if density {
      let total = counts.reduce(0, +)
      for bin in counts.indices {
        counts[bin] = counts[bin] / (edges[bin + 1] - edges[bin]) / total
      }
      guard counts.allSatisfy(\.isFinite) else {
        throw PlotError(
          "\(call): expected bins with a width and values in them for a density, got none")
      }
    }
    self.counts = counts
  }

  private static func edges(
    of values: [Double], _ count: Int, _ range: ClosedRange<Double>?
  ) -> [Double] {
    var (low, high) = (range?.lowerBound ?? 0, range?.upperBound ?? 1)
    if range == nil, let least = values.min(), let most = values.max() {
      (low, high) = (least, most)
    }
    if low == high { (low, high) = (low - 0.5, high + 0.5) }
    let step = (high - low) / Double(count)
    // At large numbers a step may be lost; edges must not decrease.
    return (0..<count).map { min(low + Double($0) * step, high) } + [high]
  }

  /// The bin of a value; `nil` if it is outside.
  private static func bin(of value: Double, in edges: [Double]) -> Int? {
    guard edges[0] <= value, let last = edges.last, value <= last else { return nil }
    // The number of edges that are not above the value, by bisection.
    var (low, high) = (0, edges.count)
    while low < high {
      let middle = (low + high) / 2
      if edges[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return min(low - 1, edges.count - 2)
  }
}

/// How a histogram is drawn, like matplotlib's `histtype`.
public enum HistogramType: Sendable {
  /// Filled bars.
  case bar
  /// The outline of the bars.
  case step
}

extension Axes {
  /// Draws a histogram: how many values are in each of several intervals.
  ///
  /// ```swift
  /// axes.hist(losses, bins: 30)
  /// axes.hist(right, range: 0...1, density: true, label: "right", alpha: 0.5)
  /// axes.hist(wrong, range: 0...1, density: true, label: "wrong", alpha: 0.5)
  /// ```
  ///
  /// Bins are those of ``Histogram``: the last one includes its right edge. With
  /// `yscale = .log` empty bins have no bar.
  ///
  /// - Parameters:
  ///   - values: The values.
  ///   - bins: The number of bins.
  ///   - range: The first and the last edge; the minimum and maximum by default. Values outside are not
  ///     counted.
  ///   - density: Whether the bars' area is 1, instead of their heights being counts.
  ///   - weights: The weight of each value; 1 if empty.
  ///   - histtype: Filled bars or an outline.
  ///   - label: The name in the legend.
  ///   - color: The color; the next of ``Color/cycle`` by default, counted apart from lines.
  ///   - edgecolor: The color of lines around each bar; none by default.
  ///   - alpha: The opacity, from 0 to 1.
  public mutating func hist(
    _ values: [Double], bins: Int = 10, range: ClosedRange<Double>? = nil, density: Bool = false,
    weights: [Double] = [], histtype: HistogramType = .bar, label: String = "",
    color: Color? = nil, edgecolor: Color? = nil, alpha: Double = 1
  ) {
    addHistogram(
      values, .count(bins, range), density, weights, histtype, label, color, edgecolor, alpha)
  }

  /// Draws a histogram with given edges of bins, at least two and from the smallest to the largest.
  ///
  /// ```swift
  /// axes.hist(lengths, bins: [1, 10, 100, 1000])
  /// axes.xscale = .log
  /// ```
  public mutating func hist(
    _ values: [Double], bins: [Double], density: Bool = false, weights: [Double] = [],
    histtype: HistogramType = .bar, label: String = "", color: Color? = nil,
    edgecolor: Color? = nil, alpha: Double = 1
  ) {
    addHistogram(
      values, .edges(bins), density, weights, histtype, label, color, edgecolor, alpha)
  }

  private mutating func addHistogram(
    _ values: [Double], _ bins: Histogram.Bins, _ density: Bool, _ weights: [Double],
    _ type: HistogramType, _ label: String, _ color: Color?, _ edgecolor: Color?, _ alpha: Double
  ) {
    do throws(PlotError) {
      let histogram = try Histogram("hist", values, bins, density: density, weights: weights)
      add(Checks("hist").expectAlpha(alpha).expectDrawable(histogram.counts, "sums of weights")) {
        HistogramBars(
          histogram: histogram, isFilled: type == .bar, label: label,
          color: color ?? $0.nextAreaColor, edgecolor: edgecolor, alpha: alpha)
      }
    } catch {
      _ = accepts(error.description)
    }
  }
}

/// The bars of a histogram, side by side without gaps.
struct HistogramBars: Mark {
  let histogram: Histogram
  let isFilled: Bool
  let label: String
  let color: Color
  let edgecolor: Color?
  let alpha: Double

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) {
    var heights = Extent(histogram.counts + [0])
    heights.isWhole = heights.isWhole && (histogram.counts.map(abs).max() ?? 0) > 1
    return (
      Extent(histogram.edges), heights.startingAtZero(histogram.counts, allowsZero: true)
    )
  }

  var legend: [LegendEntry] {
    guard !label.isEmpty else { return [] }
    return [
      LegendEntry(
        label: label, sample: isFilled ? .bar(color) : .line(outline), alpha: alpha)
    ]
  }

  private var outline: Stroke {
    Stroke(color: color, style: .solid, marker: .none, width: 1.5, markerSize: 0)
  }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen) {
    let (counts, edges) = (histogram.counts, histogram.edges)
    // Whole pixels, so that neighbors have a common edge.
    let bars = counts.indices.map {
      coordinates.rectangle(x: (edges[$0], edges[$0 + 1]), y: (0, counts[$0]))
    }
    guard let first = bars.first, let last = bars.last else { return }
    let zero = coordinates.rectangle(x: (edges[0], edges[0]), y: (0, 0)).y
    func top(_ index: Int) -> Int { counts[index] < 0 ? bars[index].maxY : bars[index].y }
    func point(_ x: Int, _ y: Int) -> Point { Point(x: Double(x), y: Double(y)) }
    let steps = bars.indices.flatMap {
      [point(bars[$0].x, top($0)), point(bars[$0].maxX, top($0))]
    }
    let outline = [point(first.x, zero)] + steps + [point(last.maxX, zero)]
    if isFilled {
      canvas.fill(areas: [outline], color: color)
    } else {
      canvas.stroke([outline], width: self.outline.width * pen.points, color: color, dashes: [])
    }
    guard let edgecolor else { return }
    let half = Double(pen.line % 2) / 2
    let lines = bars.indices.dropFirst().map { index in
      [
        point(bars[index].x, zero), point(bars[index].x, top(index)),
        point(bars[index].x, top(index - 1)),
      ]
    }
    let paths = ([outline] + lines).map { $0.map { Point(x: $0.x + half, y: $0.y + half) } }
    canvas.stroke(paths, width: Double(pen.line), color: edgecolor, dashes: [])
  }
}
