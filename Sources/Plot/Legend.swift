/// The legend of a plot.
struct Legend {
  let box: Rectangle
  let texts: [PlacedText]
  private let entries: [LegendEntry]

  // Matplotlib's measures, relative to the font size.
  private static let (padding, spacing, handle, gap, margin) = (0.4, 0.5, 2.0, 0.8, 0.5)
  private static let columnGap = 2.0

  /// The left edge of each column from that of the first, and the entries in a column.
  private let (columns, rows): ([Double], Int)

  /// Places the legend where the user wants it; by default where it covers nothing: at a corner or edge
  /// inside the frame if one is free, otherwise to the right of the frame.
  ///
  /// - Parameters:
  ///   - entries: The entries; at least one.
  ///   - place: The place and the number of columns.
  ///   - marks: The marks drawn inside the frame.
  ///   - beside: The first free column to the right of the frame.
  init(
    _ entries: [LegendEntry], _ place: LegendPlace, marks: [any Mark], in coordinates: Coordinates,
    beside: Int,
    _ pen: Pen
  ) throws(PlotError) {
    let (size, frame) = (pen.size, coordinates.frame)
    rows = (entries.count + place.columns - 1) / place.columns
    // The left edges of the columns and of one more.
    var edges = [0.0]
    for first in stride(from: 0, to: entries.count, by: rows) {
      let labels = entries[first..<min(first + rows, entries.count)].map(\.label)
      let widest = labels.map { pen.width(of: showingSpaces($0), size: size) }.max() ?? 0
      edges.append((edges.last ?? 0) + (Self.handle + Self.gap + Self.columnGap) * size + widest)
    }
    columns = edges
    let lines = Double(rows)
    let width = (2 * Self.padding - Self.columnGap) * size + (edges.last ?? 0)
    let height = (2 * Self.padding + (lines - 1) * Self.spacing + lines) * size
    let (w, h) = (Int(width.rounded(.up)), Int(height.rounded(.up)))
    let margin = Int((Self.margin * size).rounded())

    let (left, top) = (margin, margin)
    let (right, bottom) = (frame.width - margin - w, frame.height - margin - h)
    let (center, middle) = ((left + right) / 2, (top + bottom) / 2)
    // In the order in which matplotlib tries them.
    let corners: [(LegendLocation, Int, Int)] = [
      (.upperRight, right, top), (.upperLeft, left, top), (.lowerLeft, left, bottom),
      (.lowerRight, right, bottom), (.centerLeft, left, middle), (.centerRight, right, middle),
      (.lowerCenter, center, bottom), (.upperCenter, center, top), (.center, center, middle),
    ]
    var free = corners.first { $0.0 == place.location }
      .map { Rectangle(x: $0.1, y: $0.2, width: w, height: h) }
    if place.location == .best {
      let canvas = try Self.inside(of: coordinates, marks, pen)
      free = corners.map { Rectangle(x: $0.1, y: $0.2, width: w, height: h) }.first { box in
        box.intersection(canvas.bounds) == box && canvas.ink(in: box) == 0
      }
    }
    let box =
      free.map { Rectangle(x: frame.x + $0.x, y: frame.y + $0.y, width: w, height: h) }
      ?? Rectangle(x: beside + margin, y: frame.y, width: w, height: h)
    self.box = box
    self.entries = entries
    texts = entries.enumerated().map { [rows, columns] index, entry in
      PlacedText(
        entry.label,
        at: Point(
          x: Double(box.x) + columns[index / rows]
            + (Self.padding + Self.handle + Self.gap) * size,
          y: Self.middle(of: index % rows, in: box, size)), across: .start, down: .middle,
        size: size, pen)
    }
  }

  /// The plot inside the frame, drawn to see where nothing is.
  private static func inside(
    of coordinates: Coordinates, _ marks: [any Mark], _ pen: Pen
  ) throws(PlotError) -> Canvas {
    var canvas = Canvas(width: coordinates.frame.width, height: coordinates.frame.height)
    var inside = Coordinates(
      frame: canvas.bounds, x: coordinates.x, y: coordinates.y, runsDown: coordinates.runsDown)
    (inside.xscale, inside.yscale) = (coordinates.xscale, coordinates.yscale)
    for mark in marks {
      try mark.draw(on: &canvas, in: inside, pen)
      for text in mark.texts(in: inside, pen) { canvas.draw(text) }
    }
    return canvas
  }

  private static func middle(of row: Int, in box: Rectangle, _ size: Double) -> Double {
    Double(box.y) + (padding + 0.5 + Double(row) * (1 + spacing)) * size
  }

  func draw(on canvas: inout some Surface, _ pen: Pen) {
    let size = pen.size
    canvas.with(opacity: 0.8) { $0.fill(box, with: .white) }
    canvas.outline(box, width: pen.line, color: Color(red: 204, green: 204, blue: 204))
    for (index, entry) in entries.enumerated() {
      let left = Double(box.x) + Self.padding * size + columns[index / rows]
      let middle = Self.middle(of: index % rows, in: box, size)
      canvas.opacity = entry.alpha
      switch entry.sample {
      case .bar(let color):
        let height = Int(0.7 * size)
        canvas.fill(
          Rectangle(
            x: Int(left), y: Int(middle) - height / 2, width: Int(Self.handle * size),
            height: height), with: color)
      case .line(let stroke):
        let ends = [0, 1].map { Point(x: left + $0 * Self.handle * size, y: middle) }
        stroke.drawSample(from: ends[0], to: ends[1], on: &canvas, pen)
      }
      canvas.opacity = 1
    }
    for text in texts { canvas.draw(text) }
  }
}

/// Where a legend is, like matplotlib's `loc`.
public enum LegendLocation: Sendable, CaseIterable {
  /// Inside the plot where it covers nothing, otherwise to the right of it.
  case best
  case upperRight, upperLeft, lowerLeft, lowerRight, centerLeft, centerRight, lowerCenter
  case upperCenter, center
  /// To the right of the plot.
  case outside
}

/// What the user says about the place of a legend.
struct LegendPlace: Sendable {
  let location: LegendLocation
  let columns: Int
}
