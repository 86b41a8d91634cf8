/// Something that axes show in coordinates of its own.
protocol Mark: Sendable {
  /// What it takes along both directions.
  func extents(_ pen: Pen) -> (x: Extent, y: Extent)
  /// What the legend says of it.
  var legend: [LegendEntry] { get }
  /// Columns and rows of square cells, for what has such.
  var cells: (columns: Int, rows: Int)? { get }

  /// Draws it, clipped to the frame.
  ///
  /// - Throws: ``PlotError``, when there is no room.
  func draw(on canvas: inout Canvas, in coordinates: Coordinates, _ pen: Pen) throws(PlotError)

  /// Text that belongs to it, such as values at bars.
  func texts(in coordinates: Coordinates, _ pen: Pen) -> [PlacedText]
}

extension Mark {
  var legend: [LegendEntry] { [] }
  var cells: (columns: Int, rows: Int)? { nil }
  func texts(in coordinates: Coordinates, _ pen: Pen) -> [PlacedText] { [] }
}

/// A line of a legend: a piece of what is drawn, and its name.
struct LegendEntry: Sendable {
  let label: String
  /// A bar's colour, or the line that is drawn.
  let sample: Sample

  enum Sample: Sendable {
    case bar(Color)
    case line(Stroke)
  }
}
