/// A plotted element of axes, such as a line or a bar chart.
protocol Mark: Sendable {
  /// The extents along both axes.
  func extents(_ pen: Pen) -> (x: Extent, y: Extent)
  /// The entries in the legend.
  var legend: [LegendEntry] { get }
  /// The opacity, from 0 to 1; text is opaque.
  var alpha: Double { get }
  /// The colors of values, for a color bar.
  var colorScale: ColorScale? { get }
  /// The numbers of columns and rows, for marks with square cells.
  var cells: (columns: Int, rows: Int)? { get }

  /// Draws the mark, clipped to the frame.
  ///
  /// - Throws: ``PlotError`` if there is not enough space.
  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen)
    throws(PlotError)

  /// The text inside the frame, such as values at bars.
  func texts(in coordinates: Coordinates, _ pen: Pen) -> [PlacedText]
}

extension Mark {
  var legend: [LegendEntry] { [] }
  var alpha: Double { 1 }
  var colorScale: ColorScale? { nil }
  var cells: (columns: Int, rows: Int)? { nil }
  func texts(in coordinates: Coordinates, _ pen: Pen) -> [PlacedText] { [] }
}

/// An entry of a legend: a sample and a name.
struct LegendEntry: Sendable {
  let label: String
  /// The color of a bar, or the stroke of a line.
  let sample: Sample
  /// The opacity of the sample.
  var alpha = 1.0

  enum Sample: Sendable {
    case bar(Color)
    case line(Stroke)
  }
}
