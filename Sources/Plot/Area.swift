extension Axes {
  /// Fills the area between two curves.
  ///
  /// ```swift
  /// axes.plot(epochs, mean)
  /// axes.fillBetween(epochs, low, high)    // a band in the color of the line
  /// ```
  ///
  /// Where a curve is NaN or infinite there is a gap. What is added later is drawn over the area.
  ///
  /// - Parameters:
  ///   - x: The x coordinates.
  ///   - y1: The y coordinates of the first curve, as many as `x`.
  ///   - y2: Those of the second curve.
  ///   - label: The area's name in the legend.
  ///   - color: The area's color; the next of ``Color/cycle`` by default, counted apart from lines.
  ///   - alpha: The opacity, from 0 to 1.
  public mutating func fillBetween(
    _ x: [Double], _ y1: [Double], _ y2: [Double], label: String = "", color: Color? = nil,
    alpha: Double = 0.3
  ) {
    let checks = Checks("fillBetween").expectCounts(x.count, y1.count, "x as y1")
      .expectCounts(x.count, y2.count, "x as y2").expectAlpha(alpha)
    add(checks) { axes in
      Area(
        x: x, y1: y1, y2: y2, label: label, color: color ?? axes.nextAreaColor, alpha: alpha)
    }
  }

  /// Fills the area between a curve and a horizontal line.
  public mutating func fillBetween(
    _ x: [Double], _ y1: [Double], _ y2: Double = 0, label: String = "", color: Color? = nil,
    alpha: Double = 0.3
  ) {
    fillBetween(
      x, y1, [Double](repeating: y2, count: x.count), label: label, color: color, alpha: alpha)
  }
}

/// The area between two curves.
struct Area: Mark {
  let (x, y1, y2): ([Double], [Double], [Double])
  let label: String
  let color: Color
  let alpha: Double

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) { (Extent(x), Extent(y1 + y2)) }

  var legend: [LegendEntry] {
    label.isEmpty ? [] : [LegendEntry(label: label, sample: .bar(color), alpha: alpha)]
  }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen) {
    let gaps = x.indices.filter { index in
      ![x[index], y1[index], y2[index]].allSatisfy(isDrawable)
    }
    var first = 0
    var areas: [[Point]] = []
    for gap in gaps + [x.count] {
      let part = first..<gap
      areas.append(
        part.map { coordinates.point(x[$0], y1[$0]) }
          + part.reversed().map { coordinates.point(x[$0], y2[$0]) })
      first = gap + 1
    }
    canvas.fill(areas: areas, color: color)
  }
}
