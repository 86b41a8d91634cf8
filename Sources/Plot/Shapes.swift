/// The shape of a box with text, like matplotlib's `boxstyle`.
public enum BoxStyle: Sendable {
  case square
  /// A rectangle with rounded corners.
  case round
  /// The largest circle in the box's rectangle.
  case circle
}

/// The side or the middle of a text that is at a given position, like matplotlib's `ha`.
public enum TextAlignment: Sendable {
  /// The text begins at the position.
  case left
  case center
  /// The text ends at the position.
  case right
}

/// Text at a position in data coordinates.
struct Annotation: Mark {
  let text: String
  let position: (x: Double, y: Double)
  let alignment: TextAlignment
  /// The font size in points.
  let size: Double
  let color: Color

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) {
    (Extent([position.x]), Extent([position.y]))
  }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen) {}

  func texts(in coordinates: Coordinates, _ pen: Pen) -> [PlacedText] {
    let point = coordinates.point(position.x, position.y).nearCanvas
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let anchor: PlacedText.Anchor =
      switch alignment {
      case .left: .start
      case .center: .middle
      case .right: .end
      }
    return lines.enumerated().map { index, line in
      let below = Double(index) - Double(lines.count - 1) / 2
      return PlacedText(
        String(line),
        at: Point(x: point.x, y: point.y + below * Self.lineHeight * size * pen.points),
        across: anchor, down: .middle, size: size * pen.points, pen, color: color)
    }
  }

  /// The distance of baselines, relative to the font size.
  static let lineHeight = 1.35
}

/// A box with text in its middle.
struct Box: Mark {
  let text: Annotation
  /// The width and height in data coordinates.
  let size: (width: Double, height: Double)
  let style: BoxStyle
  let (facecolor, edgecolor): (Color, Color)
  /// The width of the outline in points.
  let linewidth: Double

  private var corners: (x: [Double], y: [Double]) {
    let (x, y) = text.position
    return (
      [x - size.width / 2, x + size.width / 2], [y - size.height / 2, y + size.height / 2]
    )
  }

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) { (Extent(corners.x), Extent(corners.y)) }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen)
    throws(PlotError)
  {
    let ends = [0, 1].map { coordinates.point(corners.x[$0], corners.y[1 - $0]).nearCanvas }
    let (width, height) = (ends[1].x - ends[0].x, abs(ends[1].y - ends[0].y))
    try checkText(width, height, pen)
    let middle = ends[0].moved(by: 0.5, towards: ends[1])
    let (outline, half) = (linewidth * pen.points, min(width, height) / 2)
    let (reach, radius) =
      switch style {
      case .square: ((width / 2, height / 2), 0.0)
      case .round: ((width / 2, height / 2), min(half, 5 * pen.points))
      case .circle: ((half, half), half)
      }
    for (inset, color) in [(-outline / 2, edgecolor), (outline / 2, facecolor)] {
      let rounding = max(0, radius - inset)
      let (x, y) = (max(0, reach.0 - inset - rounding), max(0, reach.1 - inset - rounding))
      let rectangle = [(-x, -y), (x, -y), (x, y), (-x, y)].map {
        Point(x: middle.x + $0.0, y: middle.y + $0.1)
      }
      canvas.fill(rectangle, rounding: rounding, color: color)
    }
  }

  /// - Throws: ``PlotError`` if the text is larger than the box.
  private func checkText(_ width: Double, _ height: Double, _ pen: Pen) throws(PlotError) {
    let lines = text.text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let size = text.size * pen.points
    let needed = (
      lines.map { pen.width(of: showingSpaces(String($0)), size: size) }.max() ?? 0,
      pen.capHeight(size) + Double(lines.count - 1) * Annotation.lineHeight * size
    )
    guard needed.0 <= width && needed.1 <= height else {
      throw PlotError(
        "box \"\(lines.joined(separator: " "))\": expected room for \(Int(clamping: needed.0)) × "
          + "\(Int(clamping: needed.1)) pixels of text, got \(Int(clamping: width)) × "
          + "\(Int(clamping: height)); make the box or the figure larger")
    }
  }

  func texts(in coordinates: Coordinates, _ pen: Pen) -> [PlacedText] {
    text.texts(in: coordinates, pen)
  }
}

/// An arrow along a path, with its head at the last point.
struct Arrow: Mark {
  let path: [(x: Double, y: Double)]
  /// The radius of the path's corners, in points.
  let rounding: Double
  let color: Color
  /// The width of the line in points.
  let linewidth: Double

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) {
    (Extent(path.map(\.x)), Extent(path.map(\.y)))
  }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen) {
    canvas.drawArrow(
      along: path.map { coordinates.point($0.x, $0.y).nearCanvas }, rounding: rounding,
      color: color,
      linewidth: linewidth, pen)
  }
}

/// The length and the width of an arrow's head, in points, beside those of the line.
private let arrowHead = (length: 6.5, width: 5.5)

extension Surface {
  /// Draws an arrow along a path, with its head at the last point.
  mutating func drawArrow(
    along path: [Point], rounding: Double, color: Color, linewidth: Double, _ pen: Pen
  ) {
    var points = path
    guard let tip = points.last, let before = points.last(where: { $0 != tip }) else { return }
    let share = (arrowHead.length + linewidth) * pen.points / before.distance(to: tip)
    let base = tip.moved(by: share, towards: before)
    let half = (arrowHead.width + linewidth) * pen.points / 2 / base.distance(to: tip)
    let (dx, dy) = ((tip.x - base.x) * half, (tip.y - base.y) * half)
    // The line ends inside the head, so that its round cap is covered.
    points[points.count - 1] = tip.moved(by: min(0.7 * share, 1), towards: before)
    stroke(points.rounded(by: rounding * pen.points), width: linewidth * pen.points, color: color)
    fill(
      [tip, Point(x: base.x - dy, y: base.y + dx), Point(x: base.x + dy, y: base.y - dx)],
      color: color)
  }
}

extension Point {
  /// The point itself, or one far outside the canvas that is near enough to compute distances.
  var nearCanvas: Point {
    func limited(_ value: Double) -> Double { min(max(value, -1e5), 1e5) }
    return Point(x: limited(x), y: limited(y))
  }
}

extension [Point] {
  /// The path with curves in place of its corners.
  fileprivate func rounded(by radius: Double) -> [Point] {
    guard count > 2, radius > 0 else { return self }
    let corners = indices.dropFirst().dropLast().flatMap { i -> [Point] in
      let (before, corner, after) = (self[i - 1], self[i], self[i + 1])
      let lengths = [corner.distance(to: before), corner.distance(to: after)]
      guard let shorter = lengths.min(), shorter > 0 else { return [corner] }
      let reach = Swift.min(radius, shorter / 2)
      let start = corner.moved(by: reach / lengths[0], towards: before)
      let end = corner.moved(by: reach / lengths[1], towards: after)
      return (0...8).map { step in
        let share = Double(step) / 8
        return start.moved(by: share, towards: corner)
          .moved(by: share, towards: corner.moved(by: share, towards: end))
      }
    }
    return [self[0]] + corners + [self[count - 1]]
  }
}
