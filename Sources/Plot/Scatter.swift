extension Axes {
  /// Draws points without a line, whose sizes and colors may show two more quantities.
  ///
  /// ```swift
  /// axes.scatter(x, y, marker: .triangleUp, alpha: 0.5)
  /// axes.scatter(x, y, s: counts, c: accuracies, cmap: .plasma)
  /// axes.colorbar(label: "accuracy")
  /// ```
  ///
  /// Points with NaN or infinity are left out.
  ///
  /// - Parameters:
  ///   - x: The x coordinates.
  ///   - y: The y coordinates, as many as `x`.
  ///   - label: The points' name in the legend.
  ///   - color: The points' color; the next of ``Color/cycle`` by default.
  ///   - marker: The symbol drawn at each point.
  ///   - s: The area of each symbol in square points, the square of its width; 49 for all if empty.
  ///   - c: The value of each point that determines its color; if empty, all have one color.
  ///   - cmap: The colormap of these values.
  ///   - range: The values with the first and the last color; the minimum and maximum by default.
  ///   - alpha: The opacity, from 0 to 1.
  public mutating func scatter(
    _ x: [Double], _ y: [Double], label: String = "", color: Color? = nil,
    marker: Marker = .circle, s: [Double] = [], c: [Double] = [], cmap: Colormap = .viridis,
    range: ClosedRange<Double>? = nil, alpha: Double = 1
  ) {
    guard !s.isEmpty || !c.isEmpty else {
      return plot(
        x, y, label: label, color: color, linestyle: .none, marker: marker, alpha: alpha)
    }
    let small = s.first { !(0...1e6).contains($0) }
    let checks = Checks("scatter").expectCounts(x.count, y.count, "x as y")
      .expect(
        [0, x.count].contains(s.count), "an area s for each of \(x.count) points",
        got: "\(s.count)"
      )
      .expect(
        [0, x.count].contains(c.count), "a value c for each of \(x.count) points",
        got: "\(c.count)"
      )
      .expect(small == nil, "areas s from 0 to 1e6", got: "\(small ?? 0)")
      .expectRange(range).expectAlpha(alpha)
    add(checks) { axes in
      let drawable = c.filter(isDrawable)
      let scale = ColorScale(
        colormap: cmap, range: range ?? (drawable.min() ?? 0)...(drawable.max() ?? 0),
        isWhole: drawable.allSatisfy { $0 == $0.rounded() })
      return Points(
        x: x, y: y, sizes: s, values: c, colorScale: c.isEmpty ? nil : scale, label: label,
        color: color ?? axes.nextColor, marker: marker, alpha: alpha)
    }
  }
}

/// Points with sizes and colors of their own.
struct Points: Mark {
  let (x, y): ([Double], [Double])
  /// The areas in square points, and the values that determine colors; empty if all are equal.
  let (sizes, values): ([Double], [Double])
  let colorScale: ColorScale?
  let label: String
  let color: Color
  let marker: Marker
  let alpha: Double

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) {
    var extents = (x: Extent(x), y: Extent(y))
    // No symbol is cut off at the frame.
    let width = (sizes.max() ?? 0).squareRoot() * pen.points
    let reach = sizes.isEmpty ? 0 : width / 2 * (marker == .diamond ? 2.0.squareRoot() : 1) + 1
    (extents.x.room, extents.x.roomBelow, extents.y.room, extents.y.roomBelow) = (
      reach, reach, reach, reach
    )
    return extents
  }

  var legend: [LegendEntry] {
    guard !label.isEmpty else { return [] }
    let sample = Stroke(
      color: colorScale?.colormap.color(of: 0.5) ?? color, style: .none, marker: marker, width: 1.5,
      markerSize: 7)
    return [LegendEntry(label: label, sample: .line(sample), alpha: alpha)]
  }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen) {
    for index in x.indices where isDrawable(x[index]) && isDrawable(y[index]) {
      var color = color
      if let colorScale {
        guard isDrawable(values[index]) else { continue }
        color = colorScale.color(of: values[index])
      }
      let size = sizes.isEmpty ? 7 : sizes[index].squareRoot()
      marker.draw(
        at: coordinates.point(x[index], y[index]), size: size * pen.points, line: 1.5 * pen.points,
        color: color, on: &canvas)
    }
  }
}
