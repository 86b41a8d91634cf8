/// A matrix drawn as colored squares, row 0 at the top.
struct HeatMap: Mark {
  /// The matrix, row by row.
  let values: [[Double]]
  let (xticklabels, yticklabels): ([String], [String])
  let colormap: Colormap
  /// The values with the first and the last color.
  let range: ClosedRange<Double>
  /// The number of decimals of the values written into the cells; `nil` if none are written.
  let decimals: Int?
  var alpha = 1.0

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) {
    (Extent(categories: xticklabels), Extent(categories: yticklabels))
  }

  var cells: (columns: Int, rows: Int)? { (values[0].count, values.count) }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen) {
    let bytes = values.joined().flatMap { value in
      let color = color(of: value)
      return [color.red, color.green, color.blue]
    }
    let bitmap = Bitmap(width: values[0].count, height: values.count, channels: 3, bytes: bytes)
    canvas.draw(bitmap, in: coordinates.frame)
  }

  /// The values, if all of them fit their cells at some size.
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

  /// The color of a value; white for NaN and infinity.
  private func color(of value: Double) -> Color {
    value.isFinite ? scale.color(of: value) : .white
  }

  private var scale: ColorScale {
    ColorScale(
      colormap: colormap, range: range,
      isWhole: values.joined().allSatisfy { $0 == $0.rounded() })
  }

  var colorScale: ColorScale? { scale }
}

/// Which color a value has.
struct ColorScale: Sendable {
  let colormap: Colormap
  /// The values with the first and the last color.
  let range: ClosedRange<Double>
  /// Whether all values are whole numbers.
  let isWhole: Bool

  func color(of value: Double) -> Color {
    colormap.color(
      of: isWide(range)
        ? (value - range.lowerBound) / (range.upperBound - range.lowerBound) : 0)
  }
}

/// The color bar of a heat map or of colored points: a strip of the colors with ticks.
struct ColorBar {
  let frame: Rectangle
  let texts: [PlacedText]
  private let colormap: Colormap
  private let ticks: [Double]

  /// - Parameters:
  ///   - map: The colors.
  ///   - label: The name of the quantity.
  ///   - plot: The frame of the plot; the bar is to its right.
  init(of map: ColorScale, label: String, beside plot: Rectangle, _ pen: Pen) {
    colormap = map.colormap
    frame = Rectangle(
      x: plot.maxX + Int(12 * pen.points), y: plot.y,
      width: max(pen.tick, min(plot.height / 20, Int(15 * pen.points))), height: plot.height)
    let low = map.range.lowerBound
    let range = isWide(map.range) ? map.range : low...low + max(1, abs(low) * 1e-6)
    var extent = Extent([range.lowerBound, range.upperBound])
    extent.isWhole = extent.isWhole && map.isWhole
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

  func draw(on canvas: inout some Surface, _ pen: Pen) {
    let bytes = (0..<frame.height).flatMap { y in
      let share = (Double(frame.height - 1 - y) + 0.5) / Double(frame.height)
      let color = colormap.color(of: share)
      return [color.red, color.green, color.blue]
    }
    canvas.draw(Bitmap(width: 1, height: frame.height, channels: 3, bytes: bytes), in: frame)
    canvas.outline(frame, width: pen.line, color: .black)
    for tick in ticks {
      canvas.fill(
        Rectangle(
          x: frame.maxX + pen.line, y: Int(clamping: tick.rounded()) - pen.line / 2,
          width: pen.tick,
          height: pen.line), with: .black)
    }
  }
}
