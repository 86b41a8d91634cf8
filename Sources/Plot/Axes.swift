/// One place of a figure: what is shown there, with a title above.
public struct Axes: Sendable {
  /// The text above; spaces that could not be seen appear as `␣`.
  ///
  /// All titles of a figure have one font size: 12 points, or the largest with which each fits its
  /// place in at most two lines. What does not fit with 6 points is broken further, then cut with an
  /// ellipsis; a line break in the text stays.
  public var title = ""
  /// The colour of the title.
  public var titleColor = Color.black
  private(set) var drawables: [any Drawable] = []

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
    drawables.append(ShownImage(image, range: range))
  }

  /// Shows a bar for each of some categories, with its name below and an axis that counts from 0.
  ///
  /// ```swift
  /// axes.bar(["CNN", "ResNet"], [0.806, 0.852])
  /// ```
  ///
  /// Names that would touch their neighbours' go one row down; all of them have one size: 10 points,
  /// or the largest with which three rows are enough.
  ///
  /// - Parameters:
  ///   - labels: The categories' names, from left to right; at least one.
  ///   - heights: As many numbers, 0 or more.
  ///   - color: The colour of the bars.
  public mutating func bar(_ labels: [String], _ heights: [Double], color: Color = .blue) {
    precondition(
      !labels.isEmpty && labels.count == heights.count,
      "a bar chart has as many labels as heights, got \(labels.count) and \(heights.count)")
    precondition(
      heights.allSatisfy { $0 >= 0 && $0.isFinite }, "bars have heights of 0 or more")
    drawables.append(Bars(labels: labels, heights: heights, color: color))
  }
}
