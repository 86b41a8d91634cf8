/// One place of a figure: what is shown there, with a title above.
///
/// ```swift
/// axes.plot(epochs, training, label: "train")
/// axes.plot(epochs, validation, label: "val", linestyle: .dashed)
/// axes.xlabel = "epoch"
/// axes.legend()
/// ```
///
/// Limits, ticks and their labels come of themselves: axes end a twentieth beyond the data, ticks are
/// round numbers, and whole ones along x where all x are whole.
public struct Axes: Sendable {
  /// The text above; spaces that could not be seen appear as `␣`.
  ///
  /// All titles of a figure have one font size: 12 points, or the largest with which each fits its
  /// place in at most two lines. What does not fit with 6 points is broken further, then cut with an
  /// ellipsis; a line break in the text stays.
  public var title = ""
  /// The colour of the title.
  public var titleColor = Color.black
  /// The text below the horizontal axis.
  public var xlabel = ""
  /// The text beside the vertical axis.
  public var ylabel = ""
  /// From where to where the horizontal axis goes, instead of what the data ask for.
  public var xlim: ClosedRange<Double>?
  /// From where to where the vertical axis goes, instead of what the data ask for.
  public var ylim: ClosedRange<Double>?
  /// Whether pale lines go through the ticks.
  public var grid = false

  private(set) var images: [ShownImage] = []
  private(set) var marks: [any Mark] = []
  private(set) var hasLegend = false
  private(set) var colorbarLabel: String?

  package init() {}

  /// Shows an image, row 0 at the top, with square pixels.
  ///
  /// ```swift
  /// axes.imshow(image)                  // gray: darkest value black, brightest white
  /// axes.imshow(image, range: 0...1)    // 0 black, 1 white
  /// ```
  ///
  /// Pixels are enlarged by a whole number, with hard edges; an image that is larger than its place
  /// is made smaller by averaging. RGB images are shown as they are, from 0 to 1.
  ///
  /// - Parameters:
  ///   - image: What to show.
  ///   - range: The values that are black and white; of the image itself, if left out.
  public mutating func imshow(_ image: Image, range: ClosedRange<Float>? = nil) {
    images.append(ShownImage(image, range: range))
  }

  /// Shows a table of numbers as coloured squares, row 0 at the top, with an axis at two sides.
  ///
  /// ```swift
  /// axes.imshow(counts, xticklabels: names, yticklabels: names, cmap: .blues, decimals: 0)
  /// axes.colorbar(label: "images")
  /// ```
  ///
  /// - Parameters:
  ///   - values: The numbers, row by row; at least one row, all of one length. What is no number
  ///     stays white.
  ///   - xticklabels: The columns' names; their numbers from 0, if left out.
  ///   - yticklabels: The rows' names; their numbers from 0, if left out.
  ///   - cmap: The colours.
  ///   - range: The numbers that have the first and the last colour; the smallest and the largest of
  ///     all, if left out.
  ///   - decimals: With how many decimals the numbers are written on the squares, if they fit; `nil`
  ///     does not write them.
  public mutating func imshow(
    _ values: [[Double]], xticklabels: [String] = [], yticklabels: [String] = [],
    cmap: Colormap = .viridis, range: ClosedRange<Double>? = nil, decimals: Int? = nil
  ) {
    let columns = values.first?.count ?? 0
    precondition(
      columns > 0 && values.allSatisfy { $0.count == columns },
      "a table to show has rows of one length, got \(values.map(\.count))")
    precondition(
      [0, columns].contains(xticklabels.count) && [0, values.count].contains(yticklabels.count),
      "\(values.count) × \(columns) numbers have as many names or none, "
        + "got \(yticklabels.count) and \(xticklabels.count)")
    let drawable = values.joined().filter(isDrawable)
    marks.append(
      HeatMap(
        values: values,
        xticklabels: xticklabels.isEmpty ? (0..<columns).map(String.init) : xticklabels,
        yticklabels: yticklabels.isEmpty ? values.indices.map(String.init) : yticklabels,
        colormap: cmap, range: range ?? (drawable.min() ?? 0)...(drawable.max() ?? 0),
        decimals: decimals))
  }

  /// Shows beside a table of numbers which colour means which number.
  ///
  /// - Parameter label: What the numbers are.
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
  ///   - x: The points' places from left to right.
  ///   - y: Their heights, as many; what is no number leaves a gap.
  ///   - label: What the legend says of the line.
  ///   - color: The line's colour; the next one of ``Color/cycle``, if left out.
  ///   - linestyle: Whether the line is dashed or dotted.
  ///   - linewidth: How wide it is, in points.
  ///   - marker: What stands at each point.
  public mutating func plot(
    _ x: [Double], _ y: [Double], label: String = "", color: Color? = nil,
    linestyle: LineStyle = .solid, linewidth: Double = 1.5, marker: Marker = .none
  ) {
    precondition(
      x.count == y.count, "a line has as many x as y, got \(x.count) and \(y.count)")
    let stroke = Stroke(
      color: color ?? nextColor, style: linestyle, marker: marker, width: linewidth, markerSize: 7)
    marks.append(Line(x: x, y: y, label: label, stroke: stroke))
  }

