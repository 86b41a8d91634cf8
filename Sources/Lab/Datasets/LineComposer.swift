import Foundation
import LabData
import LabRandom
import LabTensors

/// Composes lines of handwriting of images of characters, with the course's random numbers.
///
/// For each line it draws a sentence, then the overlap of neighbouring characters, then one image for
/// each different character of the sentence that has images; all e's of a line look the same, unless
/// the parameters say that characters vary. Where characters overlap, the sum of their pixels is
/// clamped to 255.
package struct LineComposer {
  /// The random choices for a line, which determine its pixels.
  package struct Line {
    /// The text, in ASCII.
    package let sentence: ArraySlice<UInt8>
    /// The distance between the left edges of neighbouring characters, in pixels.
    package let step: Int
    /// The image of each character; nil for space and punctuation, which have no images.
    package let images: [Int?]
  }

  private let sentences: any SentenceSource
  private let variesCharacters: Bool
  private let overlap: (min: Double, max: Double)
  private let characters: Dataset
  /// The positions of each character's images, by its ASCII code.
  private let samples: [[Int]]
  private let width: Int

  /// - Parameters:
  ///   - sentences: The text.
  ///   - parameters: The length and overlap of the lines.
  ///   - characters: Images of characters with their labels.
  ///   - mapping: The text of each label.
  package init(
    _ sentences: SentenceGenerator, _ parameters: EMNISTLines.Parameters, characters: Dataset,
    mapping: [String]
  ) {
    self.init(
      ShortSentences(sentences, maxLength: parameters.maxSentenceLength), parameters,
      characters: characters, mapping: mapping)
  }

  /// - Parameters:
  ///   - sentences: The source of sentences.
  ///   - parameters: The length and overlap of the lines.
  ///   - characters: Images of characters with their labels.
  ///   - mapping: The text of each label.
  package init(
    _ sentences: any SentenceSource, _ parameters: EMNISTLines.Parameters, characters: Dataset,
    mapping: [String]
  ) {
    self.sentences = sentences
    variesCharacters = parameters.varyCharacters
    self.characters = characters
    overlap = (parameters.minOverlap, parameters.maxOverlap)
    width = CharacterFiles.side * parameters.maxLength
    var samples = [[Int]](repeating: [], count: 256)
    let codes = mapping.map { $0.utf8.first.map(Int.init) ?? 0 }
    for position in 0..<characters.count {
      samples[codes[characters.label(at: position)]].append(position)
    }
    self.samples = samples
  }

  /// Draws a line.
  ///
  /// - Parameter random: The source of random numbers.
  /// - Throws: ``DataError`` if no word is short enough.
  package func draw(using random: inout RandomState) throws -> Line {
    draw(try sentences.bytes(using: &random), using: &random)
  }

  /// Draws a line of a given text.
  ///
  /// - Parameters:
  ///   - sentence: The text, in ASCII.
  ///   - random: The source of random numbers.
  package func draw(_ sentence: ArraySlice<UInt8>, using random: inout RandomState) -> Line {
    let share = random.uniform(overlap.min, overlap.max)
    let side = CharacterFiles.side
    var chosen: [UInt8: Int] = [:]
    let images = sentence.map { character -> Int? in
      let samples = samples[Int(character)]
      if samples.isEmpty { return nil }
      if let image = chosen[character] { return image }
      let image = samples[random.integer(below: samples.count)]
      if !variesCharacters { chosen[character] = image }
      return image
    }
    return Line(sentence: sentence, step: side - Int(share * Double(side)), images: images)
  }

  /// The pixels of some lines, line by line and row by row.
  package func pixels(of lines: some Collection<Line>) -> Data {
    let lineBytes = CharacterFiles.side * width
    var pixels = Data(count: lines.count * lineBytes)
    var target = pixels.mutableBytes
    characters.withPixels { bytes, start in
      for (number, line) in lines.enumerated() {
        for (index, image) in line.images.enumerated() {
          guard let image else { continue }
          add(bytes, start(image), to: &target, number * lineBytes + index * line.step)
        }
      }
    }
    return pixels
  }

  /// Adds a character's pixels to those of a line, four at a time.
  private func add(
    _ bytes: RawSpan, _ source: Int, to target: inout MutableRawSpan, _ start: Int
  ) {
    let side = CharacterFiles.side
    for row in 0..<side {
      for column in stride(from: 0, to: side, by: 4) {
        let offset = start + row * width + column
        let added = bytes.unsafeLoadUnaligned(
          fromByteOffset: source + row * side + column, as: SIMD4<UInt8>.self)
        let sum =
          added
          &+ target.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD4<UInt8>.self)
        // A sum that is smaller than a summand has overflowed.
        let capped = sum.replacing(with: .max, where: sum .< added)
        target.storeBytes(of: capped, toByteOffset: offset, as: SIMD4<UInt8>.self)
      }
    }
  }
}
