/// Letters in their place.
package struct PlacedText {
  package var glyphs: [Glyph]
  package var color: Color

  /// The smallest rectangle around the ink.
  package var ink: Rectangle {
    glyphs.reduce(Rectangle(x: 0, y: 0, width: 0, height: 0)) { $0.union($1.frame) }
  }

  package init(glyphs: [Glyph], color: Color) {
    self.glyphs = glyphs
    self.color = color
  }

  /// Which point of a line of text stands at the place.
  enum Anchor { case start, middle, end }

  /// A line of text.
  ///
  /// - Parameters:
  ///   - text: What to write.
  ///   - place: Where the anchors are to be.
  ///   - across: What of the text's width is there.
  ///   - down: What of the capitals' height is there: the top (`start`), the middle, or the baseline.
  ///   - isRotated: Whether the text runs upwards; `across` and `down` are the reader's then.
  init(
    _ text: String, at place: Point, across: Anchor, down: Anchor, size: Double, _ pen: Pen,
    color: Color = .black, isRotated: Bool = false
  ) {
    let text = showingSpaces(text)
    let share = { (anchor: Anchor) in anchor == .start ? 0 : anchor == .middle ? 0.5 : 1.0 }
    let x = -share(across) * pen.width(of: text, size: size)
    let y = (1 - share(down)) * pen.capHeight(size)
    glyphs = pen.typeface.glyphs(of: text, size: size).map { glyph in
      let line = glyph.moved(x: Int(x.rounded()), y: Int(y.rounded()))
      return (isRotated ? line.rotated : line).moved(
        x: Int(place.x.rounded()), y: Int(place.y.rounded()))
    }
    self.color = color
  }
}

extension Canvas {
  mutating func draw(_ text: PlacedText) {
    for glyph in text.glyphs { draw(glyph, color: text.color) }
  }
}
