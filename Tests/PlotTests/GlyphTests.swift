import Plot
import Testing

struct GlyphTests {
  @Test func aQuarterTurnMakesRightUp() {
    // Ink of 1, 2, 3 along a baseline to the right, a 4 above the 1.
    let glyph = Glyph(
      frame: Rectangle(x: 2, y: -2, width: 3, height: 2), coverage: [4, 0, 0, 1, 2, 3])
    let turned = glyph.rotated
    #expect(turned.frame == Rectangle(x: -2, y: -5, width: 2, height: 3))
    #expect(turned.coverage == [0, 3, 0, 2, 4, 1])
  }

  @Test func fourQuartersAreNone() {
    let glyph = Glyph(
      frame: Rectangle(x: 5, y: -7, width: 2, height: 3), coverage: [1, 2, 3, 4, 5, 6])
    #expect(glyph.rotated.rotated.rotated.rotated == glyph)
    #expect(glyph.rotated != glyph)
  }
}
