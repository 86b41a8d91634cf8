/// One plot of a figure: what it shows, its title, axis labels and legend.
///
/// ```swift
/// axes.plot(epochs, training, label: "train")
/// axes.plot(epochs, validation, label: "val", linestyle: .dashed)
/// axes.xlabel = "epoch"
/// axes.legend()
/// ```
///
/// Limits, ticks and tick labels are chosen automatically: axes extend 5 % beyond the data, and ticks
/// are round numbers (whole numbers along x if all x are whole). ``xlim``, ``xscale`` and
/// ``xticks(_:labels:)`` change that.
///
/// Input that cannot be drawn, such as different numbers of x and y, is an error of the figure:
/// ``Figure/save(to:dpi:)``, ``Figure/png(dpi:)`` and ``Figure/svg()`` throw the first one.
public struct Axes: Sendable {
  /// The title above the plot. Leading, trailing and repeated spaces are drawn as `␣`.
  ///
  /// All titles of a figure share one font size: 12 points, or the largest at which each title fits
  /// in at most two lines. Text that does not fit at 6 points is wrapped further, then truncated with
  /// an ellipsis. Line breaks in the text are kept.
  public var title = ""
  /// The color of the title.
  public var titleColor = Color.black
  /// The label below the horizontal axis.
  public var xlabel = ""
  /// The label beside the vertical axis.
  public var ylabel = ""
  /// The limits of the horizontal axis; chosen from the data if `nil`.
  public var xlim: ClosedRange<Double>?
  /// The limits of the vertical axis; chosen from the data if `nil`.
  public var ylim: ClosedRange<Double>?
  /// Whether the horizontal axis is linear or logarithmic.
  ///
  /// On a logarithmic axis a value that is not above 0 is an error; NaN leaves a gap in a line.
  ///
  /// ```swift
  /// axes.plot(rates, losses, marker: .circle)
  /// axes.xscale = .log
  /// ```
  public var xscale = AxisScale.linear
  /// Whether the vertical axis is linear or logarithmic; see ``xscale``.
  public var yscale = AxisScale.linear
  /// Whether to draw grid lines at the ticks.
  public var grid = false
  /// Whether to draw the frame with ticks and labels; `false` is matplotlib's `axis("off")`.
  public var frame = true

  private(set) var images: [ShownImage] = []
  private(set) var marks: [any Mark] = []
  private(set) var legendPlace: LegendPlace?
  private(set) var colorbarLabel: String?
  private(set) var xHandTicks: HandTicks?
  private(set) var yHandTicks: HandTicks?
  /// The first input that cannot be drawn; `nil` if there is none.
  private(set) var problem: String?

  package init() {}

  /// Whether nothing is drawn.
  var isEmpty: Bool { title.isEmpty && images.isEmpty && marks.isEmpty }

  /// Axes that cannot be drawn.
  init(problem: String) {
    self.problem = problem
  }

  /// Shows an image with square pixels, row 0 at the top.
  ///
  /// ```swift
  /// axes.imshow(image)                  // gray: darkest value black, brightest white
  /// axes.imshow(image, range: 0...1)    // 0 black, 1 white
  /// ```
  ///
  /// Pixels are enlarged by a whole factor without interpolation. An image larger than the plot is
  /// shrunk by averaging. RGB values are shown unscaled, from 0 to 1.
  ///
  /// - Parameters:
  ///   - image: The image to show.
  ///   - range: The values shown as black and white; the image's minimum and maximum by default.
  public mutating func imshow(_ image: Image, range: ClosedRange<Float>? = nil) {
    if accepts(image.problem.map { "imshow: \($0)" }) {
      images.append(ShownImage(image, range: range))
    }
  }

