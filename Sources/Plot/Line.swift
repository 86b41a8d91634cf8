/// Numbers over numbers, as a line or as points.
struct Line: Mark {
  let (x, y): ([Double], [Double])
  let label: String
  let stroke: Stroke

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) { (Extent(x), Extent(y)) }

  var legend: [LegendEntry] {
    label.isEmpty ? [] : [LegendEntry(label: label, sample: .line(stroke))]
  }

  func draw(on canvas: inout Canvas, in coordinates: Coordinates, _ pen: Pen) {
    let path = zip(x, y).map { x, y in
      isDrawable(x) && isDrawable(y) ? coordinates.point(x, y) : Point(x: .nan, y: .nan)
    }
    stroke.draw(path, on: &canvas, pen)
  }
}
