import Plot
import Testing

struct CanvasStrokeTests {
  /// How dark pixels are, from 0 to 255.
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

  @Test func aLineBetweenPixelsIsSharedByThem() {
    var canvas = Canvas(width: 4, height: 2)
    canvas.stroke([Point(x: -9, y: 1), Point(x: 9, y: 1)], width: 1, color: .black)
    #expect(ink(canvas) == [128, 128, 128, 128, 128, 128, 128, 128])
  }

  @Test func theInkOfALineIsItsLengthTimesItsWidth() {
    for (end, width) in [(Point(x: 80, y: 15), 2.0), (Point(x: 33, y: 90), 3.5)] {
      var canvas = Canvas(width: 100, height: 100)
      canvas.stroke([Point(x: 10, y: 10), end], width: width, color: .black)
      let (dx, dy) = (end.x - 10, end.y - 10)
      // Besides, half a disc at each end.
      let area = (dx * dx + dy * dy).squareRoot() * width + 3.14159 / 4 * width * width
      #expect(abs(canvas.ink(in: canvas.bounds) - area) < 0.03 * area)
    }
  }

  @Test func aLineThatTurnsBackIsNotDarker() {
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
    // The start of the first dash, which its round end makes longer, is at the edge.
    #expect(row.split(separator: false).count == 10)
    #expect(abs(canvas.ink(in: canvas.bounds) - 60) <= 1)
  }

  @Test func nothingIsDrawnBesideTheClip() {
    var canvas = Canvas(width: 20, height: 20)
    canvas.clip = Rectangle(x: 5, y: 5, width: 4, height: 4)
    canvas.stroke([Point(x: -1e9, y: 7), Point(x: 1e9, y: 7)], width: 30, color: .black)
    canvas.fill(Rectangle(x: 0, y: 0, width: 20, height: 6), with: .black)
    #expect(canvas.ink(in: canvas.bounds) == 16)
  }
}
