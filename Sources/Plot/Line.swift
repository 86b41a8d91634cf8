/// A line plot or scatter plot.
struct Line: Mark {
  let (x, y): ([Double], [Double])
  let label: String
  let stroke: Stroke

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) { (Extent(x), Extent(y)) }

  var legend: [LegendEntry] {
    label.isEmpty ? [] : [LegendEntry(label: label, sample: .line(stroke))]
  }

  func draw(on canvas: inout Canvas, in coordinates: Coordinates, _ pen: Pen) {
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

/// The symbol at each point of a line, like matplotlib's `marker`.
public enum Marker: Sendable {
  case none
  /// Matplotlib's `o`.
  case circle
  /// Matplotlib's `s`.
  case square
  /// Matplotlib's `x`.
  case cross
}

/// The color, style and marker of a line.
struct Stroke: Sendable {
  let color: Color
  let style: LineStyle
  let marker: Marker
  /// The width of the line and of markers, in points.
  let (width, markerSize): (Double, Double)

  func draw(_ path: [Point], on canvas: inout Canvas, _ pen: Pen) {
    drawLine(path, on: &canvas, pen)
    for point in path { drawMarker(at: point, on: &canvas, pen) }
  }

  /// Draws a sample of the line with one marker, for a legend.
  func drawSample(from start: Point, to end: Point, on canvas: inout Canvas, _ pen: Pen) {
    drawLine([start, end], on: &canvas, pen)
    drawMarker(at: start.moved(by: 0.5, towards: end), on: &canvas, pen)
  }

  private func drawLine(_ path: [Point], on canvas: inout Canvas, _ pen: Pen) {
    guard style != .none else { return }
    // Points without a position leave a gap.
    for part in path.split(whereSeparator: { !$0.x.isFinite || !$0.y.isFinite }) {
      canvas.stroke(
        Array(part), width: width * pen.points, color: color, dashes: style.dashes)
    }
  }

  private func drawMarker(at point: Point, on canvas: inout Canvas, _ pen: Pen) {
    guard abs(point.x) < 1e6 && abs(point.y) < 1e6 else { return }
    let reach = markerSize * pen.points / 2
    switch marker {
    case .none: break
    case .circle: canvas.stroke([point], width: 2 * reach, color: color)
    case .square:
      let (left, top) = (Int((point.x - reach).rounded()), Int((point.y - reach).rounded()))
      let side = Int((2 * reach).rounded())
      canvas.fill(Rectangle(x: left, y: top, width: side, height: side), with: color)
    case .cross:
      for sign in [-1.0, 1] {
        let ends = [-reach, reach].map { Point(x: point.x + $0, y: point.y + sign * $0) }
        canvas.stroke(ends, width: width * pen.points, color: color)
      }
    }
  }
}
