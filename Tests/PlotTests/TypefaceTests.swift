import Plot
import Testing

struct TypefaceTests {
  let typeface: Typeface

  init() throws {
    typeface = try Typeface(Font.sansSerif.file)
  }

  @Test(arguments: labels) func everyLabelHasInk(label: String) {
    let glyphs = typeface.glyphs(of: showingSpaces(label), size: 16)
    #expect(glyphs.contains { $0.coverage.contains { $0 > 127 } })
  }

  @Test func labelsLookDifferent() {
    let pictures = labels.map { typeface.glyphs(of: showingSpaces($0), size: 16) }
    for i in pictures.indices {
      #expect(pictures.firstIndex(of: pictures[i]) == i, "\(labels[i]) looks like another label")
    }
  }

  @Test func widthIsAdditiveAndContainsTheInk() {
    #expect(
      abs(typeface.width(of: "ab") - typeface.width(of: "a") - typeface.width(of: "b")) < 1e-9)
    for size in [8.0, 16.7, 40] {
      let text = "Correct: g, Pred: q"
      let width = typeface.width(of: text) * size
      for glyph in typeface.glyphs(of: text, size: size) {
        #expect(glyph.frame.x >= -1 && Double(glyph.frame.maxX) <= width + 1)
        #expect(Double(-glyph.frame.y) <= typeface.ascent * size + 1)
        #expect(Double(glyph.frame.maxY) <= typeface.descent * size + 1)
      }
    }
  }

  @Test func missingCharactersAreBoxes() {
    // U+10FFFF is never a character.
    let glyphs = typeface.glyphs(of: "\u{10FFFF}", size: 10)
    let expected = [
      [255, 255, 255, 255, 255],
      [255, 0, 0, 0, 255],
      [255, 0, 0, 0, 255],
      [255, 0, 0, 0, 255],
      [255, 0, 0, 0, 255],
      [255, 0, 0, 0, 255],
      [255, 255, 255, 255, 255],
    ]
    #expect(glyphs.map(\.coverage) == [expected.flatMap { $0.map(UInt8.init) }])
    #expect(glyphs.map(\.frame) == [Rectangle(x: 1, y: -7, width: 5, height: 7)])
  }

  @Test func fileThatIsNoFontIsAnError() {
    for bytes in [[], [1, 2, 3], Array(Font.sansSerif.file.bytes.prefix(99))] as [[UInt8]] {
      #expect(throws: PlotError("cannot read the font a")) {
        try Typeface(FontFile(bytes, name: "a"))
      }
    }
  }
}

/// The course's mapping for EMNIST.
let labels =
  ["<B>", "<S>", "<E>", "<P>"]
  + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz !\"#&'()*+,-./:;?"
  .map(String.init)

struct GlyphTests {
  @Test func rotationIsCounterclockwise() {
    // Ink of 1, 2, 3 along a baseline to the right, a 4 above the 1.
    let glyph = Glyph(
      frame: Rectangle(x: 2, y: -2, width: 3, height: 2), coverage: [4, 0, 0, 1, 2, 3])
    let turned = glyph.rotated
    #expect(turned.frame == Rectangle(x: -2, y: -5, width: 2, height: 3))
    #expect(turned.coverage == [0, 3, 0, 2, 4, 1])
  }

  @Test func fourRotationsAreTheIdentity() {
    let glyph = Glyph(
      frame: Rectangle(x: 5, y: -7, width: 2, height: 3), coverage: [1, 2, 3, 4, 5, 6])
    #expect(glyph.rotated.rotated.rotated.rotated == glyph)
    #expect(glyph.rotated != glyph)
  }
}
