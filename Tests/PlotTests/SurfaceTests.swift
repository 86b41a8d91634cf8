import Plot
import Testing

/// Areas and transparency on the canvas.
struct SurfaceTests {
  private func points(_ positions: [(Double, Double)]) -> [Point] {
    positions.map { Point(x: $0.0, y: $0.1) }
  }

  @Test func areasOnPixelsAreSharp() {
    var canvas = Canvas(width: 4, height: 3)
    canvas.fill(areas: [points([(1, 1), (3, 1), (3, 2), (1, 2)])], color: .black)
    #expect(
      canvas.bitmap.grayIfPossible.bytes == [
        255, 255, 255, 255,
        255, 0, 0, 255,
        255, 255, 255, 255,
      ])
  }

  @Test(
    arguments: [
      ([(1, 1), (9, 1), (1, 9)], 32), ([(1.25, 2.5), (7.75, 2.5), (7.75, 3), (1.25, 3)], 3.25),
      // Concave, and with the other direction.
      ([(1, 1), (1, 9), (9, 9), (5, 5)], 32), ([(-5, -5), (5, -5), (5, 5), (-5, 5)], 25),
      // Two triangles of opposite directions.
      ([(2, 2), (8, 8), (8, 2), (2, 8)], 18), ([], 0), ([(3, 3)], 0),
    ] as [([(Double, Double)], Double)])
  func inkIsTheArea(corners: [(Double, Double)], area: Double) {
    var canvas = Canvas(width: 10, height: 10)
    canvas.fill(areas: [points(corners)], color: .black)
    #expect(abs(canvas.ink(in: canvas.bounds) - area) < 0.1)
  }

  @Test func neighborsHaveNoGap() {
    var canvas = Canvas(width: 9, height: 9)
    let (a, b, c, d) = ((1.0, 1.0), (8.0, 1.0), (8.0, 8.0), (1.0, 8.0))
    canvas.fill(areas: [points([a, b, c]), points([a, c, d])], color: .black)
    #expect(canvas.ink(in: canvas.bounds) == 49)
  }

  @Test func farCornersAreCutOff() {
    var canvas = Canvas(width: 10, height: 10)
    canvas.fill(
      areas: [points([(-1e200, 2), (1e200, 2), (1e200, 1e200), (-1e200, 1e200)])], color: .black)
    #expect(abs(canvas.ink(in: canvas.bounds) - 80) < 0.1)
  }

  @Test func opacityBlends() {
    var canvas = Canvas(width: 2, height: 1)
    canvas.opacity = 0.5
    canvas.fill(Rectangle(x: 0, y: 0, width: 2, height: 1), with: .red)
    canvas.fill(Rectangle(x: 1, y: 0, width: 1, height: 1), with: .black)
    #expect(canvas.bitmap.bytes == [255, 127, 127, 127, 63, 63])
    let picture = Bitmap(width: 1, height: 1, channels: 1, bytes: [255])
    canvas.draw(picture, in: Rectangle(x: 1, y: 0, width: 1, height: 1))
    #expect(canvas.bitmap.bytes[3...] == [191, 159, 159])
  }

  @Test func transparentLinesAreNotDarkerWhereTheyCross() {
    var canvas = Canvas(width: 20, height: 20)
    canvas.opacity = 0.5
    canvas.stroke(
      [points([(0, 0), (20, 20)]), points([(0, 20), (20, 0)])], width: 4, color: .black)
    #expect(canvas.bitmap.bytes.min() == 127)
  }

  @Test func alphaOfMarksBlends() throws {
    var figure = Figure(size: (3, 2))
    figure[0].frame = false
    figure[0].axhspan(0...1, color: .red, alpha: 0.5)
    figure[0].axvspan(0...1, color: .black, alpha: 0.5)
    (figure[0].xlim, figure[0].ylim) = (0...2, 0...1)
    let bitmap = try figure.draw().bitmap
    let frame = try #require(try Layout(figure).plots[0]).frame
    func color(_ x: Int) -> [UInt8] {
      let i = ((frame.y + 3) * bitmap.width + x) * 3
      return Array(bitmap.bytes[i..<i + 3])
    }
    #expect(color(frame.x + 3) == [127, 63, 63])
    #expect(color(frame.maxX - 3) == [255, 127, 127])
  }

  @Test(arguments: Marker.allCases) func markersAreAboutAsLarge(marker: Marker) throws {
    var figure = Figure(size: (1, 1), dpi: 72)
    figure[0].frame = false
    figure[0].scatter([0], [0], color: .black, marker: marker, s: [400])
    let canvas = try figure.draw()
    let ink = canvas.ink(in: canvas.bounds)
    switch marker {
    case .none: #expect(ink == 0)
    case .point: #expect(abs(ink - 78.5) < 2)
    case .cross, .plus: #expect((50...100).contains(ink))
    default:
      #expect((100...401).contains(ink))
      let middle = Rectangle(x: 25, y: 25, width: 22, height: 22)
      let corners = marker == .diamond ? 40 : 1.0
      #expect(abs(canvas.ink(in: middle) - ink) <= corners)
    }
  }
}
