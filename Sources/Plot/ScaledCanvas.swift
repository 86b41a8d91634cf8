/// A canvas with more pixels than the layout of a figure, for the same figure at a higher resolution.
///
/// Lines and edges stay sharp if the scale is a whole number.
package struct ScaledCanvas: Surface {
  package private(set) var canvas: Canvas
  /// The pixels of the canvas for one of the layout.
  private let scale: Double

  init(width: Int, height: Int, scale: Double) {
    canvas = Canvas(width: width, height: height)
    self.scale = scale
    clip = Rectangle(x: 0, y: 0, width: .max, height: .max)
  }

  package var clip: Rectangle {
    didSet { canvas.clip = clip.width == .max ? canvas.bounds : scaled(clip) }
  }

  package var opacity: Double {
    get { canvas.opacity }
    set { canvas.opacity = newValue }
  }

  private func scaled(_ rectangle: Rectangle) -> Rectangle {
    func pixel(_ position: Int) -> Int { Int(clamping: (Double(position) * scale).rounded()) }
    let (x, y) = (pixel(rectangle.x), pixel(rectangle.y))
    func length(_ end: Int, _ start: Int, _ length: Int) -> Int {
      // Thin lines do not vanish.
      length > 0 ? max(1, pixel(end) - start) : 0
    }
    return Rectangle(
      x: x, y: y, width: length(rectangle.maxX, x, rectangle.width),
      height: length(rectangle.maxY, y, rectangle.height))
  }

  private func scaled(_ path: [Point]) -> [Point] {
    path.map { Point(x: $0.x * scale, y: $0.y * scale) }
  }

  package mutating func fill(_ rectangle: Rectangle, with color: Color) {
    canvas.fill(scaled(rectangle), with: color)
  }

  package mutating func fill(_ polygon: [Point], rounding: Double, color: Color) {
    canvas.fill(scaled(polygon), rounding: rounding * scale, color: color)
  }

  package mutating func fill(areas: [[Point]], color: Color) {
    canvas.fill(areas: areas.map(scaled), color: color)
  }

  package mutating func stroke(
    _ paths: [[Point]], width: Double, color: Color, dashes: [Double]
  ) {
    canvas.stroke(paths.map(scaled), width: width * scale, color: color, dashes: dashes)
  }

  package mutating func draw(_ picture: Bitmap, in frame: Rectangle) {
    canvas.draw(picture, in: scaled(frame))
  }

  package mutating func draw(_ text: PlacedText) {
    for line in text.lines {
      var line = line
      line.origin = scaled([line.origin])[0]
      line.size *= scale
      for glyph in line.glyphs { canvas.draw(glyph, color: text.color) }
    }
  }
}
