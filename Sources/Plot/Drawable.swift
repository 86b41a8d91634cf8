/// Something that axes show.
protocol Drawable: Sendable {
  /// The part of the axes' area that it takes.
  func frame(in area: Rectangle) -> Rectangle

  /// - Parameters:
  ///   - canvas: What to draw on.
  ///   - frame: Where.
  ///   - points: Pixels per point, for the size of letters and the width of lines.
  /// - Throws: ``PlotError``, when no font is installed, or there is no room.
  func draw(on canvas: inout Canvas, in frame: Rectangle, points: Double) throws(PlotError)
}