  /// Shows an image in a rectangle in data coordinates, row 0 at the top, so that text, boxes and lines
  /// can be drawn over it; like matplotlib's `imshow(image, extent=…, aspect="auto")`.
  ///
  /// ```swift
  /// axes.imshow(page, x: 0...800, y: 0...600)
  /// axes.plot([80, 700, 700, 80, 80], [500, 500, 540, 540, 500], color: .red)   // a frame
  /// axes.text("a", at: (100, -10))                                              // below the image
  /// ```
  ///
  /// What is added later is drawn over it. Axes that show an image in this way have a frame, unless
  /// ``frame`` is false.
  ///
  /// - Parameters:
  ///   - image: The image to show.
  ///   - x: The image's left and right edge.
  ///   - y: The image's lower and upper edge.
  ///   - range: The values shown as black and white; the image's minimum and maximum by default.
  ///   - alpha: The opacity, from 0 to 1.
  public mutating func imshow(
    _ image: Image, x: ClosedRange<Double>, y: ClosedRange<Double>,
    range: ClosedRange<Float>? = nil, alpha: Double = 1
  ) {
    let checks = Checks("imshow")
      .expectPositions([(x.lowerBound, y.lowerBound), (x.upperBound, y.upperBound)])
      .expect(
        isWide(x) && isWide(y), "edges that differ",
        got: "\(x.lowerBound)...\(x.upperBound) and \(y.lowerBound)...\(y.upperBound)"
      )
      .expectAlpha(alpha)
    guard accepts(image.problem.map { "imshow: \($0)" } ?? checks.problem) else { return }
    marks.append(
      PlacedImage(bitmap: ShownImage(image, range: range).bitmap, x: x, y: y, alpha: alpha))
  }

  /// Shows a matrix as a heat map, row 0 at the top.
  ///
  /// ```swift
  /// axes.imshow(counts, xticklabels: names, yticklabels: names, cmap: .blues, decimals: 0)
  /// axes.colorbar(label: "images")
  /// ```
  ///
  /// - Parameters:
  ///   - values: The matrix, row by row: at least one row, all of equal length. NaN and infinity are
  ///     drawn white.
  ///   - xticklabels: The names of the columns; their indices by default.
  ///   - yticklabels: The names of the rows; their indices by default.
  ///   - cmap: The colormap.
  ///   - range: The values with the first and the last color; the minimum and maximum by default.
  ///   - decimals: The number of decimals with which values are written into the cells, if they fit;
  ///     `nil` writes none.
  public mutating func imshow(
    _ values: [[Double]], xticklabels: [String] = [], yticklabels: [String] = [],
    cmap: Colormap = .viridis, range: ClosedRange<Double>? = nil, decimals: Int? = nil
  ) {
    let checks = Checks("imshow")
      .expectMatrix(values, xticklabels: xticklabels, yticklabels: yticklabels)
      .expectRange(range).expectDecimals(decimals)
    guard accepts(checks.problem) else { return }
    let columns = values[0].count
    let drawable = values.joined().filter(isDrawable)
    marks.append(
      HeatMap(
        values: values,
        xticklabels: xticklabels.isEmpty ? (0..<columns).map(String.init) : xticklabels,
        yticklabels: yticklabels.isEmpty ? values.indices.map(String.init) : yticklabels,
        colormap: cmap, range: range ?? (drawable.min() ?? 0)...(drawable.max() ?? 0),
        decimals: decimals))
  }

  /// Adds a color bar for the heat map, or for points colored by values, beside the plot.
  ///
  /// - Parameter label: The name of the quantity.
  public mutating func colorbar(label: String = "") {
    colorbarLabel = label
  }

