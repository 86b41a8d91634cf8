/// A picture with a grid of axes, as matplotlib's `plt.subplots` makes.
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
  /// Width and height in inches.
  public let size: (width: Double, height: Double)
  /// Pixels per inch.
  public let dpi: Double
  public let rows: Int
  public let columns: Int
  /// A title above all axes.
  public var supertitle = ""
  /// What all texts of the figure are written in.
  public var font = Font.sansSerif
  /// The axes, row by row.
  private(set) var axes: [Axes]

  /// An empty figure.
  ///
  /// - Parameters:
  ///   - size: Width and height in inches.
  ///   - dpi: Pixels per inch.
  ///   - rows: How many axes there are from top to bottom.
  ///   - columns: How many axes there are from left to right.
  public init(
    size: (width: Double, height: Double) = (6.4, 4.8), dpi: Double = 100, rows: Int = 1,
    columns: Int = 1
  ) {
    precondition(rows > 0 && columns > 0, "a figure has at least one row and one column of axes")
    self.size = size
    self.dpi = dpi
    self.rows = rows
    self.columns = columns
    axes = [Axes](repeating: Axes(), count: rows * columns)
  }

  /// How wide and high the PNG file is, in pixels.
  package var pixels: (width: Int, height: Int) {
    (Int((size.width * dpi).rounded()), Int((size.height * dpi).rounded()))
  }

  /// An empty figure with room for images of one size, each enlarged by a whole number and with a
  /// title of one line.
  ///
  /// ```swift
  /// var figure = Figure(rows: 9, columns: 1, images: (width: 448, height: 28), scale: 3)
  /// ```
  ///
  /// - Parameters:
  ///   - rows: How many images there are from top to bottom.
  ///   - columns: How many images there are from left to right.
  ///   - images: Their size in pixels.
  ///   - scale: How many pixels of the figure a pixel of an image takes in each direction.
  ///   - supertitle: A title of one line above all of them.
  public init(
    rows: Int, columns: Int, images: (width: Int, height: Int), scale: Int,
    supertitle: String = ""
  ) {
    let dpi = 100.0
    // A gap of the layout and a line of its largest titles, in inches.
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

  /// The axes in a row and a column, both from 0.
  public subscript(row: Int, column: Int) -> Axes {
    get { self[index(row, column)] }
    set { self[index(row, column)] = newValue }
  }

  /// The axes with a number, row by row from 0.
  public subscript(index: Int) -> Axes {
    get { axes[index] }
    set { axes[index] = newValue }
  }

  private func index(_ row: Int, _ column: Int) -> Int {
    precondition(
      (0..<rows).contains(row) && (0..<columns).contains(column),
      "axes [\(row), \(column)] of a figure with \(rows) × \(columns)")
    return row * columns + column
  }

  /// Writes the figure as a PNG file, and makes the folders that it is to be in.
  ///
  /// The file is 8-bit gray when nothing in the figure is coloured and 8-bit RGB otherwise, and says
  /// its dpi. The same figure gives the same bytes. It appears whole or not at all.
  ///
  /// - Throws: ``PlotError``, when the file cannot be written, no font is installed, or the figure is
  ///   too small for what it shows.
  public func save(to path: String) throws(PlotError) {
    try writeFile(png(), to: path)
  }

  /// The bytes of the PNG file that ``save(to:)`` writes.
  ///
  /// - Throws: ``PlotError``, when no font is installed, or the figure is too small for what it
  ///   shows.
  public func png() throws(PlotError) -> [UInt8] {
    try encodePNG(draw().bitmap, dpi: dpi)
  }

  /// The figure's pixels.
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
