/// The font of a figure, and how many pixels a point has.
package struct Pen {
  package let typeface: Typeface
  package let points: Double

  /// Matplotlib's size of labels, and the size below which labels are not made smaller; in points.
  package static let (largest, smallest) = (10.0, 6.0)

  /// - Throws: ``PlotError``, when no font is installed.
  package init(_ font: Font, points: Double) throws(PlotError) {
    typeface = try Typeface(font.file)
    self.points = points
  }

  /// Sizes to try one after the other, in pixels.
  var sizes: [Double] {
    stride(from: Self.largest, through: Self.smallest, by: -1).map { $0 * points }
  }

  /// Matplotlib's size of labels, in pixels.
  var size: Double { Self.largest * points }

  /// The width of axes' lines in pixels, and of ticks.
  var line: Int { max(1, Int((0.8 * points).rounded())) }

  /// Matplotlib's length of ticks and their distance to labels, in pixels.
  var tick: Int { Int((3.5 * points).rounded()) }

  /// The width of text in pixels.
  func width(of text: String, size: Double) -> Double { typeface.width(of: text) * size }

  /// From a line to the next one, in pixels.
  func lineHeight(_ size: Double) -> Double { (typeface.ascent + typeface.descent) * size }

  /// The height of capitals and digits in pixels; a line's other letters reach above and below.
  func capHeight(_ size: Double) -> Double { 0.73 * size }
}
