import Foundation

/// Puts characters side by side into lines of handwriting, the course's draw for draw.
///
/// For each line it draws a sentence, then how much its characters overlap, then one image for each
/// different character of the sentence that there are images of; so all the e's of a line are the
/// same. Where characters overlap, their pixels are added, and capped at 255.
package struct LineComposer {
  private let sentences: SentenceGenerator
  private let maxSentenceLength: Int
  private let overlap: (min: Double, max: Double)
  private let characters: Dataset
  /// Where in the file the images of each character start, by its ASCII code.
  private let samples: [[Int]]
  private let width: Int

  /// - Parameters:
  ///   - sentences: Where sentences come from.
  ///   - parameters: The lines' length and overlap.
  ///   - characters: Images with labels.
  ///   - mapping: The text that each label stands for, by label.
  package init(
    _ sentences: SentenceGenerator, _ parameters: EMNISTLines.Parameters, characters: Dataset,
    mapping: [String]
  ) {
    self.sentences = sentences
    self.characters = characters
    maxSentenceLength = parameters.maxSentenceLength
    overlap = (parameters.minOverlap, parameters.maxOverlap)
    width = CharacterFiles.side * parameters.maxLength
    var samples = [[Int]](repeating: [], count: 256)
    let codes = mapping.map { $0.utf8.first.map(Int.init) ?? 0 }
    characters.withPixels { _, start in
      for position in 0..<characters.count {
        samples[codes[characters.label(at: position)]].append(start(position))
      }
    }
    self.samples = samples
  }

  /// Draws lines one after the other.
  ///
  /// - Parameters:
  ///   - count: The number of lines.
  ///   - random: Where the draws come from.
  ///   - write: Given the pixels of some lines at a time, in order.
  /// - Returns: The lines' sentences, in ASCII.
  /// - Throws: ``DataError`` if no word is short enough, or what `write` throws.
  package func compose(
    _ count: Int, using random: inout RandomState, write: (Data) throws -> Void
  ) throws -> [ArraySlice<UInt8>] {
    var lines: [ArraySlice<UInt8>] = []
    let lineBytes = CharacterFiles.side * width
    // So few at a time that they are still in the processor's cache when they are written.
    let linesAtOnce = max(1, 1 << 20 / lineBytes)
    var pixels = Data()
    while lines.count < count {
      let chunk = min(linesAtOnce, count - lines.count)
      pixels.resetBytes(in: 0..<chunk * lineBytes)
      pixels.count = chunk * lineBytes
      var target = pixels.mutableBytes
      for line in 0..<chunk {
        let sentence = try sentences.bytes(maxLength: maxSentenceLength, using: &random)
        draw(sentence, at: line * lineBytes, of: &target, using: &random)
        lines.append(sentence)
      }
      try write(pixels)
    }
    return lines
  }

  private func draw(
    _ sentence: ArraySlice<UInt8>, at start: Int, of target: inout MutableRawSpan,
    using random: inout RandomState
  ) {
    let side = CharacterFiles.side
    let share = random.uniform(overlap.min, overlap.max)
    let step = side - Int(share * Double(side))
    var chosen: [UInt8: Int] = [:]
    characters.withPixels { bytes, _ in
      for (place, character) in sentence.enumerated() {
        let images = samples[Int(character)]
        // Space and punctuation have no images: their places stay black.
        if images.isEmpty { continue }
        let image = chosen[character] ?? images[random.integer(below: images.count)]
        chosen[character] = image
        for row in 0..<side {
          add(
            bytes, image + row * side, to: &target, start + row * width + place * step)
        }
      }
    }
  }

  /// Adds one row of 28 pixels, 8 + 8 + 8 + 4 at a time.
  private func add(
    _ bytes: RawSpan, _ source: Int, to target: inout MutableRawSpan, _ place: Int
  ) {
    for offset in [0, 8, 16] {
      add(SIMD8<UInt8>.self, bytes, source + offset, to: &target, place + offset)
    }
    add(SIMD4<UInt8>.self, bytes, source + 24, to: &target, place + 24)
  }

  @inline(__always)
  private func add<Pixels: SIMD<UInt8> & BitwiseCopyable>(
    _: Pixels.Type, _ bytes: RawSpan, _ source: Int, to target: inout MutableRawSpan, _ place: Int
  ) {
    let below = target.bytes.unsafeLoadUnaligned(fromByteOffset: place, as: Pixels.self)
    let sum = below &+ bytes.unsafeLoadUnaligned(fromByteOffset: source, as: Pixels.self)
    // A sum that is smaller than a summand has gone past 255.
    let capped = sum.replacing(with: .max, where: sum .< below)
    target.storeBytes(of: capped, toByteOffset: place, as: Pixels.self)
  }
}
