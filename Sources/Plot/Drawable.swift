/// Something that axes show.
protocol Drawable: Sendable {
  /// The part of the axes' area that it takes.
  func frame(in area: Rectangle) -> Rectangle

  func draw(on canvas: inout Canvas, in frame: Rectangle)
}
