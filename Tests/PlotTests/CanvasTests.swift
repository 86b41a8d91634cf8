import Plot
import Testing

struct CanvasTests {
  @Test func fillIsClippedToTheCanvas() {
    var canvas = Canvas(width: 3, height: 2)
    canvas.fill(Rectangle(x: 1, y: -4, width: 9, height: 5), with: Color(red: 1, green: 2, blue: 3))
    #expect(
      canvas.bitmap.bytes == [
        255, 255, 255, 1, 2, 3, 1, 2, 3,
        255, 255, 255, 255, 255, 255, 255, 255, 255,
      ])
  }

  @Test func glyphsAreBlended() {
    var canvas = Canvas(width: 4, height: 1)
    let glyph = Glyph(
      frame: Rectangle(x: -1, y: -1, width: 4, height: 1), coverage: [255, 0, 51, 255])
    canvas.draw(glyph, x: 1, y: 1, color: .green)
    #expect(
      canvas.bitmap.bytes == [0, 128, 0, 255, 255, 255, 204, 230, 204, 0, 128, 0])
  }

  @Test func glyphsAreClipped() {
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

  @Test func shrinkingAverages() {
    var canvas = Canvas(width: 2, height: 1)
    let picture = Bitmap(width: 4, height: 2, channels: 1, bytes: [0, 10, 100, 101, 20, 30, 0, 0])
    canvas.draw(picture, in: Rectangle(x: 0, y: 0, width: 2, height: 1))
    #expect(canvas.bitmap.grayIfPossible.bytes == [15, 50])
  }

  @Test func picturesKeepTheirColors() {
    var canvas = Canvas(width: 2, height: 1)
    let picture = Bitmap(width: 2, height: 1, channels: 3, bytes: [1, 2, 3, 4, 5, 6])
    canvas.draw(picture, in: Rectangle(x: 0, y: 0, width: 2, height: 1))
    #expect(canvas.bitmap == picture)
  }
}

struct CanvasStrokeTests {
  /// The darkness of the pixels, from 0 to 255.
  private func ink(_ canvas: Canvas) -> [UInt8] {
    canvas.bitmap.grayIfPossible.bytes.map { 255 - $0 }
  }

  @Test func aLineOnPixelsIsSharp() {
    var canvas = Canvas(width: 6, height: 3)
    canvas.stroke([Point(x: 1.5, y: 1.5), Point(x: 4.5, y: 1.5)], width: 1, color: .black)
    #expect(
      ink(canvas) == [
        0, 0, 0, 0, 0, 0,
        0, 255, 255, 255, 255, 0,
        0, 0, 0, 0, 0, 0,
      ])
  }

  @Test func aLineBetweenPixelsIsAntialiased() {
    var canvas = Canvas(width: 4, height: 2)
    canvas.stroke([Point(x: -9, y: 1), Point(x: 9, y: 1)], width: 1, color: .black)
    #expect(ink(canvas) == [128, 128, 128, 128, 128, 128, 128, 128])
  }

  @Test func inkIsLengthTimesWidth() {
    for (end, width) in [(Point(x: 80, y: 15), 2.0), (Point(x: 33, y: 90), 3.5)] {
      var canvas = Canvas(width: 100, height: 100)
      canvas.stroke([Point(x: 10, y: 10), end], width: width, color: .black)
      let (dx, dy) = (end.x - 10, end.y - 10)
      // Plus half a disk at each end.
      let area = (dx * dx + dy * dy).squareRoot() * width + 3.14159 / 4 * width * width
      #expect(abs(canvas.ink(in: canvas.bounds) - area) < 0.03 * area)
    }
  }

  @Test func overlappingSegmentsAreNotDarker() {
    var (once, twice) = (Canvas(width: 9, height: 9), Canvas(width: 9, height: 9))
    let (a, b) = (Point(x: 1, y: 2), Point(x: 8, y: 7))
    once.stroke([a, b], width: 1.5, color: .blue)
    twice.stroke([a, b, a], width: 1.5, color: .blue)
    #expect(once.bitmap == twice.bitmap)
  }

  @Test func onePointIsADot() {
    var canvas = Canvas(width: 21, height: 21)
    canvas.stroke([Point(x: 10.5, y: 10.5)], width: 10, color: .black)
    #expect(abs(canvas.ink(in: canvas.bounds) - 78.5) < 2)
    #expect(
      canvas.ink(in: Rectangle(x: 5, y: 5, width: 11, height: 11)) == canvas.ink(in: canvas.bounds))
  }

  @Test func dashesLeaveGaps() {
    var canvas = Canvas(width: 100, height: 3)
    canvas.stroke(
      [Point(x: 0, y: 1.5), Point(x: 40, y: 1.5), Point(x: 100, y: 1.5)], width: 1, color: .black,
      dashes: [6, 4])
    let row = ink(canvas)[100..<200].map { $0 > 127 }
    // The first dash starts at the edge, where its round cap is clipped.
    #expect(row.split(separator: false).count == 10)
    #expect(abs(canvas.ink(in: canvas.bounds) - 60) <= 1)
  }

  @Test func nothingIsDrawnOutsideTheClip() {
    var canvas = Canvas(width: 20, height: 20)
    canvas.clip = Rectangle(x: 5, y: 5, width: 4, height: 4)
    canvas.stroke([Point(x: -1e9, y: 7), Point(x: 1e9, y: 7)], width: 30, color: .black)
    canvas.fill(Rectangle(x: 0, y: 0, width: 20, height: 6), with: .black)
    #expect(canvas.ink(in: canvas.bounds) == 16)
  }
}
