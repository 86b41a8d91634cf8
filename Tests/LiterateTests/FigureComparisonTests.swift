import Literate
import Plot
import Testing

struct FigureComparisonTests {
  private func png(_ bytes: [UInt8], width: Int = 2) throws -> [UInt8] {
    try encodePNG(
      Bitmap(width: width, height: bytes.count / width, channels: 1, bytes: bytes))
  }

  private func comparison(_ expected: [UInt8], _ actual: [UInt8]) throws -> FigureComparison {
    try FigureComparison(expected: expected, actual: actual, name: "a.png")
  }

  @Test func comparesPixels() throws {
    let (first, second) = (try png([0, 10, 20, 255]), try png([0, 10, 20, 155]))
    #expect(try comparison(first, first).difference(.exact) == nil)
    #expect(
      try comparison(first, second).difference(.exact)
        == "25.0 % of the pixels differ, by up to 100 of 255; the tolerance is 0.0 %")
    #expect(try comparison(first, second).difference(.init(pixels: 0.25)) == nil)
  }

  @Test func smallDifferencesMayNotCount() throws {
    let (first, second) = (try png([0, 10, 20, 255]), try png([3, 13, 17, 155]))
    #expect(try comparison(first, second).difference(.init(pixels: 0.25, levels: 3)) == nil)
    #expect(
      try comparison(first, second).difference(.init(pixels: 0.25, levels: 2))
        == "100.0 % of the pixels differ by more than 2, by up to 100 of 255; the tolerance is 25.0 %"
    )
    #expect(
      try comparison(first, second).difference(.init(levels: 100)) == nil)
  }

  @Test func colorsMayMoveButNotBecomeMore() throws {
    let (first, moved, more) = (
      try png([0, 255, 255, 255]), try png([255, 255, 240, 10]), try png([0, 255, 255, 0])
    )
    let tolerance = Tolerance(pixels: 1, colors: 0.2)
    #expect(try comparison(first, moved).difference(tolerance) == nil)
    #expect(
      try comparison(first, more).difference(tolerance)
        == "25.0 % of the pixels have other colors, wherever they are; the tolerance is 20.0 %")
    #expect(try comparison(first, more).difference(.init(pixels: 1, colors: 0.25)) == nil)
    // Both count.
    #expect(try comparison(first, moved).difference(.init(pixels: 0.5, colors: 0.2)) != nil)
  }

  @Test func comparesSizes() throws {
    let (first, second) = (try png([0, 1, 2, 3]), try png([0, 1], width: 1))
    #expect(
      try comparison(first, second).difference(.init(pixels: 1))
        == "expected 2 × 2 pixels, got 1 × 2")
  }

  @Test func sideBySideShowsBothAndTheirDifference() throws {
    let (first, second) = (
      [UInt8](repeating: 200, count: 6400), [UInt8](repeating: 90, count: 6400)
    )
    let both = try comparison(try png(first, width: 80), try png(second, width: 80)).sideBySide
    #expect(both.columns == 3)
    let bitmap = try decodeImage(try both.png(), named: "both", channels: 1)
    #expect(bitmap.bytes.contains(200) && bitmap.bytes.contains(90) && bitmap.bytes.contains(110))
    let other = try comparison(try png(first, width: 80), try png(second, width: 40)).sideBySide
    #expect(other.columns == 2)
  }

  @Test func invalidFilesAreErrors() throws {
    let whole = try png([0, 1, 2, 3])
    #expect(throws: PlotError.self) { try comparison([1, 2, 3], whole) }
  }
}