  /// Draws a line through heights over 0, 1, 2, ….
  public mutating func plot(
    _ y: [Double], label: String = "", color: Color? = nil, linestyle: LineStyle = .solid,
    linewidth: Double = 1.5, marker: Marker = .none
  ) {
    plot(
      y.indices.map(Double.init), y, label: label, color: color, linestyle: linestyle,
      linewidth: linewidth, marker: marker)
  }

  /// Draws points.
  ///
  /// - Parameters:
  ///   - x: Their places from left to right.
  ///   - y: Their heights, as many.
  ///   - label: What the legend says of them.
  ///   - color: Their colour; the next one of ``Color/cycle``, if left out.
  ///   - marker: How they look.
  public mutating func scatter(
    _ x: [Double], _ y: [Double], label: String = "", color: Color? = nil,
    marker: Marker = .circle
  ) {
    plot(x, y, label: label, color: color, linestyle: .none, marker: marker)
  }

  /// Shows a bar for each of some categories, with its name below and an axis that counts from 0.
  ///
  /// ```swift
  /// axes.bar(["CNN", "ResNet"], [0.806, 0.852], yerr: [0.002, 0.001], decimals: 3)
  /// ```
  ///
  /// Names that would touch their neighbours' are broken into lines, or go one row down; all of them
  /// have one size: 10 points, or the largest with which three rows are enough. Where not even that
  /// helps, they run upwards.
  ///
  /// - Parameters:
  ///   - labels: The categories' names, from left to right; at least one.
  ///   - heights: As many numbers, 0 or more.
  ///   - yerr: How far error bars reach up and down; none, if left out.
  ///   - color: The colour of the bars.
  ///   - decimals: With how many decimals heights are written above the bars, if they fit; `nil`
  ///     does not write them.
  public mutating func bar(
    _ labels: [String], _ heights: [Double], yerr: [Double] = [], color: Color = .blue,
    decimals: Int? = nil
  ) {
    bar(labels, [BarSeries("", heights, errors: yerr, color: color)], decimals: decimals)
  }

  /// Shows several bars for each of some categories: side by side, or stacked.
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

  /// Shows a bar to the right for each of some categories, the first one at the top.
  ///
  /// ```swift
  /// axes.barh(["l for 1", "O for 0"], [112, 87], decimals: 0)
  /// ```
  ///
  /// - Parameters:
  ///   - labels: The categories' names, from top to bottom; at least one.
  ///   - widths: As many numbers, 0 or more.
  ///   - xerr: How far error bars reach to both sides; none, if left out.
  ///   - color: The colour of the bars.
  ///   - decimals: With how many decimals widths are written beside the bars, if they fit; `nil`
  ///     does not write them.
  public mutating func barh(
    _ labels: [String], _ widths: [Double], xerr: [Double] = [], color: Color = .blue,
    decimals: Int? = nil
  ) {
    barh(labels, [BarSeries("", widths, errors: xerr, color: color)], decimals: decimals)
  }

  /// Shows several bars to the right for each of some categories: one below the other, or stacked.
  public mutating func barh(
    _ labels: [String], _ series: [BarSeries], stacked: Bool = false, decimals: Int? = nil
  ) {
    appendBars(labels, series, isStacked: stacked, isHorizontal: true, decimals: decimals)
  }

  /// Shows the labels of lines and bars in a box, where it hides nothing: inside if there is room,
  /// else on the right.
  public mutating func legend() {
    hasLegend = true
  }

  private mutating func appendBars(
    _ labels: [String], _ series: [BarSeries], isStacked: Bool, isHorizontal: Bool, decimals: Int?
  ) {
    precondition(!series.isEmpty, "a bar chart has at least one series")
    for one in series {
      precondition(
        !labels.isEmpty && labels.count == one.values.count,
        "a bar chart has as many labels as bars, got \(labels.count) and \(one.values.count)")
    }
    let coloured = series.enumerated().map { index, one in
      BarSeries(
        one.label, one.values, errors: one.errors,
        color: one.color ?? Color.cycle[index % Color.cycle.count])
    }
    marks.append(
      Bars(
        labels: labels, series: coloured, isStacked: isStacked, isHorizontal: isHorizontal,
        decimals: decimals))
  }

  private var nextColor: Color {
    Color.cycle[marks.count(where: { $0 is Line }) % Color.cycle.count]
  }
}
