import Foundation
import Lab
import Testing

struct CharacterImageTests {
  /// A picture of a thick L with a unit of `scale` pixels, at some position.
  private func picture(
    scale: Int, paper: Float, ink: Float, width: Int = 40, height: Int = 30
  ) -> (gray: [Float], width: Int, height: Int) {
    let (columns, rows) = (width * scale, height * scale)
    let gray = (0..<rows * columns).map { place -> Float in
      let (x, y) = (place % columns / scale, place / columns / scale)
      let isInk = (5..<25).contains(y) && (12..<22).contains(x) && (x < 15 || y >= 22)
      return isInk ? ink : paper
    }
    return (gray, columns, rows)
  }

  private func form(
    scale: Int = 3, paper: Float = 1, ink: Float = 0, width: Int = 40, height: Int = 30
  ) throws -> [Float] {
    let picture = picture(scale: scale, paper: paper, ink: ink, width: width, height: height)
    return try CharacterImage(
      gray: picture.gray, width: picture.width, height: picture.height, named: "a"
    ).pixels
  }

  /// From the first to the last row (or column) with more than a value.
  private func range(_ pixels: [Float], above limit: Float, alongX: Bool) -> ClosedRange<Int>? {
    let places = pixels.indices.filter { pixels[$0] > limit }.map { alongX ? $0 % 28 : $0 / 28 }
    guard let first = places.min(), let last = places.max() else { return nil }
    return first...last
  }

  @Test func theCharacterIsCenteredWithTwoFreePixels() throws {
    let pixels = try form()
    #expect(pixels.count == 784)
    #expect(pixels.max() == 1 && pixels.min() == 0)
    #expect(range(pixels, above: 0.05, alongX: false) == 2...25)
    // Half as wide as high, as in the picture.
    let columns = try #require(range(pixels, above: 0.5, alongX: true))
    #expect((11...13).contains(columns.count))
    #expect(abs(columns.lowerBound - (27 - columns.upperBound)) <= 1)
    // The foot of the L is at the bottom.
    let foot = pixels[23 * 28..<24 * 28].count { $0 > 0.5 }
    #expect(foot == columns.count && pixels[5 * 28..<6 * 28].count { $0 > 0.5 } < foot / 2)
  }

  @Test func colorsSizeAndPositionDoNotMatter() throws {
    let plain = try form()
    func expectAlike(_ other: [Float], within limit: Float) {
      #expect(zip(plain, other).allSatisfy { abs($0 - $1) <= limit })
    }
    expectAlike(try form(paper: 0, ink: 1), within: 1e-5)
    expectAlike(try form(paper: 0.8, ink: 0.3), within: 1e-4)
    expectAlike(try form(width: 61, height: 90), within: 1e-5)
    expectAlike(try form(scale: 6), within: 0.15)
    expectAlike(try form(scale: 17), within: 0.15)
  }

  @Test func shadesOfPaperAreIgnored() throws {
    let picture = picture(scale: 3, paper: 0.9, ink: 0.1)
    let uneven = picture.gray.enumerated().map { $1 + Float($0 % 7) * 0.005 }
    let pixels = try CharacterImage(
      gray: uneven, width: picture.width, height: picture.height, named: "a"
    ).pixels
    #expect(
      range(pixels, above: 0.3, alongX: false) == range(try form(), above: 0.3, alongX: false))
  }

  @Test func tinyAndNarrowPicturesWork() throws {
    for (width, height) in [(2, 1), (1, 3), (300, 2), (3, 3)] {
      var gray = [Float](repeating: 1, count: width * height)
      gray[gray.count / 2] = 0
      let image = try CharacterImage(gray: gray, width: width, height: height, named: "a")
      #expect(image.pixels.count == 784 && image.pixels.allSatisfy { (0...1).contains($0) })
    }
  }

  @Test func anEmptyPictureIsOneLine() {
    let error = #expect(throws: DataError.self) {
      try CharacterImage(
        gray: [Float](repeating: 0.7, count: 12), width: 4, height: 3, named: "a.png")
    }
    #expect(error?.description == "a.png: expected a character, got a picture of one colour")
  }

  @Test func impossibleSizesAreOneLine() {
    for (count, width, height) in [(12, 4, 4), (0, 0, 0), (4, -2, -2), (8, 4, .max)] {
      let error = #expect(throws: DataError.self) {
        try CharacterImage(
          gray: [Float](repeating: 0, count: count), width: width, height: height, named: "a")
      }
      #expect(error?.description == "a: expected \(width) × \(height) pixels, got \(count)")
    }
    #expect(throws: DataError.self) {
      try CharacterImage(gray: [0, .nan], width: 2, height: 1, named: "a")
    }
  }
}

