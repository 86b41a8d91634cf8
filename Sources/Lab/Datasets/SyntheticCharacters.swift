import Foundation
import LabTensors

/// What a data set asks of ``SyntheticHandwriting`` when its own images cannot be had.
package struct SyntheticCharacters: Sendable {
  private static let seed: UInt32 = 42

  /// The number of training images of each class.
  package let trainPerClass: Int
  /// The number of test images of each class.
  package let testPerClass: Int
  /// The number of classes: the 10 digits, or all 62 characters.
  package let classes: Int

  /// The number of all images.
  package var count: Int { (trainPerClass + testPerClass) * classes }

  /// What tells these images from others: the digest of a few of them, so that a change of the
  /// alphabet or the pen is noticed, and how many there are.
  package func sources() throws -> [String: String] {
    let sample = SyntheticHandwriting.split(
      samplesPerClass: [Int](repeating: 4, count: classes), seed: Self.seed)
    let sum = try SHA256()
    sum.update(Data(sample.images))
    return [
      "SyntheticHandwriting": sum.hexadecimal,
      "images per class": "\(trainPerClass) + \(testPerClass)",
    ]
  }

  /// Draws a part's images, each part from a seed of its own.
  package func draw(_ part: CharacterFiles.Part) -> RawCharacters {
    let count = part == .train ? trainPerClass : testPerClass
    return SyntheticHandwriting.split(
      samplesPerClass: [Int](repeating: count, count: classes),
      seed: part == .train ? Self.seed : Self.seed + 1)
  }
}
