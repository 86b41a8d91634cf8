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
}
