import Kernels
import LabRandom
import Synchronization

/// Images and labels in the layout of EMNIST ByClass.
public struct RawCharacters: Sendable, Equatable {
  /// 784 bytes per image, column by column (EMNIST's images are transposed), from 0 for paper to 255
  /// for ink.
  public var images: [UInt8]
  /// The class of each image, 0..<62: digits, capitals, small letters.
  public var labels: [UInt8]
}

/// Handwriting drawn by this program, for use when EMNIST is not available.
///
/// For each image a random writer writes a character of `StrokeAlphabet`: slanted, rotated,
/// stretched and more or less tidy, with a pen of random width. The result is fitted into 28×28 pixels
/// like EMNIST's images. The same seed gives the same bytes on every machine.
public enum SyntheticHandwriting {
  /// One image of a character: 784 bytes in row-major order, from 0 for paper to 255 for ink.
  ///
  /// A character without a form in the alphabet, such as a space, gives an empty image.
  public static func image(of character: Character, using random: inout RandomState) -> [UInt8] {
    let forms = StrokeAlphabet.forms[character] ?? []
    guard let form = commonForm(of: forms, using: &random) else { return HandwritingPen.blank }
    let writer = Writer(using: &random)
    let pen = HandwritingPen(radius: writer.penRadius, softness: writer.softness)
    return pen.draw(writer.write(form, using: &random))
  }

  /// Images of all classes, shuffled.
  ///
  /// ```swift
  /// let test = SyntheticHandwriting.split(samplesPerClass: Array(repeating: 100, count: 62), seed: 1)
  /// test.labels.count  // 6200
  /// test.images.count  // 6200 · 784
  /// ```
  ///
  /// - Parameters:
  ///   - samplesPerClass: The number of images of class 0, 1, …; at most 62 numbers.
  ///   - seed: The seed; results do not depend on the number of threads.
  public static func split(samplesPerClass: [Int], seed: UInt32) -> RawCharacters {
    let characters = StrokeAlphabet.characters
    precondition(
      samplesPerClass.count <= characters.count,
      "split(samplesPerClass:) wants at most \(characters.count) counts, "
        + "got \(samplesPerClass.count)")
    var random = RandomState(seed: seed)
    let labels = shuffledLabels(samplesPerClass, using: &random)
    let firstSeed = random.word()

    let pixels = HandwritingPen.blank.count
    let images = Mutex([UInt8](repeating: 0, count: labels.count * pixels))
    let block = 256
    parallel(count: (labels.count + block - 1) / block) { part in
      let samples = part * block..<min(labels.count, (part + 1) * block)
      var drawn: [UInt8] = []
      drawn.reserveCapacity(samples.count * pixels)
      for sample in samples {
        // With a seed per sample, images do not depend on the division into blocks.
        var random = RandomState(seed: firstSeed &+ UInt32(truncatingIfNeeded: sample))
        drawn += transposed(image(of: characters[Int(labels[sample])], using: &random))
      }
      images.withLock {
        $0.replaceSubrange(samples.lowerBound * pixels..<samples.upperBound * pixels, with: drawn)
      }
    }
    return RawCharacters(images: images.withLock { $0 }, labels: labels)
  }

  /// One of the forms, the k-th with weight 1/k.
  private static func commonForm(of forms: [Form], using random: inout RandomState) -> Form? {
    let weights = forms.indices.map { 1 / Float($0 + 1) }
    var left = random.between(0, weights.reduce(0, +))
    for (form, weight) in zip(forms, weights) {
      if left < weight { return form }
      left -= weight
    }
    return forms.last
  }

  private static func shuffledLabels(
    _ samplesPerClass: [Int], using random: inout RandomState
  ) -> [UInt8] {
    var labels = samplesPerClass.enumerated().flatMap { label, count in
      [UInt8](repeating: UInt8(label), count: count)
    }
    for index in labels.indices.reversed() {
      labels.swapAt(index, random.integer(below: index + 1))
    }
    return labels
  }

  private static func transposed(_ image: [UInt8]) -> [UInt8] {
    let side = HandwritingPen.side
    return (0..<side * side).map { image[$0 % side * side + $0 / side] }
  }
}
