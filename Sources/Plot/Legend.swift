/// The legend of a plot.
struct Legend {
  let box: Rectangle
  let texts: [PlacedText]
  private let entries: [LegendEntry]

  // Matplotlib's measures, relative to the font size.
  private static let (padding, spacing, handle, gap, margin) = (0.4, 0.5, 2.0, 0.8, 0.5)

  /// Places the legend where it covers nothing: at a corner or edge inside the frame if one is free,
  /// otherwise to the right of the frame.
  ///
  /// - Parameters:
  ///   - entries: The entries; at least one.
  ///   - marks: The marks drawn inside the frame.
  ///   - beside: The first free column to the right of the frame.
  init(
    _ entries: [LegendEntry], marks: [any Mark], in coordinates: Coordinates, beside: Int,
    _ pen: Pen
  ) throws(PlotError) {
    let (size, frame) = (pen.size, coordinates.frame)
    let widest = entries.map { pen.width(of: showingSpaces($0.label), size: size) }.max() ?? 0
    let lines = Double(entries.count)
    let width = (2 * Self.padding + Self.handle + Self.gap) * size + widest
    let height = (2 * Self.padding + (lines - 1) * Self.spacing + lines) * size
    let (w, h) = (Int(width.rounded(.up)), Int(height.rounded(.up)))
    let margin = Int((Self.margin * size).rounded())

    var canvas = Canvas(width: frame.width, height: frame.height)
    let inside = Coordinates(
      frame: canvas.bounds, x: coordinates.x, y: coordinates.y, runsDown: coordinates.runsDown)
    for mark in marks {
      try mark.draw(on: &canvas, in: inside, pen)
      for text in mark.texts(in: inside, pen) { canvas.draw(text) }
    }
    let (left, top) = (margin, margin)
    let (right, bottom) = (frame.width - margin - w, frame.height - margin - h)
    let (center, middle) = ((left + right) / 2, (top + bottom) / 2)
    // In the order in which matplotlib tries them.
    let candidates = [
      (right, top), (left, top), (left, bottom), (right, bottom), (left, middle), (right, middle),
      (center, bottom), (center, top), (center, middle),
    ]
    let free = candidates.map { Rectangle(x: $0.0, y: $0.1, width: w, height: h) }.first { box in
      box.intersection(canvas.bounds) == box && canvas.ink(in: box) == 0
    }
    let box =
      free.map { Rectangle(x: frame.x + $0.x, y: frame.y + $0.y, width: w, height: h) }
      ?? Rectangle(x: beside + margin, y: frame.y, width: w, height: h)
    self.box = box
    self.entries = entries
    texts = entries.enumerated().map { index, entry in
      PlacedText(
        entry.label,
        at: Point(
          x: Double(box.x) + (Self.padding + Self.handle + Self.gap) * size,
          y: Self.middle(of: index, in: box, size)), across: .start, down: .middle, size: size, pen)
    }
  }

  private static func middle(of index: Int, in box: Rectangle, _ size: Double) -> Double {
    Double(box.y) + (padding + 0.5 + Double(index) * (1 + spacing)) * size
  }

  func draw(on canvas: inout Canvas, _ pen: Pen) {
    let size = pen.size
    canvas.fill(box, with: .white, opacity: 0.8)
    canvas.outline(box, width: pen.line, color: Color(red: 204, green: 204, blue: 204))
    for (index, entry) in entries.enumerated() {
      let left = Double(box.x) + Self.padding * size
      let middle = Self.middle(of: index, in: box, size)
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
    }
    for text in texts { canvas.draw(text) }
  }
}
