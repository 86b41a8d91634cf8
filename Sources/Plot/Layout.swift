/// Where the parts of a figure are.
///
/// All axes get areas of one size. Titles stand centred above what their axes show; each row of axes
/// keeps as much room above it as its longest title takes, so that no two titles meet.
package struct Layout {
  /// A title in its place.
  package struct Title {
    package var glyphs: [Glyph]
    package var color: Color
    /// The smallest rectangle around its ink.
    package var ink: Rectangle {
      glyphs.reduce(Rectangle(x: 0, y: 0, width: 0, height: 0)) { $0.union($1.frame) }
    }
  }

  /// The figure's size in pixels.
  package let width: Int
  package let height: Int
  /// Where axes show things, axes by axes.
  package private(set) var areas: [Rectangle] = []
  package private(set) var titles: [Title] = []

  /// - Throws: ``PlotError``, when no font is installed, or the figure is too small for its titles.
  package init(_ figure: Figure) throws(PlotError) {
    let (exactWidth, exactHeight) = (
      figure.size.width * figure.dpi, figure.size.height * figure.dpi
    )
    let allowed = 1.0...65535
    guard allowed.contains(exactWidth) && allowed.contains(exactHeight) else {
      throw PlotError(
        "expected a figure of 1 to 65535 pixels in each direction, got \(figure.size.width) × "
          + "\(figure.size.height) inches with \(figure.dpi) dpi")
    }
    width = Int(exactWidth.rounded())
    height = Int(exactHeight.rounded())
    let points = figure.dpi / 72
    // Margins and gaps as matplotlib's tight layout has them.
    let gap = max(1, Int((10.8 * points).rounded()))
    let (rows, columns) = (figure.rows, figure.columns)
    let columnWidth = (width - (columns + 1) * gap) / columns
    let left = (width - columns * columnWidth - (columns - 1) * gap) / 2
    var top = gap

    var typeface: Typeface?
    if !figure.supertitle.isEmpty || figure.axes.contains(where: { !$0.title.isEmpty }) {
      typeface = try Typeface(FontFile.standard.get())
    }
    if let typeface, !figure.supertitle.isEmpty {
      let heading = try Titles(
        [figure.supertitle], width: width - 2 * gap, height: height / 2, points: points,
        typeface: typeface)
      top += heading.height(of: 0)
      titles.append(
        Title(glyphs: heading.glyphs(of: 0, centre: width / 2, bottom: top), color: .black))
      top += gap / 2
    }

    let rowsHeight = height - top - rows * gap
    guard columnWidth > 0 && rowsHeight >= rows else {
      throw PlotError(
        "a figure of \(width) × \(height) pixels has no room for \(rows) × \(columns) axes; "
          + "make it larger")
    }
    let fitted = try typeface.map { typeface throws(PlotError) in
      try Titles(
        figure.axes.map(\.title), width: columnWidth, height: rowsHeight / rows / 2, points: points,
        typeface: typeface)
    }
    let titleHeights = (0..<rows).map { row in
      (0..<columns).map { fitted?.height(of: row * columns + $0) ?? 0 }.max() ?? 0
    }
    let areaHeight = (rowsHeight - titleHeights.reduce(0, +)) / rows
    for row in 0..<rows {
      top += titleHeights[row]
      for column in 0..<columns {
        let axes = figure[row, column]
        let area = Rectangle(
          x: left + column * (columnWidth + gap), y: top, width: columnWidth, height: areaHeight)
        areas.append(area)
        let glyphs = fitted?.glyphs(
          of: row * columns + column, centre: area.x + area.width / 2,
          bottom: axes.drawables.map { $0.frame(in: area).y }.min() ?? area.y)
        if let glyphs { titles.append(Title(glyphs: glyphs, color: axes.titleColor)) }
      }
      top += areaHeight + gap
    }
  }
}
