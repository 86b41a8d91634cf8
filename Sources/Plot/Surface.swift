/// What figures are drawn on: the pixels of a ``Canvas`` or an ``SVGDocument``.
///
/// Marks, axes and legends draw with these functions only, so that each is written once. Coordinates are
/// pixels of the figure's ``Layout``, from the upper left corner.
package protocol Surface {
  /// The rectangle outside which nothing is drawn.
  var clip: Rectangle { get set }
  /// The opacity of what is drawn next, from 0 (invisible) to 1 (opaque).
  var opacity: Double { get set }

  /// Fills a rectangle.
  mutating func fill(_ rectangle: Rectangle, with color: Color)

  /// Fills a convex polygon.
  ///
  /// - Parameters:
  ///   - polygon: The corners in order. A single point gives a disk.
  ///   - rounding: The distance by which the polygon is enlarged, with round corners, in pixels.
  ///   - color: The color.
  mutating func fill(_ polygon: [Point], rounding: Double, color: Color)

  /// Fills polygons of any shape, as one area. What two of them cover is not darker, if both run in the
  /// same direction.
  mutating func fill(areas: [[Point]], color: Color)

  /// Draws lines with round joins and caps. Where they cross each other they are not darker.
  ///
  /// - Parameters:
  ///   - paths: The points of each line; a single point gives a dot.
  ///   - width: The width of the lines in pixels.
  ///   - color: The color of the lines.
  ///   - dashes: The lengths of dashes and gaps in turn, in line widths; none for solid lines.
  mutating func stroke(_ paths: [[Point]], width: Double, color: Color, dashes: [Double])

  /// Draws a picture scaled to a frame. Enlarging repeats pixels.
  mutating func draw(_ picture: Bitmap, in frame: Rectangle)

  /// Draws text.
  mutating func draw(_ text: PlacedText)
}

extension Surface {
  mutating func stroke(_ path: [Point], width: Double, color: Color) {
    stroke([path], width: width, color: color, dashes: [])
  }

  mutating func fill(_ polygon: [Point], color: Color) {
    fill(polygon, rounding: 0, color: color)
  }

  /// Draws the outline of a rectangle, just outside it.
  mutating func outline(_ rectangle: Rectangle, width: Int, color: Color) {
    let (x, y) = (rectangle.x - width, rectangle.y - width)
    let w = rectangle.width + 2 * width
    for edge in [
      Rectangle(x: x, y: y, width: w, height: width),
      Rectangle(x: x, y: rectangle.maxY, width: w, height: width),
      Rectangle(x: x, y: rectangle.y, width: width, height: rectangle.height),
      Rectangle(x: rectangle.maxX, y: rectangle.y, width: width, height: rectangle.height),
    ] { fill(edge, with: color) }
  }

  /// Draws with another opacity than 1.
  mutating func with<E>(
    opacity: Double, _ draw: (inout Self) throws(E) -> Void
  ) throws(E) {
    self.opacity = opacity
    try draw(&self)
    self.opacity = 1
  }
}
