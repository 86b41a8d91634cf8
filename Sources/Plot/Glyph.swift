/// A letter's pixels.
package struct Glyph: Sendable, Equatable {
  /// Where it is, from the start of the baseline.
  package var frame: Rectangle
  /// How much of each pixel is ink, row by row: 0 nothing, 255 all.
  package var coverage: [UInt8]

  package init(frame: Rectangle, coverage: [UInt8]) {
    self.frame = frame
    self.coverage = coverage
  }

  func moved(x: Int, y: Int) -> Glyph {
    var copy = self
    copy.frame.x += x
    copy.frame.y += y
    return copy
  }

  /// A quarter turn to the left around (0, 0): a baseline to the right becomes one upwards.
  package var rotated: Glyph {
    let turned = Rectangle(
      x: frame.y, y: -frame.maxX, width: frame.height, height: frame.width)
    return Glyph(
      frame: turned,
      coverage: (0..<turned.height).flatMap { y in
        (0..<turned.width).map { x in coverage[x * frame.width + frame.width - 1 - y] }
      })
  }
}

/// The box that stands for a character which the font does not have.
///
/// Fonts have one of their own, but in some of them it is blank.
enum MissingGlyph {
  /// In parts of the font's size.
  static let advance = 0.6

  static func draw(size: Double) -> Glyph {
    let line = max(1, Int((0.06 * size).rounded()))
    let width = max(3 * line, Int((0.45 * size).rounded()))
    let height = max(3 * line, Int((0.7 * size).rounded()))
    let coverage = (0..<height).flatMap { y in
      (0..<width).map { x in
        min(x, y, width - 1 - x, height - 1 - y) < line ? UInt8(255) : 0
      }
    }
    return Glyph(
      frame: Rectangle(
        x: Int((0.08 * size).rounded()), y: -height, width: width, height: height),
      coverage: coverage)
  }
}
