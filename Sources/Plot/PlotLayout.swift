/// The layout of axes with data: the frame, and around it ticks, labels and a color bar.
package struct PlotLayout {
  /// The pixels inside the axes' lines.
  package let frame: Rectangle
  /// The text around the frame: tick labels and axis labels.
  package private(set) var labels: [PlacedText] = []
  /// The text inside the frame: values at bars and in cells.
  package let values: [PlacedText]

  private let axes: Axes
  private let pen: Pen
  private let coordinates: Coordinates
  private let xTicks: AxisLabels
  private let yTicks: AxisLabels
  private var colorBar: ColorBar?
  private var legend: Legend?

  /// The box of the legend, if there is one.
  package var legendBox: Rectangle? { legend?.box }
  /// The strip of the color bar, if there is one.
  package var colorBarFrame: Rectangle? { colorBar?.frame }

  /// Lays out axes with the frame inside an area and labels around it.
  ///
  /// - Parameters:
  ///   - axes: The axes.
  ///   - name: What messages about their scales begin with.
  ///   - area: The area of the frame.
  ///   - cell: The approximate size of the area and all labels together.
  ///   - pen: The font.
  /// - Throws: ``PlotError`` if there is not enough space.
  init(
    _ axes: Axes, _ name: String, in area: Rectangle, of cell: Rectangle, _ pen: Pen
  ) throws(PlotError) {
    self.axes = axes
    self.pen = pen
    let frame = Self.frame(of: axes, in: area)
    self.frame = frame
    let extents = axes.marks.map { $0.extents(pen) }
    let x = extents.map(\.x).reduce(Extent([]), { $0.union($1) })
    var y = extents.map(\.y).reduce(Extent([]), { $0.union($1) })
    // Values such as accuracies that are all 0 or 1 need fractional ticks.
    if let range = y.range, range.upperBound - range.lowerBound <= 1 { y.isWhole = false }
    try Self.checkScale(axes.xscale, x, axes.xlim, "x", name)
    try Self.checkScale(axes.yscale, y, axes.ylim, "y", name)
    let xRange = x.axis(length: frame.width, limits: axes.xlim, scale: axes.xscale)
    let yRange = y.axis(length: frame.height, limits: axes.ylim, scale: axes.yscale)
    var coordinates = Coordinates(
      frame: frame, x: xRange, y: yRange, runsDown: y.categories != nil)
    (coordinates.xscale, coordinates.yscale) = (axes.xscale, axes.yscale)
    self.coordinates = coordinates
    // Long names get less space than the plot.
    xTicks = AxisLabels(
      below: xRange, x, scale: axes.xscale, length: frame.width, height: 0.4 * Double(cell.height),
      hand: axes.xHandTicks, pen)
    yTicks = AxisLabels(
      beside: yRange, y, scale: axes.yscale, length: frame.height, width: 0.4 * Double(cell.width),
      hand: axes.yHandTicks, pen)
    values = axes.marks.flatMap { [coordinates] in $0.texts(in: coordinates, pen) }

    if axes.frame { labels = tickAndAxisLabels }
    if let label = axes.colorbarLabel,
      let map = axes.marks.lazy.compactMap(\.colorScale).first
    {
      let bar = ColorBar(of: map, label: label, beside: frame, pen)
      colorBar = bar
      labels += bar.texts
    }
    let entries = axes.marks.flatMap(\.legend)
    if let place = axes.legendPlace, !entries.isEmpty {
      let beside = labels.map(\.ink.maxX).max() ?? frame.maxX
      let legend = try Legend(
        entries, place, marks: axes.marks, in: coordinates, beside: max(beside, frame.maxX), pen)
      self.legend = legend
    }
  }

  /// - Throws: ``PlotError`` if a logarithmic axis cannot show the data or the limits.
  private static func checkScale(
    _ scale: AxisScale, _ extent: Extent, _ limits: ClosedRange<Double>?, _ name: String,
    _ start: String
  ) throws(PlotError) {
    guard scale == .log else { return }
    var problem = extent.notLogarithmic
    if let limits, limits.lowerBound <= 0 {
      problem = ("\(name)lim above 0", "\(limits.lowerBound)...\(limits.upperBound)")
    }
    guard let problem else { return }
    throw PlotError(
      "\(start)\(name)scale: expected \(problem.expected) on a logarithmic axis, got \(problem.found); "
        + (problem.expected == "values above 0" ? "leave them out (NaN leaves a gap) or " : "")
        + "set \(name)scale to .linear")
  }

  /// The labels of ticks and axes.
  private var tickAndAxisLabels: [PlacedText] {
    let distance = pen.line + 2 * pen.tick
    var labels = xTicks.texts(below: Double(frame.maxY + distance), pen, x: coordinates.x)
    let lowest = labels.map(\.ink.maxY).max() ?? frame.maxY
    let yLabels = yTicks.texts(beside: Double(frame.x - distance), pen, y: coordinates.y)
    let leftmost = yLabels.map(\.ink.x).min() ?? frame.x
    labels += yLabels
    if !axes.xlabel.isEmpty {
      labels.append(
        PlacedText(
          axes.xlabel,
          at: Point(
            x: Double(frame.x) + Double(frame.width) / 2, y: Double(lowest) + 6 * pen.points),
          across: .middle, down: .start, size: pen.size, pen))
    }
    if !axes.ylabel.isEmpty {
      labels.append(
        PlacedText(
          axes.ylabel,
          at: Point(
            x: Double(leftmost) - 6 * pen.points, y: Double(frame.y) + Double(frame.height) / 2),
          across: .middle, down: .end, size: pen.size, pen, isRotated: true))
    }
    return labels
  }

  /// The whole area, or for square cells the centered frame with cells of whole pixels.
  private static func frame(of axes: Axes, in area: Rectangle) -> Rectangle {
    guard let cells = axes.marks.lazy.compactMap(\.cells).first else { return area }
    var side = min(
      Double(area.width) / Double(cells.columns), Double(area.height) / Double(cells.rows))
    if side > 1 { side.round(.down) }
    let width = max(1, Int(side * Double(cells.columns)))
    let height = max(1, Int(side * Double(cells.rows)))
    return Rectangle(
      x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width: width,
      height: height)
  }

  /// The bounding box of the frame and everything around it.
  package var bounds: Rectangle {
    let boxes = labels.map(\.ink) + [colorBar?.frame, legend?.box].compactMap { $0 }
    // Without a frame, text may extend beyond where it was.
    guard axes.frame else {
      return (boxes + values.map(\.ink)).reduce(frame) { $0.union($1) }
    }
    let distance = pen.line + pen.tick
    let ticks = Rectangle(
      x: frame.x - distance, y: frame.y - pen.line,
      width: frame.width + distance + pen.line, height: frame.height + distance + pen.line)
    return boxes.reduce(ticks) { $0.union($1) }
  }

  func draw(on canvas: inout some Surface) throws(PlotError) {
    let whole = canvas.clip
    canvas.clip = frame
    if axes.grid { drawGrid(on: &canvas) }
    for mark in axes.marks {
      canvas.opacity = mark.alpha
      try mark.draw(on: &canvas, in: coordinates, pen)
    }
    canvas.opacity = 1
    canvas.clip = whole
    if axes.frame {
      canvas.outline(frame, width: pen.line, color: .black)
      drawTicks(on: &canvas)
    }
    colorBar?.draw(on: &canvas, pen)
    for text in values + labels { canvas.draw(text) }
    legend?.draw(on: &canvas, pen)
  }

  private func drawGrid(on canvas: inout some Surface) {
    let color = Color(red: 220, green: 220, blue: 220)
    for x in columns {
      canvas.fill(
        Rectangle(x: x, y: frame.y, width: pen.line, height: frame.height), with: color)
    }
    for y in rows {
      canvas.fill(Rectangle(x: frame.x, y: y, width: frame.width, height: pen.line), with: color)
    }
  }

  private func drawTicks(on canvas: inout some Surface) {
    func draw(_ columns: [Int], _ rows: [Int], length: Int) {
      for x in columns {
        canvas.fill(
          Rectangle(x: x, y: frame.maxY + pen.line, width: pen.line, height: length), with: .black)
      }
      for y in rows {
        canvas.fill(
          Rectangle(x: frame.x - pen.line - length, y: y, width: length, height: pen.line),
          with: .black)
      }
    }
    draw(columns, rows, length: pen.tick)
    draw(xTicks.minor.map(column), yTicks.minor.map(row), length: pen.minorTick)
  }

  /// The first pixel column of each tick along x.
  private var columns: [Int] { xTicks.labels.map { column(of: $0.value) } }

  /// The first pixel row of each tick along y.
  private var rows: [Int] { yTicks.labels.map { row(of: $0.value) } }

  private func column(of value: Double) -> Int {
    Int(clamping: coordinates.x(of: value).rounded()) - pen.line / 2
  }

  private func row(of value: Double) -> Int {
    Int(clamping: coordinates.y(of: value).rounded()) - pen.line / 2
  }
}
