import Foundation
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

/// Characters that the figures' own fonts lack.
struct SubstituteFontTests {
  let typeface: Typeface

  init() throws {
    typeface = try Typeface(Font.sansSerif.file)
  }

  /// Whether a font with Hangul is installed.
  static let hasHangul =
    (try? Typeface(Font.sansSerif.file))
    .map { $0.width(of: "데") != $0.width(of: "\u{10FFFF}") } ?? false

  @Test(.enabled(if: hasHangul, "needs fonts-nanum or another font with Hangul"))
  func hangulIsDrawnWithAnInstalledFont() throws {
    let text = "데이터 data"
    let glyphs = typeface.glyphs(of: text, size: 20)
    // One glyph for each letter, and none of them is the box.
    #expect(glyphs.count == 7)
    let box = typeface.glyphs(of: "\u{10FFFF}", size: 20)[0].coverage
    #expect(!glyphs.contains { $0.coverage == box })
    #expect(Set(glyphs.prefix(3).map(\.coverage)).count == 3)
    // Korean syllables are about as wide as they are high, and within the line.
    for glyph in glyphs.prefix(3) {
      #expect((12...20).contains(glyph.frame.width) && (14...22).contains(glyph.frame.height))
      #expect(Double(-glyph.frame.y) <= typeface.ascent * 20 + 1)
      #expect(Double(glyph.frame.maxY) <= typeface.descent * 20 + 1)
    }
    // The other letters are those of the figure's own font.
    let latin = try Typeface(Font.sansSerif.file, substitutes: []).glyphs(of: "data", size: 20)
    #expect(glyphs.suffix(4).map(\.frame.height) == latin.map(\.frame.height))
    // In pieces, as in names of files on a Mac, it looks the same.
    let pieces = text.decomposedStringWithCanonicalMapping
    #expect(pieces.unicodeScalars.count > text.unicodeScalars.count)
    #expect(typeface.glyphs(of: pieces, size: 20) == glyphs)
    #expect(typeface.width(of: pieces) == typeface.width(of: text))
  }

  @Test func withoutAFontHangulIsABox() throws {
    let typeface = try Typeface(Font.sansSerif.file, substitutes: ["/nowhere/font.ttf"])
    let box = typeface.glyphs(of: "\u{10FFFF}", size: 20)
    #expect(typeface.glyphs(of: "데", size: 20) == box)
    #expect(typeface.width(of: "데") == typeface.width(of: "\u{10FFFF}"))
  }

  @Test func figuresOfLatinTextDependOnNoInstalledFont() throws {
    let alone = try Typeface(Font.sansSerif.file, substitutes: [])
    for label in labels + ["Correct: é, Pred: Σ ± −0.5 ␣"] {
      #expect(alone.glyphs(of: label, size: 16.7) == typeface.glyphs(of: label, size: 16.7))
    }
  }

  @Test(arguments: ["/nowhere/font.ttf", #filePath])
  func ownFontMustBeOne(path: String) throws {
    #expect(throws: PlotError("LAB_FONT: expected the path of a font file, got \(path)")) {
      try SubstituteFonts.checkOwn(in: ["LAB_FONT": path])
    }
    try SubstituteFonts.checkOwn(in: ["LAB_FONT": ""])
    try SubstituteFonts.checkOwn(in: [:])
  }
}