  /// Draws a line through points.
  ///
  /// ```swift
  /// axes.plot([0, 1, 2], [0.71, 0.78, 0.80], label: "val", marker: .circle)
  /// ```
  ///
  /// - Parameters:
  ///   - x: The x coordinates.
  ///   - y: The y coordinates, as many as `x`; NaN and infinity leave a gap.
  ///   - label: The line's name in the legend.
  ///   - color: The line's color; the next of ``Color/cycle`` by default.
  ///   - linestyle: Solid, dashed, dotted or none.
  ///   - linewidth: The line's width in points.
  ///   - marker: The symbol drawn at each point.
  ///   - markersize: The width of the symbols in points.
  ///   - alpha: The opacity, from 0 to 1.
  public mutating func plot(
    _ x: [Double], _ y: [Double], label: String = "", color: Color? = nil,
    linestyle: LineStyle = .solid, linewidth: Double = 1.5, marker: Marker = .none,
    markersize: Double = 7, alpha: Double = 1
  ) {
    let checks = Checks("plot")
      .expectCounts(x.count, y.count, "x as y").expectWidth(linewidth)
      .expectMarkersize(markersize).expectAlpha(alpha)
    guard accepts(checks.problem) else { return }
    let stroke = Stroke(
      color: color ?? nextColor, style: linestyle, marker: marker, width: linewidth,
      markerSize: markersize)
    marks.append(Line(x: x, y: y, label: label, stroke: stroke, alpha: alpha))
  }

  /// Draws a line through values at x = 0, 1, 2, ….
  public mutating func plot(
    _ y: [Double], label: String = "", color: Color? = nil, linestyle: LineStyle = .solid,
    linewidth: Double = 1.5, marker: Marker = .none, markersize: Double = 7, alpha: Double = 1
  ) {
    plot(
      y.indices.map(Double.init), y, label: label, color: color, linestyle: linestyle,
      linewidth: linewidth, marker: marker, markersize: markersize, alpha: alpha)
  }

  /// Draws one vertical bar per category, from 0 up, or down if the value is negative.
  ///
  /// ```swift
  /// axes.bar(["CNN", "ResNet"], [0.806, 0.852], yerr: [0.002, 0.001], decimals: 3)
  /// ```
  ///
  /// Category names that would overlap are wrapped, or placed in up to three rows. All names share
  /// one size, at most 10 points. If they still do not fit, they are rotated by 90°.
  ///
  /// - Parameters:
  ///   - labels: The names of the categories, from left to right; at least one.
  ///   - heights: One finite value per category.
  ///   - yerr: The half lengths of the error bars; none if empty.
  ///   - color: The color of the bars.
  ///   - decimals: The number of decimals with which values are written above the bars, if they fit;
  ///     `nil` writes none.
  ///   - alpha: The opacity, from 0 to 1.
  public mutating func bar(
    _ labels: [String], _ heights: [Double], yerr: [Double] = [], color: Color = .blue,
    decimals: Int? = nil, alpha: Double = 1
  ) {
    bar(
      labels, [BarSeries("", heights, errors: yerr, color: color)], decimals: decimals,
      alpha: alpha)
  }

  /// Draws several bars per category, side by side or stacked. Negative values are stacked downwards.
  ///
  /// ```swift
  /// axes.bar(names, [BarSeries("val", val), BarSeries("test", test)])
  /// axes.legend()
  /// ```
  public mutating func bar(
    _ labels: [String], _ series: [BarSeries], stacked: Bool = false, decimals: Int? = nil,
    alpha: Double = 1
  ) {
    appendBars(
      labels, series, isStacked: stacked, isHorizontal: false, decimals: decimals, alpha)
  }

  /// Draws one horizontal bar per category, the first one at the top; a negative one to the left of 0.
  ///
  /// ```swift
  /// axes.barh(["l for 1", "O for 0"], [112, 87], decimals: 0)
  /// ```
  ///
  /// - Parameters:
  ///   - labels: The names of the categories, from top to bottom; at least one.
  ///   - widths: One finite value per category.
  ///   - xerr: The half lengths of the error bars; none if empty.
  ///   - color: The color of the bars.
  ///   - decimals: The number of decimals with which values are written beside the bars, if they fit;
  ///     `nil` writes none.
  ///   - alpha: The opacity, from 0 to 1.
  public mutating func barh(
    _ labels: [String], _ widths: [Double], xerr: [Double] = [], color: Color = .blue,
    decimals: Int? = nil, alpha: Double = 1
  ) {
    barh(
      labels, [BarSeries("", widths, errors: xerr, color: color)], decimals: decimals,
      alpha: alpha)
  }

