import Plot
import Testing

/// Boxes, arrows and text in drawings.
struct ShapesTests {
  /// The darkness of each pixel of a figure of 100 × 100 pixels whose limits are those of its area.
  private func draw(_ fill: (inout Axes) -> Void) throws -> (Canvas, Rectangle) {
    var figure = Figure(size: (1, 1))
    figure[0].frame = false
    (figure[0].xlim, figure[0].ylim) = (0...10, 0...10)
    fill(&figure[0])
    let frame = try #require(try Layout(figure).plots[0]).frame
    return (try figure.draw(), frame)
  }

  /// The color of a pixel at a position in data coordinates.
  private func color(_ drawn: (Canvas, Rectangle), at x: Double, _ y: Double) -> [UInt8] {
    let (canvas, frame) = drawn
    let column = frame.x + Int(x / 10 * Double(frame.width))
    let row = frame.y + Int((1 - y / 10) * Double(frame.height))
    let index = 3 * (row * canvas.bitmap.width + column)
    return Array(canvas.bitmap.bytes[index..<index + 3])
  }

  private let white: [UInt8] = [255, 255, 255]
  private let black: [UInt8] = [0, 0, 0]

  @Test func nothingIsDrawnOfTheFrame() throws {
    let (canvas, _) = try draw { $0.text("", at: (5, 5)) }
    #expect(canvas.ink(in: canvas.bounds) == 0)
  }

  @Test func anImageFillsItsRectangleWithItsFirstRowAtTheTop() throws {
    let image = Image(width: 2, height: 2, values: [0, 1, 1, 0])
    let drawn = try draw {
      $0.imshow(image, x: 2...8, y: 4...8)
      $0.plot([0, 10], [6, 6], color: .red, linewidth: 2)
    }
    #expect(color(drawn, at: 3.5, 7.5) == black && color(drawn, at: 6.5, 7.5) == white)
    #expect(color(drawn, at: 3.5, 4.5) == white && color(drawn, at: 6.5, 4.5) == black)
    for (x, y) in [(2.1, 4.1), (7.9, 4.1), (2.1, 7.9)] {
      #expect((color(drawn, at: x, y) == black) == ((x < 5) == (y > 6)))
    }
    for (x, y) in [(1.5, 7.5), (8.5, 4.5), (3.5, 8.5), (6.5, 3.5)] {
      #expect(color(drawn, at: x, y) == white)
    }
    // What comes later is drawn over it.
    #expect(color(drawn, at: 3.5, 6) == [255, 0, 0])
  }

  @Test func theLimitsAreTheEdgesOfAnImage() throws {
    var figure = Figure(size: (2, 2))
    figure[0].imshow(Image(width: 1, height: 1, values: [0]), x: 3...5, y: -1...2, range: 0...1)
    let plot = try #require(try Layout(figure).plots[0])
    let canvas = try figure.draw()
    let area = Double(plot.frame.width * plot.frame.height)
    #expect(canvas.ink(in: plot.frame) == area)
  }

  @Test(
    arguments: [
      (1.0...1.0, 0.0...1.0, "imshow: expected edges that differ, got 1.0...1.0 and 0.0...1.0"),
      (
        0.0...1.0, 0.0...2e300,
        "imshow: expected positions between −1e300 and 1e300, got (1.0, 2e+300)"
      ),
    ])
  func rectanglesThatCannotBeDrawnAreErrors(
    x: ClosedRange<Double>, y: ClosedRange<Double>, message: String
  ) {
    var figure = Figure(size: (2, 2))
    figure[0].imshow(Image(width: 1, height: 1, values: [0]), x: x, y: y)
    let error = #expect(throws: PlotError.self) { try figure.png() }
    #expect(error?.description == message)
  }

  @Test func aBoxHasAnOutlineAndAnInside() throws {
    let drawn = try draw {
      $0.box(
        "", at: (5, 5), size: (6, 4), style: .square, facecolor: .blue, edgecolor: .red,
        linewidth: 3)
    }
    #expect(color(drawn, at: 5, 5) == [31, 119, 180])
    for (x, y) in [(2.05, 5.0), (7.95, 5), (5, 3.05), (5, 6.95), (2.05, 3.05)] {
      #expect(color(drawn, at: x, y) == [255, 0, 0])
    }
    for (x, y) in [(1.2, 5.0), (8.8, 5), (5, 2.2), (5, 7.8)] {
      #expect(color(drawn, at: x, y) == white)
    }
  }

  @Test func roundBoxesLackCornersAndCirclesMore() throws {
    let styles: [BoxStyle] = [.square, .round, .circle]
    let ink = try styles.map { style in
      let (canvas, _) = try draw {
        $0.box("", at: (5, 5), size: (8, 8), style: style, facecolor: .black)
      }
      return canvas.ink(in: canvas.bounds)
    }
    let (_, frame) = try draw { $0.text("", at: (5, 5)) }
    let side = 0.8 * Double(frame.width) + 100.0 / 72
    #expect(abs(ink[0] - side * side) < 0.01 * side * side)
    #expect(ink[1] < ink[0] - 20 && ink[1] > 0.95 * ink[0])
    #expect(abs(ink[2] - 3.14159 / 4 * side * side) < 0.01 * side * side)
  }

