/// A figure with a grid of axes, like matplotlib's `plt.subplots`.
///
/// ```swift
/// var figure = Figure(size: (9, 9), rows: 3, columns: 3)
/// for i in 0..<9 {
///   figure[i].imshow(images[i])
///   figure[i].title = "Correct: \(labels[i]), Pred: \(predictions[i])"
///   figure[i].titleColor = labels[i] == predictions[i] ? .green : .red
/// }
/// try figure.save(to: "output/predictions.png")
/// ```
public struct Figure: Sendable {
  /// The width and height in inches.
  public let size: (width: Double, height: Double)
  /// The resolution in pixels per inch.
  public private(set) var dpi: Double
  /// The number of rows of axes.
  public let rows: Int
  /// The number of columns of axes.
  public let columns: Int
  /// A title above all axes.
  public var supertitle = ""
  /// The font of all text in the figure.
  public var font = Font.sansSerif
  /// The axes, row by row.
  private(set) var axes: [Axes]
  /// The axes that cover several cells, by their index.
  private var spans: [Int: Cells] = [:]
  /// The first input that cannot be drawn; `nil` if there is none.
  private var problem: String?

  /// An empty figure.
  ///
  /// - Parameters:
  ///   - size: The width and height in inches.
  ///   - dpi: The resolution in pixels per inch.
  ///   - rows: The number of rows of axes.
  ///   - columns: The number of columns of axes.
  public init(
    size: (width: Double, height: Double) = (6.4, 4.8), dpi: Double = 100, rows: Int = 1,
    columns: Int = 1
  ) {
    self.size = size
    self.dpi = dpi
    self.rows = rows
    self.columns = columns
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    problem =
      Checks("Figure")
      .expect(
        rows > 0 && columns > 0, "at least 1 row and 1 column of axes", got: "\(rows) × \(columns)"
      )
      .expect(
        !overflow && count <= Self.mostAxes, "at most \(Self.mostAxes) axes",
        got: "\(rows) × \(columns)"
      )
      .problem
    axes = [Axes](repeating: Axes(), count: problem == nil ? count : 0)
  }

  private static let mostAxes = 10_000

  /// The width and height of the PNG file in pixels.
  package var pixels: (width: Int, height: Int) {
    (Int(clamping: (size.width * dpi).rounded()), Int(clamping: (size.height * dpi).rounded()))
  }

  /// The figure with twice as many pixels in each direction, for sharp screens: text and lines keep their
  /// proportions. A figure that would be too large then is unchanged.
  package var atTwiceTheResolution: Figure {
    var figure = self
    figure.dpi *= 2
    return (try? figure.checkSize()) == nil ? self : figure
  }

  /// An empty figure sized for images of equal size, each enlarged by a whole factor, with a title of
  /// one line.
  ///
  /// ```swift
  /// var figure = Figure(rows: 9, columns: 1, images: (width: 448, height: 28), scale: 3)
  /// ```
  ///
  /// - Parameters:
  ///   - rows: The number of rows of images.
  ///   - columns: The number of columns of images.
  ///   - images: The size of an image in pixels.
  ///   - scale: The factor by which images are enlarged.
  ///   - supertitle: A title of one line above all images.
  public init(
    rows: Int, columns: Int, images: (width: Int, height: Int), scale: Int,
    supertitle: String = ""
  ) {
    let dpi = 100.0
    // The gap of the layout and the height of a title line, in inches.
    let (gap, title) = (0.16, 0.26)
    let inches = { (pixels: Int) in Double(pixels) * Double(scale) / dpi }
    self.init(
      size: (
        Double(columns) * (inches(images.width) + gap) + gap,
        Double(rows) * (inches(images.height) + title + gap) + gap
          + (supertitle.isEmpty ? 0 : title + gap)
      ),
      dpi: dpi, rows: rows, columns: columns)
    self.supertitle = supertitle
  }

  /// The axes at a row and a column, both counted from 0.
  ///
  /// A row or column that does not exist is an error of the figure, like input that cannot be drawn.
  public subscript(row: Int, column: Int) -> Axes {
    get { problem(row, column).map { Axes(problem: $0) } ?? axes[row * columns + column] }
    set {
      guard let problem = problem(row, column) else {
        axes[row * columns + column] = newValue
        return
      }
      self.problem = self.problem ?? problem
    }
  }

