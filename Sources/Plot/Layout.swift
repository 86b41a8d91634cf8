/// The layout of a figure.
///
/// All axes get areas of the same size, aligned in rows and columns; axes that span cells get these
/// together. Titles are centered above the
/// contents of their axes. Each row reserves the height of its tallest title, and each row and column
/// the space of its labels, legends and color bars, so that nothing overlaps.
package struct Layout {
  /// The size of the figure in pixels.
  package let width: Int
  package let height: Int
  /// The area of each axes.
  package private(set) var areas: [Rectangle] = []
  package private(set) var titles: [PlacedText] = []
  /// The layouts of the axes with data; `nil` for the others.
  package private(set) var plots: [PlotLayout?] = []

  /// - Throws: ``PlotError`` if the figure has input that cannot be drawn or is too small for its
  ///   contents, or no font is installed.
  package init(_ figure: Figure) throws(PlotError) {
    try figure.check()
    (width, height) = figure.pixels
    let points = figure.dpi / 72
    // The margins and gaps of matplotlib's tight layout.
    let gap = max(1, Int((10.8 * points).rounded()))
    var top = gap

    var pen: Pen?
    if !figure.supertitle.isEmpty
      || figure.axes.contains(where: { !$0.title.isEmpty || !$0.marks.isEmpty })
    {
      pen = try Pen(figure.font, points: points)
    }
    if let pen, !figure.supertitle.isEmpty {
      let heading = try Titles(
        [figure.supertitle], widths: [width - 2 * gap], height: height / 2, points: points,
        typeface: pen.typeface)
      top += heading.height(of: 0)
      titles.append(heading.text(of: 0, center: width / 2, bottom: top, color: .black))
      top += gap / 2
    }

    // Labels depend on the size of the plots, and that on the space for labels: the space grows until
    // all labels fit.
    var room = Room(rows: figure.rows, columns: figure.columns)
    while true {
      let grid = try Grid(
        of: figure, in: Rectangle(x: 0, y: top, width: width, height: height - top), gap: gap,
        room: room, pen)
      plots = try figure.axes.enumerated().map { index, axes throws(PlotError) in
        guard let pen, !axes.marks.isEmpty else { return nil }
        let cells = figure.cells(of: index)
        let cell = Rectangle(
          x: 0, y: 0, width: width / figure.columns * cells.columns,
          height: (height - top) / figure.rows * cells.rows)
        return try PlotLayout(
          axes, figure.axes.count > 1 ? "axes \(index): " : "", in: grid.areas[index], of: cell, pen
        )
      }
      let larger = room.enlarged(for: plots, of: figure, in: grid.areas)
      if larger == room {
        areas = grid.areas
        titles += grid.titles(of: figure, plots)
        return
      }
      room = larger
    }
  }
}

/// The pixels reserved for labels left and right of each column of axes, above and below each row.
private struct Room: Equatable {
  var (left, right): ([Int], [Int])
  var (above, below): ([Int], [Int])

  init(rows: Int, columns: Int) {
    let (row, column) = ([Int](repeating: 0, count: rows), [Int](repeating: 0, count: columns))
    (left, right, above, below) = (column, column, row, row)
  }

  /// The room enlarged so that each plot fits, whose frame alone is inside its area.
  func enlarged(for plots: [PlotLayout?], of figure: Figure, in areas: [Rectangle]) -> Room {
    var room = self
    for (index, (plot, area)) in zip(plots, areas).enumerated() {
      guard let bounds = plot?.bounds else { continue }
      let cells = figure.cells(of: index)
      let (row, column) = (cells.row, cells.column)
      let (last, lowest) = (cells.lastColumn, cells.lastRow)
      room.left[column] = max(room.left[column], area.x - bounds.x)
      room.right[last] = max(room.right[last], bounds.maxX - area.maxX)
      room.above[row] = max(room.above[row], area.y - bounds.y)
      room.below[lowest] = max(room.below[lowest], bounds.maxY - area.maxY)
    }
    return room
  }
}

/// The areas of axes, and the titles above them.
private struct Grid {
  private(set) var areas: [Rectangle] = []
  private let fitted: Titles?

  /// - Throws: ``PlotError`` if there is not enough space.
  init(
    of figure: Figure, in page: Rectangle, gap: Int, room: Room, _ pen: Pen?
  ) throws(PlotError) {
    let (rows, columns) = (figure.rows, figure.columns)
    let sides = zip(room.left, room.right).reduce(0) { $0 + $1.0 + $1.1 }
    let columnWidth = (page.width - (columns + 1) * gap - sides) / columns
    let between = zip(room.above, room.below).reduce(0) { $0 + $1.0 + $1.1 }
    let rowsHeight = page.height - rows * gap - between
    guard columnWidth > 0 && rowsHeight >= rows else {
      throw PlotError(
        "a figure of \(page.maxX) × \(page.maxY) pixels has no room for \(rows) × \(columns) axes"
          + (sides + between > 0 ? " with their labels" : "") + "; make it larger")
    }
    // A title may extend over the labels on both sides as far as there is space on each.
    let beside = zip(room.left, room.right).map { min($0, $1) }.min() ?? 0
    fitted = try pen.map { pen throws(PlotError) in
      try Titles(
        figure.axes.map(\.title),
        widths: figure.axes.indices.map { index in
          let cells = figure.cells(of: index)
          let columns = cells.column...cells.lastColumn
          let labels = columns.dropFirst().reduce(0) {
            $0 + room.left[$1] + room.right[$1 - 1] + gap
          }
          return columns.count * columnWidth + labels + 2 * beside
        }, height: rowsHeight / rows / 2,
        points: pen.points, typeface: pen.typeface)
    }
    let titleHeights = (0..<rows).map { row in
      (0..<columns).map { fitted?.height(of: row * columns + $0) ?? 0 }.max() ?? 0
    }
    let areaHeight = (rowsHeight - titleHeights.reduce(0, +)) / rows
    var top = page.y
    for row in 0..<rows {
      top += titleHeights[row] + room.above[row]
      var left = (page.width - columns * columnWidth - (columns - 1) * gap - sides) / 2
      for column in 0..<columns {
        left += room.left[column]
        areas.append(Rectangle(x: left, y: top, width: columnWidth, height: areaHeight))
        left += columnWidth + room.right[column] + gap
      }
      top += areaHeight + room.below[row] + gap
    }
    let single = areas
    for index in areas.indices {
      let cells = figure.cells(of: index)
      areas[index] = single[index].union(single[cells.lastRow * columns + cells.lastColumn])
    }
  }

  /// The titles, each just above the contents of its axes.
  func titles(of figure: Figure, _ plots: [PlotLayout?]) -> [PlacedText] {
    guard let fitted else { return [] }
    return figure.axes.enumerated().map { index, axes in
      let area = areas[index]
      let frame = plots[index]?.frame ?? area
      let tops = axes.images.map { $0.frame(in: area).y } + [frame.y]
      return fitted.text(
        of: index, center: frame.x + frame.width / 2, bottom: tops.max() ?? area.y,
        color: axes.titleColor)
    }
  }
}