  @Test func theHeadOfAnArrowIsAtItsLastPoint() throws {
    let drawn = try draw { $0.arrow([(1, 5), (9, 5)]) }
    let (canvas, frame) = drawn
    func ink(from: Double, to: Double) -> Double {
      let left = frame.x + Int(from / 10 * Double(frame.width))
      let right = frame.x + Int(to / 10 * Double(frame.width))
      return canvas.ink(in: Rectangle(x: left, y: 0, width: right - left, height: 100))
    }
    #expect(ink(from: 8, to: 9) > 1.5 * ink(from: 2, to: 3))
    #expect(ink(from: 2, to: 3) > 0 && ink(from: 9.2, to: 10) == 0)
    #expect(color(drawn, at: 8.5, 5) == black)
    // A shorter arrow than its head is drawn, too.
    let (short, _) = try draw { $0.arrow([(5, 5), (5.1, 5)]) }
    #expect(short.ink(in: short.bounds) > 5)
    let (none, _) = try draw { $0.arrow([(5, 5), (5, 5)]) }
    #expect(none.ink(in: none.bounds) == 0)
  }

  @Test func roundedCornersCutTheCorner() throws {
    let path = [(x: 1.0, y: 9.0), (x: 9, y: 9), (x: 9, y: 1)]
    let (sharp, round) = try (
      draw { $0.arrow(path, linewidth: 2) }, draw { $0.arrow(path, rounding: 20, linewidth: 2) }
    )
    #expect(color(sharp, at: 9, 9) == black && color(round, at: 9, 9) == white)
    for (x, y) in [(3.0, 9.0), (9, 4)] { #expect(color(round, at: x, y) == black) }
  }

  @Test func textIsAlignedAtItsPosition() throws {
    let frames = try [TextAlignment.left, .center, .right].map { align in
      let (canvas, frame) = try draw {
        $0.text("one\ntwo", at: (5, 5), align: align, fontsize: 8)
      }
      let middle = frame.x + frame.width / 2
      let left = canvas.ink(in: Rectangle(x: 0, y: 0, width: middle, height: 100))
      return left / canvas.ink(in: canvas.bounds)
    }
    #expect(frames[0] < 0.05 && abs(frames[1] - 0.5) < 0.15 && frames[2] > 0.95)
  }

  @Test func textInABoxContrasts() throws {
    var figure = Figure(size: (2, 2))
    figure[0].box("a", at: (0, 0), size: (1, 1), facecolor: .black)
    figure[0].box("b", at: (1, 0), size: (1, 1))
    let values = try #require(try Layout(figure).plots[0]).values
    #expect(values.map(\.color) == [.white, .black])
  }

  @Test func aFigureWithoutFrameMakesRoomForText() throws {
    var figure = Figure(size: (3, 1))
    figure[0].frame = false
    figure[0].arrow([(0, 0), (1, 0)])
    figure[0].text("a long text at the left", at: (0, 1), align: .left)
    figure[0].text("a long text at the right", at: (1, 2), align: .right)
    figure[0].text("a very very long text in the middle", at: (0.5, 3))
    let layout = try Layout(figure)
    for text in try #require(layout.plots[0]).values {
      #expect(text.ink.x >= 0 && text.ink.maxX <= layout.width)
    }
    figure[0].text("further right", at: (1, 4), align: .left)
    let moved = try Layout(figure)
    #expect(try #require(moved.plots[0]).frame.width < #require(layout.plots[0]).frame.width - 50)
    for text in try #require(moved.plots[0]).values {
      #expect(text.ink.x >= 0 && text.ink.maxX <= moved.width)
    }
  }
}

struct CanvasFillTests {
  @Test func aPolygonHasItsArea() {
    let triangle = [Point(x: 10, y: 10), Point(x: 90, y: 20), Point(x: 30, y: 80)]
    for polygon in [triangle, triangle.reversed()] {
      var canvas = Canvas(width: 100, height: 100)
      canvas.fill(polygon, color: .black)
      #expect(abs(canvas.ink(in: canvas.bounds) - 2700) < 30)
    }
  }

  @Test func oneEnlargedPointIsADisk() {
    var (disk, stroke) = (Canvas(width: 40, height: 40), Canvas(width: 40, height: 40))
    disk.fill([Point(x: 20, y: 20)], rounding: 15, color: .black)
    stroke.stroke([Point(x: 20, y: 20)], width: 30, color: .black)
    #expect(disk.bitmap == stroke.bitmap)
  }

  @Test func aPolygonWithoutAreaIsALine() {
    var (fill, stroke) = (Canvas(width: 40, height: 40), Canvas(width: 40, height: 40))
    let ends = [Point(x: 10, y: 12), Point(x: 30, y: 25)]
    fill.fill(ends + ends.reversed(), rounding: 3, color: .black)
    stroke.stroke(ends, width: 6, color: .black)
    #expect(fill.bitmap == stroke.bitmap)
  }

  @Test func onlyTheClipIsFilled() {
    var canvas = Canvas(width: 20, height: 20)
    canvas.clip = Rectangle(x: 5, y: 5, width: 4, height: 4)
    canvas.fill([Point(x: -1e5, y: -1e5), Point(x: 1e5, y: 0), Point(x: 0, y: 1e5)], color: .black)
    #expect(canvas.ink(in: canvas.bounds) == 16)
  }
}
