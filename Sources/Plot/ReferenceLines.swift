extension Axes {
  /// Draws a horizontal line across the plot.
  ///
  /// ```swift
  /// axes.axhline(0.98, label: "goal", color: .gray, linestyle: .dashed)
  /// ```
  ///
  /// - Parameters:
  ///   - y: The position.
  ///   - label: The line's name in the legend.
  ///   - color: The line's color.
  ///   - linestyle: Solid, dashed or dotted.
  ///   - linewidth: The line's width in points.
  ///   - alpha: The opacity, from 0 to 1.
  public mutating func axhline(
    _ y: Double = 0, label: String = "", color: Color = .black, linestyle: LineStyle = .solid,
    linewidth: Double = 1, alpha: Double = 1
  ) {
    addLine("axhline", y, true, label, color, linestyle, linewidth, alpha)
  }

  /// Draws a vertical line across the plot; see ``axhline(_:label:color:linestyle:linewidth:alpha:)``.
  public mutating func axvline(
    _ x: Double = 0, label: String = "", color: Color = .black, linestyle: LineStyle = .solid,
    linewidth: Double = 1, alpha: Double = 1
  ) {
    addLine("axvline", x, false, label, color, linestyle, linewidth, alpha)
  }

  /// Fills a horizontal band across the plot.
  ///
  /// ```swift
  /// axes.axhspan(0.97...0.99, label: "human readers", color: .gray)
  /// ```
  ///
  /// - Parameters:
  ///   - y: The lower and upper edge.
  ///   - label: The band's name in the legend.
  ///   - color: The band's color.
  ///   - alpha: The opacity, from 0 to 1.
  public mutating func axhspan(
    _ y: ClosedRange<Double>, label: String = "", color: Color = .blue, alpha: Double = 0.3
  ) {
    addBand("axhspan", y, true, label, color, alpha)
  }

  /// Fills a vertical band across the plot; see ``axhspan(_:label:color:alpha:)``.
  public mutating func axvspan(
    _ x: ClosedRange<Double>, label: String = "", color: Color = .blue, alpha: Double = 0.3
  ) {
    addBand("axvspan", x, false, label, color, alpha)
  }

  private mutating func addLine(
    _ call: String, _ value: Double, _ isHorizontal: Bool, _ label: String, _ color: Color,
    _ style: LineStyle, _ width: Double, _ alpha: Double
  ) {
    let checks = Checks(call).expectDrawable([value], "a position").expectWidth(width)
      .expectAlpha(alpha)
    add(checks) { _ in
      ReferenceLine(
        value: value, isHorizontal: isHorizontal, label: label,
        stroke: Stroke(color: color, style: style, marker: .none, width: width, markerSize: 0),
        alpha: alpha)
    }
  }

  private mutating func addBand(
    _ call: String, _ range: ClosedRange<Double>, _ isHorizontal: Bool, _ label: String,
    _ color: Color, _ alpha: Double
  ) {
    let checks = Checks(call).expectDrawable([range.lowerBound, range.upperBound], "edges")
      .expectAlpha(alpha)
    add(checks) { _ in
      Band(range: range, isHorizontal: isHorizontal, label: label, color: color, alpha: alpha)
    }
  }
}

/// A line across the whole plot.
struct ReferenceLine: Mark {
  let value: Double
  let isHorizontal: Bool
  let label: String
  let stroke: Stroke
  let alpha: Double

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) {
    isHorizontal ? (Extent([]), Extent([value])) : (Extent([value]), Extent([]))
  }

  var legend: [LegendEntry] {
    label.isEmpty ? [] : [LegendEntry(label: label, sample: .line(stroke), alpha: alpha)]
  }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen) {
    let frame = coordinates.frame
    // A line of a whole number of pixels is sharp.
    let width = max(1, (stroke.width * pen.points).rounded())
    func snapped(_ position: Double) -> Double {
      Point(x: position, y: 0).snapped(toWidth: width).x
    }
    let ends: [Point]
    if isHorizontal {
      let y = snapped(coordinates.y(of: value))
      ends = [Point(x: Double(frame.x), y: y), Point(x: Double(frame.maxX), y: y)]
    } else {
      let x = snapped(coordinates.x(of: value))
      ends = [Point(x: x, y: Double(frame.y)), Point(x: x, y: Double(frame.maxY))]
    }
    guard stroke.style != .none, stroke.width > 0 else { return }
    canvas.stroke([ends], width: width, color: stroke.color, dashes: stroke.style.dashes)
  }
}

/// A band across the whole plot.
struct Band: Mark {
  let range: ClosedRange<Double>
  let isHorizontal: Bool
  let label: String
  let color: Color
  let alpha: Double

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) {
    let edges = Extent([range.lowerBound, range.upperBound])
    return isHorizontal ? (Extent([]), edges) : (edges, Extent([]))
  }

  var legend: [LegendEntry] {
    label.isEmpty ? [] : [LegendEntry(label: label, sample: .bar(color), alpha: alpha)]
  }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen) {
    let edges = (range.lowerBound, range.upperBound)
    let (x, y) = (coordinates.x, coordinates.y)
    canvas.fill(
      isHorizontal
        ? coordinates.rectangle(x: (x.lowerBound, x.upperBound), y: edges)
        : coordinates.rectangle(x: edges, y: (y.lowerBound, y.upperBound)), with: color)
  }
}
