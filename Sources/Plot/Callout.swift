extension Axes {
  /// Writes text about a point, with an arrow to it, like matplotlib's `annotate`.
  ///
  /// ```swift
  /// axes.annotate("best epoch", xy: (7, 0.081), xytext: (9, 0.3))
  /// axes.annotate("0.081", xy: (7, 0.081))                           // just above the point
  /// ```
  ///
  /// Text that would leave the plot is moved into it.
  ///
  /// - Parameters:
  ///   - text: The text, with its line breaks.
  ///   - xy: The point, in data coordinates.
  ///   - xytext: The position of the text, in data coordinates; just above the point, without an arrow, if
  ///     `nil`.
  ///   - align: Whether the text begins, ends or has its middle there.
  ///   - fontsize: The font size in points.
  ///   - color: The color of text and arrow.
  ///   - linewidth: The width of the arrow's line in points; 0 for no arrow.
  public mutating func annotate(
    _ text: String, xy: (x: Double, y: Double), xytext: (x: Double, y: Double)? = nil,
    align: TextAlignment = .center, fontsize: Double = 10, color: Color = .black,
    linewidth: Double = 1
  ) {
    let checks = Checks("annotate").expectPositions([xy] + (xytext.map { [$0] } ?? []))
      .expectFontsize(fontsize).expectWidth(linewidth)
    add(checks) { _ in
      Callout(
        text: Annotation(
          text: text, position: xytext ?? xy, alignment: align, size: fontsize, color: color),
        tip: xy, hasArrow: xytext != nil, linewidth: linewidth)
    }
  }
}

/// Text with an arrow to a point.
struct Callout: Mark {
  let text: Annotation
  let tip: (x: Double, y: Double)
  let hasArrow: Bool
  /// The width of the arrow's line in points.
  let linewidth: Double

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) {
    (Extent([tip.x, text.position.x]), Extent([tip.y, text.position.y]))
  }

  func texts(in coordinates: Coordinates, _ pen: Pen) -> [PlacedText] {
    let texts = text.texts(in: coordinates, pen)
    let ink = texts.map(\.ink).reduce(Rectangle(x: 0, y: 0, width: 0, height: 0)) { $0.union($1) }
    let frame = coordinates.frame
    let anchor = coordinates.point(text.position.x, text.position.y)
    guard !ink.isEmpty, frame.contains(anchor) else { return texts }
    let gap = Int((4 * pen.points).rounded())
    // Above the point.
    let up = hasArrow ? 0 : Int((anchor.y - Double(ink.maxY)).rounded()) - 2 * gap
    let (x, y) = (
      shift(ink.x, ink.maxX, into: frame.x + gap, frame.maxX - gap),
      shift(ink.y + up, ink.maxY + up, into: frame.y + gap, frame.maxY - gap)
    )
    return texts.map { $0.moved(x: x, y: y + up) }
  }

  /// By how much to move an interval into another one.
  private func shift(_ low: Int, _ high: Int, into start: Int, _ end: Int) -> Int {
    high - low > end - start ? 0 : max(start - low, 0) + min(end - high, 0)
  }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen) {
    let boxes = texts(in: coordinates, pen).map(\.ink).filter { !$0.isEmpty }
    guard hasArrow, linewidth > 0, let first = boxes.first else { return }
    let gap = 3 * pen.points
    let box = boxes.dropFirst().reduce(first) { $0.union($1) }
    let tip = coordinates.point(tip.x, tip.y).nearCanvas
    let middle = Point(
      x: Double(box.x) + Double(box.width) / 2, y: Double(box.y) + Double(box.height) / 2)
    // From the edge of the text, or of its corner, to just before the point.
    let reach = (Double(box.width) / 2 + gap, Double(box.height) / 2 + gap)
    let (dx, dy) = (abs(tip.x - middle.x), abs(tip.y - middle.y))
    let share = max(dx / reach.0, dy / reach.1)
    guard share > 1 else { return }
    let start = middle.moved(by: 1 / share, towards: tip)
    let length = start.distance(to: tip)
    guard length > 2 * gap else { return }
    canvas.drawArrow(
      along: [start, start.moved(by: 1 - gap / length, towards: tip)], rounding: 0,
      color: text.color, linewidth: linewidth, pen)
  }
}
