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
/// are round numbers (whole numbers along x if all x are whole).
///
/// Input that cannot be drawn, such as different numbers of x and y, is an error of the figure:
/// ``Figure/save(to:)`` and ``Figure/png()`` throw the first one.
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
  /// Whether to draw grid lines at the ticks.
  public var grid = false

  private(set) var images: [ShownImage] = []
  private(set) var marks: [any Mark] = []
  private(set) var hasLegend = false
  private(set) var colorbarLabel: String?
  /// The first input that cannot be drawn; `nil` if there is none.
  private(set) var problem: String?

  package init() {}

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

  /// Adds a color bar beside the heat map.
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
  public mutating func plot(
    _ x: [Double], _ y: [Double], label: String = "", color: Color? = nil,
    linestyle: LineStyle = .solid, linewidth: Double = 1.5, marker: Marker = .none
  ) {
    let checks = Checks("plot")
      .expect(x.count == y.count, "as many x as y", got: "\(x.count) and \(y.count)")
      .expectWidth(linewidth)
    guard accepts(checks.problem) else { return }
    let stroke = Stroke(
      color: color ?? nextColor, style: linestyle, marker: marker, width: linewidth, markerSize: 7)
    marks.append(Line(x: x, y: y, label: label, stroke: stroke))
  }

  /// Draws a line through values at x = 0, 1, 2, ….
  public mutating func plot(
    _ y: [Double], label: String = "", color: Color? = nil, linestyle: LineStyle = .solid,
    linewidth: Double = 1.5, marker: Marker = .none
  ) {
    plot(
      y.indices.map(Double.init), y, label: label, color: color, linestyle: linestyle,
      linewidth: linewidth, marker: marker)
  }

  /// Draws points without a line.
  ///
  /// - Parameters:
  ///   - x: The x coordinates.
  ///   - y: The y coordinates, as many as `x`.
  ///   - label: The points' name in the legend.
  ///   - color: The points' color; the next of ``Color/cycle`` by default.
  ///   - marker: The symbol drawn at each point.
  public mutating func scatter(
    _ x: [Double], _ y: [Double], label: String = "", color: Color? = nil,
    marker: Marker = .circle
  ) {
    plot(x, y, label: label, color: color, linestyle: .none, marker: marker)
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
  public mutating func bar(
    _ labels: [String], _ heights: [Double], yerr: [Double] = [], color: Color = .blue,
    decimals: Int? = nil
  ) {
    bar(labels, [BarSeries("", heights, errors: yerr, color: color)], decimals: decimals)
  }

  /// Draws several bars per category, side by side or stacked. Negative values are stacked downwards.
  ///
  /// ```swift
  /// axes.bar(names, [BarSeries("val", val), BarSeries("test", test)])
  /// axes.legend()
  /// ```
  public mutating func bar(
    _ labels: [String], _ series: [BarSeries], stacked: Bool = false, decimals: Int? = nil
  ) {
    appendBars(
      labels, series, isStacked: stacked, isHorizontal: false, decimals: decimals)
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
  public mutating func barh(
    _ labels: [String], _ widths: [Double], xerr: [Double] = [], color: Color = .blue,
    decimals: Int? = nil
  ) {
    barh(labels, [BarSeries("", widths, errors: xerr, color: color)], decimals: decimals)
  }

  /// Draws several horizontal bars per category, one below the other or stacked.
  public mutating func barh(
    _ labels: [String], _ series: [BarSeries], stacked: Bool = false, decimals: Int? = nil
  ) {
    appendBars(labels, series, isStacked: stacked, isHorizontal: true, decimals: decimals)
  }

  /// Adds a legend with the labels of lines and bars: inside the plot where it covers nothing,
  /// otherwise to the right.
  public mutating func legend() {
    hasLegend = true
  }

  private mutating func appendBars(
    _ labels: [String], _ series: [BarSeries], isStacked: Bool, isHorizontal: Bool, decimals: Int?
  ) {
    let checks = Checks(isHorizontal ? "barh" : "bar")
      .expectBars(labels, series, stacked: isStacked).expectDecimals(decimals)
    guard accepts(checks.problem) else { return }
    let colored = series.enumerated().map { index, one in
      BarSeries(
        one.label, one.values, errors: one.errors,
        color: one.color ?? Color.cycle[index % Color.cycle.count])
    }
    marks.append(
      Bars(
        labels: labels, series: colored, isStacked: isStacked, isHorizontal: isHorizontal,
        decimals: decimals))
  }

  /// Whether there is no problem with some input. The first problem is kept.
  private mutating func accepts(_ problem: String?) -> Bool {
    self.problem = self.problem ?? problem
    return problem == nil
  }

  private var nextColor: Color {
    Color.cycle[marks.count(where: { $0 is Line }) % Color.cycle.count]
  }
}