  /// The axes at an index, counted row by row from 0.
  ///
  /// An index that does not exist is an error of the figure, like input that cannot be drawn.
  public subscript(index: Int) -> Axes {
    get { problem(index).map { Axes(problem: $0) } ?? axes[index] }
    set {
      guard let problem = problem(index) else {
        axes[index] = newValue
        return
      }
      self.problem = self.problem ?? problem
    }
  }

  /// Makes the axes at a row and a column cover several cells of the grid, to the right and downwards, like
  /// matplotlib's `subplot2grid`.
  ///
  /// ```swift
  /// var figure = Figure(size: (9, 6), rows: 2, columns: 3)
  /// figure.span(row: 0, column: 0, colspan: 2)    // figure[0, 0] is as wide as two
  /// figure.span(row: 0, column: 2, rowspan: 2)    // figure[0, 2] is as high as two
  /// ```
  ///
  /// Cells that do not exist or are covered already are an error of the figure, as are axes with contents
  /// in a covered cell.
  ///
  /// - Parameters:
  ///   - row: The first row, counted from 0.
  ///   - column: The first column, counted from 0.
  ///   - rowspan: The number of rows.
  ///   - colspan: The number of columns.
  public mutating func span(row: Int, column: Int, rowspan: Int = 1, colspan: Int = 1) {
    var checks = Checks("span")
      .expect(
        (1...Self.mostAxes).contains(rowspan) && (1...Self.mostAxes).contains(colspan),
        "a rowspan and colspan of at least 1", got: "\(rowspan) and \(colspan)"
      )
      .expect(
        (0..<rows).contains(row) && (0..<columns).contains(column) && rowspan <= rows - row
          && colspan <= columns - column, "cells within \(rows) × \(columns)",
        got: "\(rowspan) × \(colspan) at [\(row), \(column)]")
    if checks.problem == nil {
      let cells = Cells(row: row, column: column, rows: rowspan, columns: colspan)
      checks = checks.expect(
        !spans.values.contains { $0.overlaps(cells) }, "cells that no other span covers",
        got: "\(rowspan) × \(colspan) at [\(row), \(column)]")
      if checks.problem == nil { spans[row * columns + column] = cells }
    }
    problem = problem ?? checks.problem
  }

  /// The cells that the axes at an index cover.
  func cells(of index: Int) -> Cells {
    spans[index] ?? Cells(row: index / columns, column: index % columns, rows: 1, columns: 1)
  }

  private func problem(_ row: Int, _ column: Int) -> String? {
    problem
      ?? Checks("Figure").expect(
        (0..<rows).contains(row) && (0..<columns).contains(column),
        "axes within \(rows) × \(columns)", got: "[\(row), \(column)]"
      ).problem
  }

  private func problem(_ index: Int) -> String? {
    Checks("Figure").expect(
      axes.indices.contains(index), "an index of \(rows) × \(columns) axes", got: "[\(index)]"
    ).problem
  }

  /// - Throws: ``PlotError`` for the first input that cannot be drawn.
  func check() throws(PlotError) {
    if let problem { throw PlotError(problem) }
    for (index, axes) in axes.enumerated() {
      guard let problem = axes.problem else { continue }
      throw PlotError((self.axes.count > 1 ? "axes \(index): " : "") + problem)
    }
    for cells in spans.values.sorted(by: { ($0.row, $0.column) < ($1.row, $1.column) }) {
      for row in cells.row..<cells.row + cells.rows {
        for column in cells.column..<cells.column + cells.columns
        where (row, column) != (cells.row, cells.column) && !axes[row * columns + column].isEmpty {
          throw PlotError(
            "axes [\(row), \(column)]: expected nothing in a cell that [\(cells.row), "
              + "\(cells.column)] covers, got contents; draw in [\(cells.row), \(cells.column)]")
        }
      }
    }
    try checkSize()
  }