  /// Draws several horizontal bars per category, one below the other or stacked.
  public mutating func barh(
    _ labels: [String], _ series: [BarSeries], stacked: Bool = false, decimals: Int? = nil,
    alpha: Double = 1
  ) {
    appendBars(labels, series, isStacked: stacked, isHorizontal: true, decimals: decimals, alpha)
  }

  /// Writes text at a position, with its line breaks, like matplotlib's `text`.
  ///
  /// ```swift
  /// axes.text("x", at: (0, 3))
  /// ```
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - position: The position in data coordinates.
  ///   - align: Whether the text begins, ends or has its middle there.
  ///   - fontsize: The font size in points.
  ///   - color: The color of the text.
  public mutating func text(
    _ text: String, at position: (x: Double, y: Double), align: TextAlignment = .center,
    fontsize: Double = 10, color: Color = .black
  ) {
    let checks = Checks("text").expectPositions([position]).expectFontsize(fontsize)
    guard accepts(checks.problem) else { return }
    marks.append(
      Annotation(
        text: text, position: position, alignment: align, size: fontsize, color: color))
  }

  /// Draws a box with text in its middle. Text larger than the box is an error.
  ///
  /// ```swift
  /// axes.box("weight layer", at: (0, 2), size: (1.6, 0.6))
  /// axes.box("+", at: (0, 1), size: (0.4, 0.4), style: .circle)
  /// ```
  ///
  /// - Parameters:
  ///   - text: The text, with its line breaks.
  ///   - center: The position of the middle, in data coordinates.
  ///   - size: The width and height in data coordinates.
  ///   - style: The shape of the box.
  ///   - facecolor: The color inside; the text is black or white, whichever is easier to read.
  ///   - edgecolor: The color of the outline.
  ///   - linewidth: The width of the outline in points.
  ///   - fontsize: The font size in points.
  public mutating func box(
    _ text: String, at center: (x: Double, y: Double), size: (width: Double, height: Double),
    style: BoxStyle = .round, facecolor: Color = .white, edgecolor: Color = .black,
    linewidth: Double = 1, fontsize: Double = 10
  ) {
    let checks = Checks("box").expectPositions([center])
      .expect(
        [size.width, size.height].allSatisfy { $0 > 0 && isDrawable($0) },
        "a width and height between 0 and 1e300", got: "\(size.width) × \(size.height)"
      )
      .expectWidth(linewidth).expectFontsize(fontsize)
    guard accepts(checks.problem) else { return }
    marks.append(
      Box(
        text: Annotation(
          text: text, position: center, alignment: .center, size: fontsize,
          color: facecolor.contrast),
        size: size, style: style, facecolor: facecolor, edgecolor: edgecolor,
        linewidth: linewidth))
  }

  /// Draws an arrow along a path, with its head at the last point.
  ///
  /// ```swift
  /// axes.arrow([(0, 3), (0, 2.3)])
  /// axes.arrow([(0, 3), (2, 3), (2, 1), (0.2, 1)], rounding: 8)    // around a corner
  /// ```
  ///
  /// - Parameters:
  ///   - path: At least two positions, in data coordinates.
  ///   - rounding: The radius of the path's corners, in points.
  ///   - color: The color of the arrow.
  ///   - linewidth: The width of the line in points.
  public mutating func arrow(
    _ path: [(x: Double, y: Double)], rounding: Double = 0, color: Color = .black,
    linewidth: Double = 1.2
  ) {
    let checks = Checks("arrow")
      .expect(path.count >= 2, "at least 2 positions", got: "\(path.count)")
      .expectPositions(path).expectWidth(linewidth)
      .expect(
        (0...1000).contains(rounding), "a rounding from 0 to 1000", got: "\(rounding)")
    guard accepts(checks.problem) else { return }
    marks.append(Arrow(path: path, rounding: rounding, color: color, linewidth: linewidth))
  }

