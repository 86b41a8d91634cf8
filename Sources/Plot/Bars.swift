import Foundation

/// A bar chart: a bar for each of some categories, its name below.
///
/// ```text
/// 4000 ┬        ┌──┐
/// 2000 ┤  ┌──┐  │  │      heights count from 0
///    0 ┼──┴──┴──┴──┴──
///       first  second
/// ```
struct Bars: Drawable {
  let labels: [String]
  let heights: [Double]
  let color: Color

  /// Matplotlib's size of tick labels and the size below which they are not made smaller, in points.
  private static let (largest, smallest) = (10.0, 6.0)
  /// The share of a category's width that its bar takes.
  private static let barShare = 0.8

  func frame(in area: Rectangle) -> Rectangle { area }

  func draw(on canvas: inout Canvas, in frame: Rectangle, points: Double) throws(PlotError) {
    let typeface = try Typeface(FontFile.standard.get())
    let ticks = Ticks(upTo: heights.max() ?? 0)
    var size = Self.largest * points
    let line = max(1, Int((0.8 * points).rounded()))
    let tickLength = Int((3.5 * points).rounded())
    let tickWidth = ticks.labels.map { typeface.width(of: $0) }.max() ?? 0

    func plot(rows: Int) -> Rectangle {
      let left = Int((tickWidth * size).rounded(.up)) + 2 * tickLength
      let below = tickLength + Int((Double(rows) * typeface.lineHeight * size).rounded(.up))
      // The topmost tick's label reaches above its tick.
      let above = Int(size / 2)
      return Rectangle(
        x: frame.x + left, y: frame.y + above, width: frame.width - left - line,
        height: frame.height - above - below)
    }
    var names = LabelRows(labels, in: plot(rows: 1), frame: frame, size: size, typeface)
    while names.count > LabelRows.wanted, size > Self.smallest * points {
      size -= points
      names = LabelRows(labels, in: plot(rows: 1), frame: frame, size: size, typeface)
    }
    let plot = plot(rows: names.count)
    guard plot.width > labels.count, plot.height > 2 * tickLength else {
      throw PlotError(
        "\(labels.count) bars and their names have no room in \(frame.width) × \(frame.height) "
          + "pixels; make the figure larger")
    }

    func y(of value: Double) -> Int {
      plot.maxY - Int((value / ticks.top * Double(plot.height)).rounded())
    }
    for (index, height) in heights.enumerated() {
      let (left, right) = slot(index, in: plot)
      let margin = (right - left) * (1 - Self.barShare) / 2
      let (x, end) = (Int((left + margin).rounded()), Int((right - margin).rounded()))
      canvas.fill(
        Rectangle(
          x: x, y: y(of: height), width: max(1, end - x), height: plot.maxY - y(of: height)),
        with: color)
    }
    for edge in [
      Rectangle(x: plot.x - line, y: plot.y, width: line, height: plot.height + line),
      Rectangle(x: plot.x - line, y: plot.maxY, width: plot.width + line, height: line),
    ] { canvas.fill(edge, with: .black) }
    for (value, label) in zip(ticks.values, ticks.labels) {
      let x = plot.x - line - tickLength
      canvas.fill(
        Rectangle(x: x, y: y(of: value), width: tickLength, height: line), with: .black)
      let start = Double(x - tickLength / 2) - typeface.width(of: label) * size
      let baseline = Double(y(of: value)) + Self.digitHeight * size / 2
      canvas.write(label, x: start, baseline: baseline, size: size, typeface)
    }
    for name in names.places {
      let top = Double(plot.maxY + tickLength) + Double(name.row) * typeface.lineHeight * size
      canvas.write(
        name.label, x: name.x, baseline: top + typeface.ascent * size, size: size, typeface)
    }
  }

  /// The height of digits in parts of the font's size.
  private static let digitHeight = 0.72

  private func slot(_ index: Int, in plot: Rectangle) -> (left: Double, right: Double) {
    let width = Double(plot.width) / Double(labels.count)
    return (Double(plot.x) + Double(index) * width, Double(plot.x) + Double(index + 1) * width)
  }
}

/// Round numbers along an axis that starts at 0.
package struct Ticks: Equatable {
  package let values: [Double]
  /// The end of the axis.
  package let top: Double

  /// About five of them, at steps of 1, 2 or 5 times a power of ten.
  package init(upTo largest: Double) {
    guard largest > 0 else {
      (values, top) = ([0], 1)
      return
    }
    let power = pow(10, (log10(largest / 5)).rounded(.down))
    let step = [1, 2, 5, 10].map { $0 * power }.first { largest / $0 <= 6 } ?? power
    values = (0...Int(largest / step)).map { Double($0) * step }
    // Matplotlib leaves a twentieth above the highest bar.
    top = largest * 1.05
  }

  package var labels: [String] { values.map { String(format: "%.6g", $0) } }
}

/// Labels below an axis, each under the middle of its place; where neighbours would touch, the next
/// goes one row down.
private struct LabelRows {
  /// With more rows than that, a smaller font is tried.
  static let wanted = 3

  private(set) var places: [(label: String, x: Double, row: Int)] = []
  /// The number of rows.
  var count: Int { (places.map(\.row).max() ?? 0) + 1 }

  init(
    _ labels: [String], in plot: Rectangle, frame: Rectangle, size: Double, _ typeface: Typeface
  ) {
    let gap = 0.3 * size
    var ends: [Double] = []
    for (index, text) in labels.enumerated() {
      let label = showingSpaces(text)
      let width = typeface.width(of: label) * size
      let centre =
        Double(plot.x) + (Double(index) + 0.5) * Double(plot.width) / Double(labels.count)
      let x = min(max(centre - width / 2, Double(frame.x)), Double(frame.maxX) - width)
      let row = ends.firstIndex { $0 + gap <= x } ?? ends.count
      if row == ends.count { ends.append(0) }
      ends[row] = x + width
      places.append((label, x, row))
    }
  }
}

extension Typeface {
  fileprivate var lineHeight: Double { ascent + descent }
}

extension Canvas {
  /// Writes a line of text in black.
  fileprivate mutating func write(
    _ text: String, x: Double, baseline: Double, size: Double, _ typeface: Typeface
  ) {
    for glyph in typeface.glyphs(of: text, size: size) {
      draw(glyph, x: Int(x.rounded()), y: Int(baseline.rounded()), color: .black)
    }
  }
}
