/// A line plot or scatter plot.
struct Line: Mark {
  let (x, y): ([Double], [Double])
  let label: String
  let stroke: Stroke
  var alpha = 1.0

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) { (Extent(x), Extent(y)) }

  var legend: [LegendEntry] {
    label.isEmpty ? [] : [LegendEntry(label: label, sample: .line(stroke), alpha: alpha)]
  }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen) {
    let path = zip(x, y).map { x, y in
      isDrawable(x) && isDrawable(y) ? coordinates.point(x, y) : Point(x: .nan, y: .nan)
    }
    stroke.draw(path, on: &canvas, pen)
  }
}

/// The style of a line, like matplotlib's `linestyle`.
public enum LineStyle: Sendable {
  case solid, dashed, dotted
  /// Only markers, no line.
  case none

  /// The lengths of dashes and gaps in line widths, close to matplotlib's.
  var dashes: [Double] {
    switch self {
    case .solid, .none: []
    case .dashed: [3.7, 1.6]
    case .dotted: [1.3, 1.7]
    }
  }
}

/// The color, style and marker of a line.
struct Stroke: Sendable {
  let color: Color
  let style: LineStyle
  let marker: Marker
  /// The width of the line and of markers, in points.
  let (width, markerSize): (Double, Double)

  func draw(_ path: [Point], on canvas: inout some Surface, _ pen: Pen) {
    drawLine(path, on: &canvas, pen)
    for point in path { drawMarker(at: point, on: &canvas, pen) }
  }

  /// Draws a sample of the line with one marker, for a legend.
  func drawSample(from start: Point, to end: Point, on canvas: inout some Surface, _ pen: Pen) {
    drawLine([start, end], on: &canvas, pen)
    drawMarker(at: start.moved(by: 0.5, towards: end), on: &canvas, pen)
  }

  private func drawLine(_ path: [Point], on canvas: inout some Surface, _ pen: Pen) {
    guard style != .none else { return }
    // Points without a position leave a gap.
    let parts = path.split(whereSeparator: { !$0.x.isFinite || !$0.y.isFinite }).map(Array.init)
    canvas.stroke(parts, width: width * pen.points, color: color, dashes: style.dashes)
  }

  private func drawMarker(at point: Point, on canvas: inout some Surface, _ pen: Pen) {
    marker.draw(
      at: point, size: markerSize * pen.points, line: width * pen.points, color: color, on: &canvas)
  }
}
