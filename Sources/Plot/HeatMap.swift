/// A table of numbers as squares of colour, row 0 at the top.
struct HeatMap: Mark {
  /// Row by row, all of one length.
  let values: [[Double]]
  let (xticklabels, yticklabels): ([String], [String])
  let colormap: Colormap
  /// The numbers that have the first and the last colour.
  let range: ClosedRange<Double>
  /// With how many decimals numbers are written on their squares; `nil` if they are not.
  let decimals: Int?

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) {
    (Extent(categories: xticklabels), Extent(categories: yticklabels))
  }

  var cells: (columns: Int, rows: Int)? { (values[0].count, values.count) }

  func draw(on canvas: inout Canvas, in coordinates: Coordinates, _ pen: Pen) {
    let bytes = values.joined().flatMap { value in
      let color = color(of: value)
      return [color.red, color.green, color.blue]
    }
    let bitmap = Bitmap(width: values[0].count, height: values.count, channels: 3, bytes: bytes)
    canvas.draw(bitmap, in: coordinates.frame)
  }

  /// The numbers, if there is a size with which all of them fit their squares.
  func texts(in coordinates: Coordinates, _ pen: Pen) -> [PlacedText] {
    guard let decimals else { return [] }
    let labels = values.map { $0.map { decimal($0, decimals) } }
    let side = Double(coordinates.frame.width) / Double(values[0].count)
    let widest = labels.joined().map { pen.typeface.width(of: $0) }.max() ?? 0
    guard
      let size = pen.sizes.first(where: { max(widest * $0, pen.capHeight($0)) <= 0.9 * side })
    else { return [] }
    return labels.enumerated().flatMap { row, labels in
      labels.enumerated().map { column, label in
        PlacedText(
          label, at: coordinates.point(Double(column), Double(row)), across: .middle,
          down: .middle, size: size, pen, color: color(of: values[row][column]).contrast)
      }
    }
  }

  /// White where there is no number.
  private func color(of value: Double) -> Color {
    guard value.isFinite else { return .white }
    let span = range.upperBound - range.lowerBound
    return colormap.color(of: span > 0 ? (value - range.lowerBound) / span : 0)
  }
}
