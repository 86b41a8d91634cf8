import Digests
import Foundation
import LabData
import LabHandwriting

/// The synthetic images of a data set whose real images are not available.
package struct SyntheticCharacters: Sendable {
  private static let seed: UInt32 = 42

  /// The number of training images of each class.
  package let trainPerClass: Int
  /// The number of test images of each class.
  package let testPerClass: Int
  /// The number of classes: the 10 digits, or all 62 characters.
  package let classes: Int

  /// The number of images in both parts.
  package var count: Int { (trainPerClass + testPerClass) * classes }

  /// Texts that change with the images: the SHA-256 digest of a few of them, which changes with the
  /// alphabet and the pen, and the number of images.
  package func sources() throws -> [String: String] {
    let sample = SyntheticHandwriting.split(
      samplesPerClass: [Int](repeating: 4, count: classes), seed: Self.seed)
    let sum = try SHA256()
    sum.update(Data(sample.images))
    return [
      "SyntheticHandwriting": try sum.hexadecimal,
      "images per class": "\(trainPerClass) + \(testPerClass)",
    ]
  }

  /// Draws the images of a part; each part has its own seed.
  package func draw(_ part: CharacterFiles.Part) -> RawCharacters {
    let count = part == .train ? trainPerClass : testPerClass
    return SyntheticHandwriting.split(
      samplesPerClass: [Int](repeating: count, count: classes),
      seed: part == .train ? Self.seed : Self.seed + 1)
  }
}