/// The character in a photograph is the one that was drawn.
struct PhotographTests {
  /// Widths, left ends, heights, pens, papers and inks.
  private static let kinds: [(Int, Double, Double, Double, Float, Float)] = [
    (240, 0.35, 0.42, 0.06, 0.85, 0.25), (360, 0.2, 0.3, 0.1, 0.7, 0.1),
    (240, 0.3, 0.6, 0.03, 0.9, 0.55),
  ]

  private func pixels(_ photograph: Photograph) throws -> [Float] {
    try CharacterImage(
      gray: photograph.values.map { min(max($0, 0), 1) }, width: photograph.width,
      height: photograph.height, named: "a"
    ).pixels
  }

  /// The cosine of the angle between two images.
  private func likeness(_ a: [Float], _ b: [Float]) -> Float {
    func product(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return product(a, b) / (product(a, a) * product(b, b)).squareRoot()
  }

  @Test(arguments: Photograph.Trouble.allCases) func troubleIsNotInk(trouble: Photograph.Trouble)
    throws
  {
    // Other letters for each trouble: all of them take minutes in a debug build.
    let first = Photograph.Trouble.allCases.firstIndex(of: trouble) ?? 0
    for number in first..<first + Self.kinds.count {
      let (name, strokes) = Photograph.letters[number % Photograph.letters.count]
      let (width, left, size, pen, paper, ink) = Self.kinds[number % Self.kinds.count]
      let clean = Photograph(
        strokes, width: width, left: left, size: size, pen: pen, paper: paper, ink: ink)
      var photograph = clean
      photograph.add(trouble)
      let likeness = try likeness(pixels(clean), pixels(photograph))
      #expect(likeness > 0.9, "\(name) on paper \(number % Self.kinds.count): \(likeness)")
    }
  }

  @Test func severalCharactersAreSaidSo() throws {
    let text = "a: expected one character, got several; cut the picture around one of them"
    let letters = Photograph.letters.map(\.strokes)
    // Beside each other, and two lines.
    for (dx, dy) in [(0.9, 0.0), (1.4, 0), (0, 1.4)] {
      for pair in [(0, 2), (4, 1), (9, 9)] {
        let moved = letters[pair.1].map { $0.map { ($0.0 + dx, $0.1 + dy) } }
        let both = Photograph(letters[pair.0] + moved, left: 0.1, size: 0.25)
        #expect(throws: DataError(.damaged, text)) { _ = try pixels(both) }
      }
    }
    // The dot of an "i", and strokes with a gap, are one character.
    for strokes in [letters[7], [[(0, 0), (0, 1)], [(0.6, 0), (0.08, 0.5), (0.6, 1)]]] {
      _ = try pixels(Photograph(strokes))
    }
  }

  @Test func aSpeckDarkerThanTheInkIsNotTheCharacter() throws {
    // A dot of five pixels in 600 × 800 made another letter of each.
    for (_, strokes) in Photograph.letters.prefix(3) {
      let clean = Photograph(strokes, width: 600)
      var dotted = clean
      dotted.line((60, 60), (60, 60), reach: 2.5, 0)
      #expect(try pixels(clean) == pixels(dotted))
    }
  }
}
