/// Titles with line breaks and one font size with which each of them fits a place of the same size.
struct Titles {
  /// A title's lines, none if it is empty.
  private let paragraphs: [[String]]
  private let typeface: Typeface
  /// The font's size in pixels.
  private let size: Double

  /// Matplotlib's size of titles, and the size below which titles are cut rather than made smaller;
  /// in points.
  private static let (largest, smallest) = (12.0, 6.0)

  /// Finds the largest font size with which every title takes at most two lines (or as many as it has
  /// itself) and no word is broken; with the smallest size, more lines and broken words are allowed,
  /// and what then still does not fit is cut.
  ///
  /// - Parameters:
  ///   - texts: The titles.
  ///   - width: The width of a title's place in pixels.
  ///   - height: The height of a title's place in pixels.
  ///   - points: Pixels per point.
  ///   - typeface: The font.
  /// - Throws: ``PlotError``, when not even one line of the smallest size fits.
  init(
    _ texts: [String], width: Int, height: Int, points: Double, typeface: Typeface
  ) throws(PlotError) {
    let texts = texts.map(showingSpaces)
    self.typeface = typeface
    var size = 0.0
    var room = (width: 0.0, lines: 0)
    var paragraphs: [Paragraph] = []
    var fits = false
    var sizes = stride(from: Self.largest, through: Self.smallest, by: -1).makeIterator()
    while !fits, let next = sizes.next() {
      size = next * points
      room = Self.room(width: width, height: height, size: size, typeface: typeface)
      paragraphs = texts.map { Paragraph($0, width: room.width, measure: typeface.width) }
      fits = zip(texts, paragraphs).allSatisfy { text, paragraph in
        let lines = max(2, text.count(where: \.isNewline) + 1)
        return !paragraph.hasBrokenWords && paragraph.lines.count <= min(lines, room.lines)
      }
    }
    if !fits {
      guard room.lines > 0 && room.width >= 1 else {
        throw PlotError(
          "titles have no room: places of \(width) × \(height) pixels, "
            + "a line is \(Int(size)) pixels high; make the figure larger")
      }
      for i in paragraphs.indices {
        paragraphs[i].cut(to: room.lines, width: room.width, measure: typeface.width)
      }
    }
    self.size = size
    self.paragraphs = paragraphs.map(\.lines)
  }

  /// How wide a line may be, in parts of the font's size, and how many lines there is room for.
  private static func room(
    width: Int, height: Int, size: Double, typeface: Typeface
  ) -> (width: Double, lines: Int) {
    // A letter's ink may stick out of its width a little.
    let overhang = 0.2
    let lines = (Double(height) / size - distance(typeface)) / lineHeight(typeface)
    return (Double(width) / size - overhang, Int(max(0, lines)))
  }

  private static func lineHeight(_ typeface: Typeface) -> Double {
    typeface.ascent + typeface.descent
  }

  /// From the last baseline to what is below the title; the letters' descents reach into it.
  private static func distance(_ typeface: Typeface) -> Double {
    max(0.5, typeface.descent)
  }

  /// The room that a title needs, in pixels.
  func height(of index: Int) -> Int {
    let lines = Double(paragraphs[index].count)
    guard lines > 0 else { return 0 }
    let ems = Self.lineHeight(typeface) * lines + Self.distance(typeface) - typeface.descent
    return Int((ems * size).rounded(.up))
  }

  /// A title's letters, line by line around a vertical line at `centre`, above `bottom`.
  func glyphs(of index: Int, centre: Int, bottom: Int) -> [Glyph] {
    let lines = paragraphs[index]
    return lines.enumerated().flatMap { number, line in
      let above = Double(lines.count - 1 - number) * Self.lineHeight(typeface)
      let baseline = Double(bottom) - (Self.distance(typeface) + above) * size
      let start = Double(centre) - typeface.width(of: line) * size / 2
      return typeface.glyphs(of: line, size: size).map {
        $0.moved(x: Int(start.rounded()), y: Int(baseline.rounded()))
      }
    }
  }
}