  private func checkSize() throws(PlotError) {
    let allowed = 1.0...65535
    guard (1...2400).contains(dpi), allowed.contains(size.width * dpi),
      allowed.contains(size.height * dpi)
    else {
      throw PlotError(
        "expected a figure of 1 to 65535 pixels in each direction at 1 to 2400 dpi, got "
          + "\(size.width) × \(size.height) inches at \(dpi) dpi")
    }
    guard pixels.width * pixels.height <= largestPixelCount else {
      throw PlotError(
        "expected a figure of at most \(largestPixelCount) pixels, got \(pixels.width) × "
          + "\(pixels.height); make it smaller")
    }
  }

  /// Writes the figure as a PNG file, or as an SVG file if the path ends in `.svg`, and creates missing
  /// folders.
  ///
  /// ```swift
  /// try figure.save(to: "loss.png")
  /// try figure.save(to: "loss@2x.png", dpi: 200)    // the same figure with twice the pixels
  /// try figure.save(to: "loss.svg")
  /// ```
  ///
  /// A PNG file is 8-bit grayscale if the figure has no colors, otherwise 8-bit RGB, and records the dpi.
  /// The same figure gives the same bytes. The file is written atomically.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - dpi: The resolution of a PNG file in pixels per inch; the figure's own by default. The layout is
  ///     that of the figure's own resolution. An SVG file has no pixels.
  /// - Throws: ``PlotError`` if the figure has input that cannot be drawn or is too small for its
  ///   contents, no font is installed, or the file cannot be written.
  public func save(to path: String, dpi: Double? = nil) throws(PlotError) {
    let isSVG = path.lowercased().hasSuffix(".svg")
    try writeFile(isSVG ? Array(svg().utf8) : png(dpi: dpi), to: path)
  }

  /// The bytes of the PNG file that ``save(to:dpi:)`` writes.
  ///
  /// - Parameter dpi: The resolution in pixels per inch; the figure's own by default.
  /// - Throws: ``PlotError`` if the figure has input that cannot be drawn or is too small for its
  ///   contents, or no font is installed.
  public func png(dpi: Double? = nil) throws(PlotError) -> [UInt8] {
    guard let dpi, dpi != self.dpi else { return try encodePNG(draw().bitmap, dpi: self.dpi) }
    var larger = self
    larger.dpi = dpi
    let layout = try Layout(self)
    try larger.checkSize()
    let (width, height) = larger.pixels
    var canvas = ScaledCanvas(width: width, height: height, scale: dpi / self.dpi)
    try draw(layout, on: &canvas)
    return try encodePNG(canvas.canvas.bitmap, dpi: dpi)
  }

  /// The figure as an SVG document, with text that can be selected and searched, and images embedded.
  ///
  /// It is as large in CSS pixels as the PNG file in pixels. Text is shown in the figure's font if the
  /// reader has it, otherwise in a similar one of the same width. The same figure gives the same text.
  ///
  /// - Throws: ``PlotError`` if the figure has input that cannot be drawn or is too small for its
  ///   contents, or no font is installed.
  public func svg() throws(PlotError) -> String {
    let layout = try Layout(self)
    var document = SVGDocument(width: layout.width, height: layout.height, font: font)
    try draw(layout, on: &document)
    return try document.text()
  }

  /// The rendered figure.
  package func draw() throws(PlotError) -> Canvas {
    let layout = try Layout(self)
    var canvas = Canvas(width: layout.width, height: layout.height)
    try draw(layout, on: &canvas)
    return canvas
  }

  private func draw(_ layout: Layout, on surface: inout some Surface) throws(PlotError) {
    for (axes, area) in zip(axes, layout.areas) {
      for image in axes.images { surface.draw(image.bitmap, in: image.frame(in: area)) }
    }
    for plot in layout.plots { try plot?.draw(on: &surface) }
    for title in layout.titles { surface.draw(title) }
  }
}

/// A block of cells of a figure's grid.
struct Cells: Sendable {
  let (row, column): (Int, Int)
  let (rows, columns): (Int, Int)

  var lastRow: Int { row + rows - 1 }
  var lastColumn: Int { column + columns - 1 }

  func overlaps(_ other: Cells) -> Bool {
    row <= other.lastRow && other.row <= lastRow && column <= other.lastColumn
      && other.column <= lastColumn
  }
}
