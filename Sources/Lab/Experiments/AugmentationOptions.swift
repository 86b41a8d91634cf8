import ArgumentParser
import LabData
import LabDatasets

/// Random augmentation of the training images.
package struct AugmentationOptions: ParsableArguments {
  @Flag(
    help: """
      Augment each training image with --degrees=10 --translate=0.08 --scale=0.9,1.1 --shear=10; each \
      line of EMNISTLines with --shear=15 --line_width=0.85,1.15 --line_height=0.85,1.1 \
      --line_shift=0.06 --stroke=0.5 --noise=0.06. Options given explicitly override these.
      """)
  var augment = false

  @Option(help: "Rotate images by up to this angle in either direction.", transform: number)
  var degrees: Double?

  @Option(
    help: "Translate images by up to this fraction of their width and height, in any direction.",
    transform: number)
  var translate: Double?

  @Option(
    help: ArgumentHelp(
      "Scale images by a factor between these two numbers.", valueName: "least,most"),
    transform: range)
  var scale: ClosedRange<Double>?

  @Option(help: "Shear images by up to this angle in either direction.", transform: number)
  var shear: Double?

  @Option(
    name: .customLong("line_width"),
    help: ArgumentHelp(
      "Stretch lines horizontally by a factor between these two numbers.", valueName: "least,most"),
    transform: range)
  var lineWidth: ClosedRange<Double>?

  @Option(
    name: .customLong("line_height"),
    help: ArgumentHelp(
      "Stretch lines vertically by a factor between these two numbers.", valueName: "least,most"),
    transform: range)
  var lineHeight: ClosedRange<Double>?

  @Option(
    name: .customLong("line_shift"),
    help: "Move lines up or down by up to this fraction of their height.", transform: number)
  var lineShift: Double?

  @Option(
    help: "Make the strokes of lines thicker by up to this many pixels, or thinner by half of it.",
    transform: number)
  var stroke: Double?

  @Option(
    help: "Add noise to lines, of up to this standard deviation; ink is 1.", transform: number)
  var noise: Double?

  package init() {}

  package func validate() throws {
    try within(0...180, "degrees", degrees)
    try within(0...1, "translate", translate)
    try within(0...60, "shear", shear)
    try within(0...1, "line_shift", lineShift)
    try within(0...1, "stroke", stroke)
    try within(0...1, "noise", noise)
  }

  /// The augmentation of a data set; nil if there is none.
  ///
  /// - Throws: A `ValidationError` if an option does not belong to the data set.
  package func chosen(for dataClass: DataClass) throws -> (any Augmentation)? {
    let isForLines = dataClass == .EMNISTLines
    let others =
      isForLines
      ? [("degrees", degrees != nil), ("translate", translate != nil), ("scale", scale != nil)]
      : [
        ("line_width", lineWidth != nil), ("line_height", lineHeight != nil),
        ("line_shift", lineShift != nil), ("stroke", stroke != nil), ("noise", noise != nil),
      ]
    if let (name, _) = others.first(where: \.1) {
      throw ValidationError(
        isForLines
          ? "--\(name) belongs to images of one character, but --data_class is EMNISTLines; "
            + "expected --shear, --line_width, --line_height, --line_shift, --stroke or --noise."
          : "--\(name) belongs to EMNISTLines, but --data_class is \(dataClass); expected "
            + "--degrees, --translate, --scale or --shear.")
    }
    return isForLines ? lineStyle : affine
  }

  private var lineStyle: RandomLineStyle? {
    let start = augment ? RandomLineStyle.handwriting : RandomLineStyle()
    let result = RandomLineStyle(
      shear: shear ?? start.shear, width: lineWidth ?? start.width,
      height: lineHeight ?? start.height, shift: lineShift ?? start.shift,
      stroke: stroke ?? start.stroke, noise: noise ?? start.noise)
    return result == RandomLineStyle() ? nil : result
  }

  private var affine: RandomAffine? {
    let start = augment ? RandomAffine.handwriting : RandomAffine()
    let result = RandomAffine(
      degrees: degrees ?? start.degrees, translate: translate ?? start.translate,
      scale: scale ?? start.scale, shear: shear ?? start.shear)
    return result == RandomAffine() ? nil : result
  }

  private func within(_ range: ClosedRange<Double>, _ name: String, _ value: Double?) throws {
    if let value, !range.contains(value) {
      throw ValidationError(
        "--\(name): expected \(range.lowerBound) to \(range.upperBound), got \(value)")
    }
  }
}

/// The range of a text such as `0.9,1.1`.
private func range(_ text: String) throws -> ClosedRange<Double> {
  let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
  guard numbers.count == 2, let least = numbers[0], let most = numbers[1],
    0.1 <= least, least <= most, most <= 10
  else {
    throw ValidationError(
      "expected two numbers from 0.1 to 10, the smaller one first, such as 0.9,1.1, got \(text)")
  }
  return least...most
}
