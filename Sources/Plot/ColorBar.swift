/// The scale of a heat map: a strip of its colours with numbers beside.
struct ColorBar {
  let frame: Rectangle
  let texts: [PlacedText]
  private let colormap: Colormap
  private let ticks: [Double]

  /// - Parameters:
  ///   - map: The heat map.
  ///   - label: What the numbers are.
  ///   - plot: The heat map's frame; the bar is right of it.
  init(of map: HeatMap, label: String, beside plot: Rectangle, _ pen: Pen) {
    colormap = map.colormap
    frame = Rectangle(
      x: plot.maxX + Int(12 * pen.points), y: plot.y,
      width: max(pen.tick, min(plot.height / 20, Int(15 * pen.points))), height: plot.height)
    let range =
      map.range.lowerBound < map.range.upperBound
      ? map.range : map.range.lowerBound...map.range.lowerBound + 1
    var extent = Extent([range.lowerBound, range.upperBound])
    extent.isWhole = extent.isWhole && map.values.joined().allSatisfy { $0 == $0.rounded() }
    let coordinates = Coordinates(frame: frame, x: 0...1, y: range, runsDown: false)
    let labels = AxisLabels(beside: range, extent, length: frame.height, width: 0, pen)
    ticks = labels.labels.map { coordinates.y(of: $0.value) }
    var texts = labels.texts(
      beside: Double(frame.maxX + pen.line + 2 * pen.tick), pen, isRight: true, y: coordinates.y)
    if !label.isEmpty {
      let edge = texts.map(\.ink.maxX).max() ?? frame.maxX
      let x = Double(edge) + 4 * pen.points + pen.capHeight(pen.size)
      let y = Double(frame.y) + Double(frame.height) / 2
      texts.append(
        PlacedText(
          label, at: Point(x: x, y: y), across: .middle, down: .end, size: pen.size, pen,
          isRotated: true))
    }
    self.texts = texts
  }

  func draw(on canvas: inout Canvas, _ pen: Pen) {
    for y in 0..<frame.height {
      let share = (Double(y) + 0.5) / Double(frame.height)
      canvas.fill(
        Rectangle(x: frame.x, y: frame.maxY - 1 - y, width: frame.width, height: 1),
        with: colormap.color(of: share))
    }
    canvas.outline(frame, width: pen.line, color: .black)
    for tick in ticks {
      canvas.fill(
        Rectangle(
          x: frame.maxX + pen.line, y: Int(tick.rounded()) - pen.line / 2, width: pen.tick,
          height: pen.line), with: .black)
    }
  }
}
