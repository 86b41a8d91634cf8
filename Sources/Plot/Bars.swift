/// A bar chart with one or more bars per category.
///
/// ```text
/// 4000 ┬        ┌──┐
/// 2000 ┤  ┌──┐  │  │      bars start at 0, negative ones hang from it
///    0 ┼──┴──┴──┴──┴──
///       first  second
/// ```
struct Bars: Mark {
  let labels: [String]
  /// Each series has a color.
  let series: [BarSeries]
  /// Whether the bars of a category are stacked instead of side by side.
  let isStacked: Bool
  /// Whether bars are horizontal, the first one at the top.
  let isHorizontal: Bool
  /// The number of decimals of the values written at the bars; `nil` if none are written.
  let decimals: Int?
  var alpha = 1.0

  /// The fraction of a category's width that its bars cover.
  private static let barShare = 0.8

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) {
    let ends = bars.map(\.end)
    // An error bar may reach to the other side of 0.
    var values = Extent(ends + bars.filter { $0.error > 0 }.map(\.start) + [0])
    // A scale from 0 to 1 has fractional ticks, even if all bars are 0 or 1.
    values.isWhole = values.isWhole && (ends.map(abs).max() ?? 0) > 1
    values = values.startingAtZero(
      series.flatMap(\.values) + bars.filter { $0.error > 0 }.map(\.start), allowsZero: isStacked)
    if decimals != nil && !isStacked {
      func room(_ values: [Double]) -> Double {
        let widest = values.map { pen.width(of: text($0), size: pen.size) }.max()
        return widest.map { 6 * pen.points + (isHorizontal ? $0 : pen.capHeight(pen.size)) } ?? 0
      }
      let all = series.flatMap(\.values)
      values.room = room(all.filter { $0 >= 0 })
      values.roomBelow = room(all.filter { $0 < 0 })
    }
    let names = Extent(categories: labels, margin: 0.1)
    return isHorizontal ? (values, names) : (names, values)
  }

  var legend: [LegendEntry] {
    series.filter { !$0.label.isEmpty }.map {
      LegendEntry(label: $0.label, sample: .bar($0.color ?? .blue), alpha: alpha)
    }
  }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen)
    throws(PlotError)
  {
    let length = isHorizontal ? coordinates.frame.height : coordinates.frame.width
    let count = labels.count * (isStacked ? 1 : series.count)
    guard length > count else {
      throw PlotError("\(count) bars do not fit into \(length) pixels; make the figure larger")
    }
    for bar in bars {
      var box = box(of: bar, in: coordinates)
      if isHorizontal { box.height = max(1, box.height) } else { box.width = max(1, box.width) }
      canvas.fill(box, with: bar.color)
    }
    if bars.contains(where: { $0.value < 0 }) { drawZero(on: &canvas, in: coordinates, pen) }
    // Drawn after all bars, so that no bar covers an error bar.
    let (line, cap) = ((1.2 * pen.points).rounded(.up), 3 * pen.points)
    for bar in bars where bar.error > 0 {
      let ends = [bar.to - bar.error, bar.to + bar.error].map {
        point($0, bar.middle, in: coordinates).snapped(toWidth: line)
      }
      canvas.stroke(ends, width: line, color: .black)
      for end in ends {
        let (dx, dy) = isHorizontal ? (0, cap) : (cap, 0)
        canvas.stroke(
          [Point(x: end.x - dx, y: end.y - dy), Point(x: end.x + dx, y: end.y + dy)], width: line,
          color: .black)
      }
    }
  }

  /// The line that all bars start at.
  private func drawZero(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen) {
    let frame = coordinates.frame
    let zero = isHorizontal ? coordinates.x(of: 0) : coordinates.y(of: 0)
    let edge = Int(clamping: zero.rounded()) - pen.line / 2
    canvas.fill(
      isHorizontal
        ? Rectangle(x: edge, y: frame.y, width: pen.line, height: frame.height)
        : Rectangle(x: frame.x, y: edge, width: frame.width, height: pen.line), with: .black)
  }

  /// The values of the bars, if they all fit the bars' width at some size.
  func texts(in coordinates: Coordinates, _ pen: Pen) -> [PlacedText] {
    guard decimals != nil else { return [] }
    let bars = bars
    let gap = 2 * pen.points
    let breadth = bars.map { bar in
      let box = box(of: bar, in: coordinates)
      return Double(isHorizontal ? box.height : box.width)
    }
    let size = pen.sizes.first { size in
      zip(bars, breadth).allSatisfy { bar, breadth in
        let width = pen.width(of: text(bar.value), size: size)
        return (isHorizontal ? pen.capHeight(size) : width) <= breadth
      }
    }
    guard let size else { return [] }
    if isStacked {
      return bars.compactMap { bar in
        let box = box(of: bar, in: coordinates)
        let room = isHorizontal ? box.width : box.height
        let needed =
          isHorizontal ? pen.width(of: text(bar.value), size: size) : pen.capHeight(size)
        guard Double(room) >= needed + 2 * gap else { return nil }
        return PlacedText(
          text(bar.value), at: point((bar.from + bar.to) / 2, bar.middle, in: coordinates),
          across: .middle, down: .middle, size: size, pen, color: bar.color.contrast)
      }
    }
    return bars.compactMap { bar in
      var end = point(bar.end, bar.middle, in: coordinates)
      // The end of the bar may be outside limits set by the user.
      guard coordinates.frame.contains(end) else { return nil }
      let isDown = bar.value < 0
      let distance = isDown ? -gap : gap
      if isHorizontal { end.x += 2 * distance } else { end.y -= 1.5 * distance }
      return PlacedText(
        text(bar.value), at: end, across: isHorizontal ? (isDown ? .end : .start) : .middle,
        down: isHorizontal ? .middle : (isDown ? .start : .end), size: size, pen)
    }
  }

  /// A bar in data coordinates.
  private struct Bar {
    let value: Double
    /// The ends along the value axis.
    let (from, to): (Double, Double)
    /// The sides along the category axis.
    let sides: (Double, Double)
    let error: Double
    let color: Color

    var middle: Double { (sides.0 + sides.1) / 2 }
    /// The end of the bar or of its error bar that is farther from 0.
    var end: Double { value < 0 ? to - error : to + error }
    /// The other end of the error bar.
    var start: Double { value < 0 ? to + error : to - error }
  }

  private var bars: [Bar] {
    var bars: [Bar] = []
    let width = Self.barShare / Double(isStacked ? 1 : series.count)
    // The ends of the stacks above and below 0.
    var (tops, bottoms) = (
      [Double](repeating: 0, count: labels.count), [Double](repeating: 0, count: labels.count)
    )
    for (number, series) in series.enumerated() {
      for (index, value) in series.values.enumerated() {
        let left = Double(index) - Self.barShare / 2 + (isStacked ? 0 : Double(number) * width)
        let from = value < 0 ? bottoms[index] : tops[index]
        bars.append(
          Bar(
            value: value, from: from, to: from + value, sides: (left, left + width),
            error: series.errors.isEmpty ? 0 : series.errors[index],
            color: series.color ?? .blue))
        guard isStacked else { continue }
        if value < 0 { bottoms[index] += value } else { tops[index] += value }
      }
    }
    return bars
  }

  private func box(of bar: Bar, in coordinates: Coordinates) -> Rectangle {
    let ends = (bar.from, bar.to)
    return isHorizontal
      ? coordinates.rectangle(x: ends, y: bar.sides)
      : coordinates.rectangle(x: bar.sides, y: ends)
  }

  private func point(_ value: Double, _ middle: Double, in coordinates: Coordinates) -> Point {
    isHorizontal ? coordinates.point(value, middle) : coordinates.point(middle, value)
  }

  private func text(_ value: Double) -> String { decimal(value, decimals ?? 0) }
}

/// One series of a bar chart: one bar per category.
public struct BarSeries: Sendable {
  /// The name in the legend.
  public let label: String
  /// One finite value per category.
  public let values: [Double]
  /// The half lengths of the error bars, one per category; empty for none.
  public let errors: [Double]
  /// The color of the bars; the next of ``Color/cycle`` by default.
  public let color: Color?

  public init(_ label: String, _ values: [Double], errors: [Double] = [], color: Color? = nil) {
    self.label = label
    self.values = values
    self.errors = errors
    self.color = color
  }
}
