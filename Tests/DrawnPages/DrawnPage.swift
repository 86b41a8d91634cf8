import Foundation
import ImageFiles
import LabRandom

/// A drawn photograph of a page of handwriting, with its true text and the places of its lines.
///
/// ```swift
/// let page = try DrawnPage(.twenty[3], lines: ["we granted", "as you grew"], seed: 1) { … }
/// try Data(page.picture.encoded()).write(to: URL(filePath: "page.png"))
/// ```
///
/// Letters are images of 28×28 pixels in the form of EMNIST's. They are placed on lines as in EMNIST
/// Lines, but with uneven distances and a base line that is not straight, enlarged to strokes with
/// sharp edges, put on paper, and photographed.
package struct DrawnPage: Sendable {
  /// A line of writing.
  package struct Line: Sendable {
    package let text: String
    /// The corners of a polygon around the letters in the photograph, in pixels.
    package let outline: [SIMD2<Double>]
    /// The line as EMNIST Lines would have it: 28 rows of `width` numbers from 0 to 1.
    package let pixels: [Float]
    package let width: Int
    let place: LinePlace
    let camera: Camera

    /// The position in `pixels` of a position in the photograph.
    package func position(of pixel: SIMD2<Double>) -> SIMD2<Double> {
      place.position(camera.point(at: pixel))
    }
  }

  package let style: PageStyle
  package let lines: [Line]
  /// The photograph.
  package let picture: FileImage

  /// The true text, line by line.
  package var text: String { lines.map(\.text).joined(separator: "\n") }

  /// Draws a page.
  ///
  /// - Parameters:
  ///   - style: How it is written and photographed.
  ///   - texts: The lines.
  ///   - seed: The seed of all random choices.
  ///   - letter: Returns an image of a character: 784 bytes, row by row, 0 for paper; nil for blanks.
  package init(
    _ style: PageStyle, lines texts: [String], seed: UInt32,
    letter: (Character, inout RandomState) -> [UInt8]?
  ) {
    var random = RandomState(seed: seed)
    let written = texts.enumerated().map { index, text in
      WrittenLine(text, style, hand: style.hands[index % style.hands.count], letter, &random)
    }
    let sheet = Sheet(written, style, &random)
    let camera = Camera(style, sheet: (Double(sheet.width), Double(sheet.height)))
    picture = camera.photograph(sheet, style, &random)
    lines = zip(written, sheet.places).map { line, place in
      Line(
        text: line.text, outline: place.outline(of: line).map(camera.pixel(of:)),
        pixels: line.pixels, width: line.width, place: place, camera: camera)
    }
    self.style = style
  }
}

/// A line of writing, before it is on paper. Its unit is a pixel of EMNIST's images.
struct WrittenLine {
  /// A letter: its image, where its upper left corner is, and how large it is.
  struct Letter {
    let image: [Float]
    let x, y, size: Double

    /// The ink at a position in the line, by cubic interpolation.
    func ink(_ x: Double, _ y: Double) -> Float {
      interpolated((x - self.x) / size - 0.5, (y - self.y) / size - 0.5)
    }
  }

  static let side = 28

  let text: String
  let hand: PageStyle.Hand
  private(set) var letters: [Letter] = []
  /// The columns of the first and the last ink.
  private(set) var extent = (first: 0.0, end: 0.0)
  private(set) var pixels: [Float] = []
  private(set) var width = 0

  init(
    _ text: String, _ style: PageStyle, hand: PageStyle.Hand,
    _ letter: (Character, inout RandomState) -> [UInt8]?, _ random: inout RandomState
  ) {
    (self.text, self.hand) = (text, hand)
    let side = Double(Self.side)
    let step = side * (1 - random.uniform(0, style.maxOverlap))
    var stamps: [Character: [Float]] = [:]
    var x = 0.0
    let drift = random.uniform(0, 2 * .pi)
    for character in text {
      if character == " " {
        x += step * random.uniform(0.75, 1.35)
        continue
      }
      let stamp = style.varies ? nil : stamps[character]
      let image = stamp ?? letter(character, &random)?.map { Float($0) / 255 }
      guard let image else { continue }
      stamps[character] = image
      // The base line rises and falls within a few letters, and from letter to letter.
      let y = 0.5 * sin(x / 90 + drift) + random.uniform(-0.6, 0.6)
      let (size, top) = style.isNatural ? Self.proportions(of: character) : (1, 0)
      letters.append(
        Letter(image: image, x: x + random.uniform(-0.8, 0.8), y: y + top, size: size))
      x += step * size
    }
    width = Int(x + side - step) + 2
    pixels = (0..<Self.side * width).map { index in
      ink(Double(index % width) + 0.5, Double(index / width) + 0.5)
    }
    let columns = (0..<width).filter { column in
      (0..<Self.side).contains { pixels[$0 * width + column] > 0.3 }
    }
    extent = (Double(columns.first ?? 0), Double((columns.last ?? 0) + 1))
  }

  /// The size of a letter, and how far its upper edge is below that of a capital, on a base line at
  /// row 25.
  private static func proportions(of character: Character) -> (size: Double, top: Double) {
    switch character {
    case "a", "c", "e", "m", "n", "o", "r", "s", "u", "v", "w", "x", "z": (0.6, 10)
    case "g", "p", "q", "y", "j": (0.85, 9)
    default: (1, 0)
    }
  }

  /// The ink at a point, without the pen's weight and slant.
  private func ink(_ x: Double, _ y: Double) -> Float {
    let sum = letters.reduce(0) { sum, letter in
      abs(x - letter.x - 14) < 16 ? sum + letter.ink(x, y) : sum
    }
    return min(max(sum, 0), 1)
  }
}

extension WrittenLine.Letter {
  /// The value at a position between the centers of the image's pixels.
  private func interpolated(_ x: Double, _ y: Double) -> Float {
    let side = WrittenLine.side
    let (left, top) = (Int(x.rounded(.down)), Int(y.rounded(.down)))
    guard (-2...side).contains(left), (-2...side).contains(top) else { return 0 }
    func weights(_ share: Double) -> SIMD4<Float> {
      let t = Float(share)
      return [
        ((-0.5 * t + 1) * t - 0.5) * t, (1.5 * t - 2.5) * t * t + 1,
        ((-1.5 * t + 2) * t + 0.5) * t, (0.5 * t - 0.5) * t * t,
      ]
    }
    let (across, down) = (weights(x - Double(left)), weights(y - Double(top)))
    var sum: Float = 0
    for row in 0..<4 where (0..<side).contains(top + row - 1) {
      for column in 0..<4 where (0..<side).contains(left + column - 1) {
        sum += down[row] * across[column] * image[(top + row - 1) * side + left + column - 1]
      }
    }
    return sum
  }
}
