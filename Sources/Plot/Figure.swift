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
  public let dpi: Double
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
    precondition(
      rows > 0 && columns > 0,
      "Figure: expected at least 1 row and 1 column, got \(rows) × \(columns)")
    self.size = size
    self.dpi = dpi
    self.rows = rows
    self.columns = columns
    axes = [Axes](repeating: Axes(), count: rows * columns)
  }

  /// The width and height of the PNG file in pixels.
  package var pixels: (width: Int, height: Int) {
    (Int((size.width * dpi).rounded()), Int((size.height * dpi).rounded()))
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
    let inches = { (pixels: Int) in Double(pixels * scale) / dpi }
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
  public subscript(row: Int, column: Int) -> Axes {
    get { self[index(row, column)] }
    set { self[index(row, column)] = newValue }
  }

  /// The axes at an index, counted row by row from 0.
  public subscript(index: Int) -> Axes {
    get { axes[index] }
    set { axes[index] = newValue }
  }

  private func index(_ row: Int, _ column: Int) -> Int {
    precondition(
      (0..<rows).contains(row) && (0..<columns).contains(column),
      "Figure: expected axes within \(rows) × \(columns), got [\(row), \(column)]")
    return row * columns + column
  }

  /// Writes the figure as a PNG file, and creates missing folders.
  ///
  /// The file is 8-bit grayscale if the figure has no colors, otherwise 8-bit RGB, and records the dpi.
  /// The same figure gives the same bytes. The file is written atomically.
  ///
  /// - Throws: ``PlotError`` if the file cannot be written, no font is installed, or the figure is too
  ///   small for its contents.
  public func save(to path: String) throws(PlotError) {
    try writeFile(png(), to: path)
  }

  /// The bytes of the PNG file that ``save(to:)`` writes.
  ///
  /// - Throws: ``PlotError`` if no font is installed, or the figure is too small for its contents.
  public func png() throws(PlotError) -> [UInt8] {
    try encodePNG(draw().bitmap, dpi: dpi)
  }

  /// The rendered figure.
  package func draw() throws(PlotError) -> Canvas {
    let layout = try Layout(self)
    var canvas = Canvas(width: layout.width, height: layout.height)
    for (axes, area) in zip(axes, layout.areas) {
      for image in axes.images { canvas.draw(image.bitmap, in: image.frame(in: area)) }
    }
    for plot in layout.plots { try plot?.draw(on: &canvas) }
    for title in layout.titles { canvas.draw(title) }
    return canvas
  }
}