  /// Adds a legend with the labels of lines, bars and areas.
  ///
  /// ```swift
  /// axes.legend()                               // where it covers nothing
  /// axes.legend(loc: .upperLeft, ncols: 2)
  /// ```
  ///
  /// - Parameters:
  ///   - loc: The place; by default inside the plot where it covers nothing, otherwise to the right.
  ///   - ncols: The number of columns.
  public mutating func legend(loc: LegendLocation = .best, ncols: Int = 1) {
    let checks = Checks("legend").expect(ncols > 0, "ncols of at least 1", got: "\(ncols)")
    guard accepts(checks.problem) else { return }
    legendPlace = LegendPlace(location: loc, columns: ncols)
  }

  /// Sets the ticks of the horizontal axis; an empty array leaves them out.
  ///
  /// ```swift
  /// axes.xticks([0, 0.5, 1])
  /// axes.xticks([0, 1, 2], labels: ["low", "middle", "high"])
  /// ```
  ///
  /// Ticks outside the limits are not drawn. Labels that would overlap are drawn smaller, or rotated.
  ///
  /// - Parameters:
  ///   - positions: The positions in data coordinates; those of categories are 0, 1, 2, ….
  ///   - labels: One label for each; the positions as numbers if empty.
  public mutating func xticks(_ positions: [Double], labels: [String] = []) {
    if let ticks = handTicks("xticks", positions, labels) { xHandTicks = ticks }
  }

  /// Sets the ticks of the vertical axis; see ``xticks(_:labels:)``.
  public mutating func yticks(_ positions: [Double], labels: [String] = []) {
    if let ticks = handTicks("yticks", positions, labels) { yHandTicks = ticks }
  }

  private mutating func handTicks(
    _ call: String, _ positions: [Double], _ labels: [String]
  ) -> HandTicks? {
    let checks = Checks(call).expectDrawable(positions, "positions")
      .expect(
        [0, positions.count].contains(labels.count), "a label for each of \(positions.count) ticks",
        got: "\(labels.count)"
      )
      .expect(positions.count <= 10_000, "at most 10000 ticks", got: "\(positions.count)")
    return accepts(checks.problem) ? HandTicks(values: positions, labels: labels) : nil
  }

  /// Adds a mark, unless there is a problem with its input.
  mutating func add(_ checks: Checks, _ mark: (Axes) -> any Mark) {
    if accepts(checks.problem) { marks.append(mark(self)) }
  }

  private mutating func appendBars(
    _ labels: [String], _ series: [BarSeries], isStacked: Bool, isHorizontal: Bool, decimals: Int?,
    _ alpha: Double
  ) {
    let checks = Checks(isHorizontal ? "barh" : "bar")
      .expectBars(labels, series, stacked: isStacked).expectDecimals(decimals).expectAlpha(alpha)
    guard accepts(checks.problem) else { return }
    let colored = series.enumerated().map { index, one in
      BarSeries(
        one.label, one.values, errors: one.errors,
        color: one.color ?? Color.cycle[index % Color.cycle.count])
    }
    marks.append(
      Bars(
        labels: labels, series: colored, isStacked: isStacked, isHorizontal: isHorizontal,
        decimals: decimals, alpha: alpha))
  }

  /// Whether there is no problem with some input. The first problem is kept.
  mutating func accepts(_ problem: String?) -> Bool {
    self.problem = self.problem ?? problem
    return problem == nil
  }

  /// The next color of lines and points.
  var nextColor: Color {
    Color.cycle[marks.count(where: { $0 is Line || $0 is Points }) % Color.cycle.count]
  }

  /// The next color of areas, which are counted apart from lines: so a band has the color of its line.
  var nextAreaColor: Color {
    Color.cycle[marks.count(where: { $0 is Area || $0 is HistogramBars }) % Color.cycle.count]
  }
}
