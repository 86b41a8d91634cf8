import Plot
import Testing

struct CanvasTests {
  @Test func fillsWhatIsOnTheCanvas() {
    var canvas = Canvas(width: 3, height: 2)
    canvas.fill(Rectangle(x: 1, y: -4, width: 9, height: 5), with: Color(red: 1, green: 2, blue: 3))
    #expect(
      canvas.bitmap.bytes == [
        255, 255, 255, 1, 2, 3, 1, 2, 3,
        255, 255, 255, 255, 255, 255, 255, 255, 255,
      ])
  }

  @Test func lettersAreMixedWithWhatIsBelow() {
    var canvas = Canvas(width: 4, height: 1)
    let glyph = Glyph(
      frame: Rectangle(x: -1, y: -1, width: 4, height: 1), coverage: [255, 0, 51, 255])
    canvas.draw(glyph, x: 1, y: 1, color: .green)
    #expect(
      canvas.bitmap.bytes == [0, 128, 0, 255, 255, 255, 204, 230, 204, 0, 128, 0])
  }

  @Test func lettersAreCutAtTheEdge() {
    var canvas = Canvas(width: 1, height: 1)
    let glyph = Glyph(frame: Rectangle(x: -1, y: 0, width: 2, height: 2), coverage: [0, 255, 0, 0])
    canvas.draw(glyph, color: .red)
    #expect(canvas.bitmap.bytes == [255, 0, 0])
  }

  @Test func enlargedPixelsAreBlocks() {
    var canvas = Canvas(width: 5, height: 2)
    let picture = Bitmap(width: 2, height: 1, channels: 1, bytes: [10, 20])
    canvas.draw(picture, in: Rectangle(x: 1, y: 0, width: 4, height: 2))
    let row: [UInt8] = [255, 10, 10, 20, 20]
    #expect(canvas.bitmap.grayIfPossible.bytes == row + row)
  }

  @Test func pixelsThatFallOnOneAreAveraged() {
    var canvas = Canvas(width: 2, height: 1)
    let picture = Bitmap(width: 4, height: 2, channels: 1, bytes: [0, 10, 100, 101, 20, 30, 0, 0])
    canvas.draw(picture, in: Rectangle(x: 0, y: 0, width: 2, height: 1))
    #expect(canvas.bitmap.grayIfPossible.bytes == [15, 50])
  }

  @Test func picturesKeepTheirColours() {
    var canvas = Canvas(width: 2, height: 1)
    let picture = Bitmap(width: 2, height: 1, channels: 3, bytes: [1, 2, 3, 4, 5, 6])
    canvas.draw(picture, in: Rectangle(x: 0, y: 0, width: 2, height: 1))
    #expect(canvas.bitmap == picture)
  }
}
