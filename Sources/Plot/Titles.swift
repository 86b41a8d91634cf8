/// Titles wrapped and sized so that each fits a box of the same size, in one common font size.
struct Titles {
  /// The lines of each title; none for empty titles.
  private let paragraphs: [[String]]
  private let typeface: Typeface
  /// The font size in pixels.
  private let size: Double

  /// The largest size of titles, which is matplotlib's, and the smallest; in points.
  private static let (largest, smallest) = (12.0, 6.0)

  /// Finds the largest font size at which every title takes at most two lines (or its own number of
  /// lines) without broken words. At the smallest size, more lines and broken words are allowed, and
  /// text that still does not fit is truncated.
  ///
  /// - Parameters:
  ///   - texts: The titles.
  ///   - widths: The width available for each title in pixels.
  ///   - height: The height available for a title in pixels.
  ///   - points: The number of pixels per point.
  ///   - typeface: The font.
  /// - Throws: ``PlotError`` if not even one line fits at the smallest size.
  init(
    _ texts: [String], widths: [Int], height: Int, points: Double, typeface: Typeface
  ) throws(PlotError) {
    let texts = texts.map(showingSpaces)
    self.typeface = typeface
    var size = 0.0
    var room: [(width: Double, lines: Int)] = []
    var paragraphs: [Paragraph] = []
    var fits = false
    var sizes = stride(from: Self.largest, through: Self.smallest, by: -1).makeIterator()
    while !fits, let next = sizes.next() {
      size = next * points
      room = widths.map { Self.room(width: $0, height: height, size: size, typeface: typeface) }
      paragraphs = zip(texts, room).map {
        Paragraph($0, width: $1.width, measure: typeface.width)
      }
      fits = texts.indices.allSatisfy { i in
        let lines = max(2, texts[i].count(where: \.isNewline) + 1)
        return !paragraphs[i].hasBrokenWords
          && paragraphs[i].lines.count <= min(lines, room[i].lines)
      }
    }
    if !fits {
      guard room.allSatisfy({ $0.lines > 0 && $0.width >= 1 }) else {
        throw PlotError(
          "titles do not fit: each has \(widths.min() ?? 0) × \(height) pixels, "
            + "a line is \(Int(size)) pixels high; make the figure larger")
      }
      for i in paragraphs.indices {
        paragraphs[i].cut(
          to: room[i].lines, width: room[i].width, measure: typeface.width)
      }
    }
    self.size = size
    self.paragraphs = paragraphs.map(\.lines)
  }

  /// The maximum width of a line relative to the font size, and the number of lines that fit.
  private static func room(
    width: Int, height: Int, size: Double, typeface: Typeface
  ) -> (width: Double, lines: Int) {
    // A glyph may extend slightly beyond its advance width.
    let overhang = 0.2
    let lines = (Double(height) / size - distance(typeface)) / lineHeight(typeface)
    return (Double(width) / size - overhang, Int(max(0, lines)))
  }

  private static func lineHeight(_ typeface: Typeface) -> Double {
    typeface.ascent + typeface.descent
  }

  /// The distance from the last baseline to the plot below, which includes descenders.
  private static func distance(_ typeface: Typeface) -> Double {
    max(0.5, typeface.descent)
  }

  /// The height of a title in pixels.
  func height(of index: Int) -> Int {
    let lines = Double(paragraphs[index].count)
    guard lines > 0 else { return 0 }
    let ems = Self.lineHeight(typeface) * lines + Self.distance(typeface) - typeface.descent
    return Int((ems * size).rounded(.up))
  }

  /// A title, centered around the column `center`, above the row `bottom`.
  func text(of index: Int, center: Int, bottom: Int, color: Color) -> PlacedText {
    let lines = paragraphs[index]
    return PlacedText(
      lines.enumerated().map { number, line in
        let above = Double(lines.count - 1 - number) * Self.lineHeight(typeface)
        let baseline = Double(bottom) - (Self.distance(typeface) + above) * size
        let start = Double(center) - typeface.width(of: line) * size / 2
        return TextLine(
          text: line, origin: Point(x: start.rounded(), y: baseline.rounded()), size: size,
          isRotated: false, typeface: typeface)
      }, color: color)
  }
}
