import ArgumentParser
import LabData
import LabDatasets

/// Random augmentation of the training images.
package struct AugmentationOptions: ParsableArguments {
  @Flag(
    help: """
      Augment each training image with --degrees=10 --translate=0.08 --scale=0.9,1.1 --shear=10. \
      Options given explicitly override these.
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

  package init() {}

  package func validate() throws {
    try within(0...180, "degrees", degrees)
    try within(0...1, "translate", translate)
    try within(0...60, "shear", shear)
  }

  /// The augmentation; nil if there is none.
  package var chosen: RandomAffine? {
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
