/// Text, laid out on the canvas.
package struct PlacedText {
  package var glyphs: [Glyph]
  package var color: Color
  /// What the glyphs show.
  package private(set) var lines: [TextLine] = []

  /// The smallest rectangle around the ink.
  package var ink: Rectangle {
    glyphs.reduce(Rectangle(x: 0, y: 0, width: 0, height: 0)) { $0.union($1.frame) }
  }

  package init(glyphs: [Glyph], color: Color) {
    self.glyphs = glyphs
    self.color = color
  }

  init(_ lines: [TextLine], color: Color) {
    self.init(glyphs: lines.flatMap(\.glyphs), color: color)
    self.lines = lines
  }

  /// The point of a line of text that is placed at the given position.
  enum Anchor { case start, middle, end }

  /// Lays out a line of text.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - position: The position of the anchors.
  ///   - across: The anchor along the text.
  ///   - down: The anchor across the text: the top of capitals (`start`), their middle, or the baseline.
  ///   - isRotated: Whether the text is rotated to run upwards; anchors are those of the unrotated text.
  init(
    _ text: String, at position: Point, across: Anchor, down: Anchor, size: Double, _ pen: Pen,
    color: Color = .black, isRotated: Bool = false
  ) {
    let text = showingSpaces(text)
    let share = { (anchor: Anchor) in anchor == .start ? 0 : anchor == .middle ? 0.5 : 1.0 }
    let x = (-share(across) * pen.width(of: text, size: size)).rounded()
    let y = ((1 - share(down)) * pen.capHeight(size)).rounded()
    let start = isRotated ? Point(x: y, y: -x) : Point(x: x, y: y)
    // Positions far outside the canvas would be imprecise.
    let origin = Point(
      x: Double(Int(clamping: position.x.rounded())) + start.x,
      y: Double(Int(clamping: position.y.rounded())) + start.y)
    self.init(
      [
        TextLine(
          text: text, origin: origin, size: size, isRotated: isRotated, typeface: pen.typeface)
      ], color: color)
  }

  /// The text moved by whole pixels.
  func moved(x: Int, y: Int) -> PlacedText {
    var copy = self
    copy.glyphs = glyphs.map { $0.moved(x: x, y: y) }
    for index in lines.indices {
      copy.lines[index].origin.x += Double(x)
      copy.lines[index].origin.y += Double(y)
    }
    return copy
  }
}

/// A line of text and its place.
package struct TextLine {
  package let text: String
  /// The start of the baseline.
  package internal(set) var origin: Point
  /// The font size in pixels.
  package internal(set) var size: Double
  /// Whether the text runs upwards.
  package let isRotated: Bool
  let typeface: Typeface

  /// The rendered text, at the nearest whole pixel.
  var glyphs: [Glyph] {
    typeface.glyphs(of: text, size: size).map { glyph in
      (isRotated ? glyph.rotated : glyph)
        .moved(x: Int(clamping: origin.x.rounded()), y: Int(clamping: origin.y.rounded()))
    }
  }
}

extension Canvas {
  package mutating func draw(_ text: PlacedText) {
    for glyph in text.glyphs { draw(glyph, color: text.color) }
  }
}

/// The font of a figure and the number of pixels per point.
package struct Pen {
  package let typeface: Typeface
  package let points: Double

  /// The largest size of labels, which is matplotlib's, and the smallest; in points.
  package static let (largest, smallest) = (10.0, 6.0)

  /// - Throws: ``PlotError`` if `LAB_FONT` names a file that is no font.
  package init(_ font: Font, points: Double) throws(PlotError) {
    try SubstituteFonts.checkOwn()
    typeface = try Typeface(font.file)
    self.points = points
  }

  /// The sizes to try in turn, in pixels.
  var sizes: [Double] {
    stride(from: Self.largest, through: Self.smallest, by: -1).map { $0 * points }
  }

  /// The default size of labels, in pixels.
  var size: Double { Self.largest * points }

  /// The width of axes' lines and ticks in pixels.
  var line: Int { max(1, Int((0.8 * points).rounded())) }

  /// The length of ticks and their distance to labels, in pixels.
  var tick: Int { Int((3.5 * points).rounded()) }

  /// The length of ticks without labels, in pixels.
  var minorTick: Int { Int((2 * points).rounded()) }

  /// The width of text in pixels.
  func width(of text: String, size: Double) -> Double { typeface.width(of: text) * size }

  /// The line height in pixels.
  func lineHeight(_ size: Double) -> Double { (typeface.ascent + typeface.descent) * size }

  /// The height of capitals and digits in pixels.
  func capHeight(_ size: Double) -> Double { 0.73 * size }
}
