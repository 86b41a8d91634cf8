import Plot
import Testing

struct HeatMapTests {
  private func draw(_ values: [[Double]], decimals: Int? = nil) throws -> (Bitmap, Rectangle) {
    var figure = Figure()
    figure[0].imshow(values, cmap: .gray, range: 0...255, decimals: decimals)
    let frame = try #require(try Layout(figure).plots[0]).frame
    return (try figure.draw().bitmap, frame)
  }

  @Test func cellsHaveTheColorsOfTheirValues() throws {
    let values: [[Double]] = [[10, 20, 30], [40, 50, .nan]]
    let (bitmap, frame) = try draw(values)
    let side = frame.width / 3
    for (row, values) in values.enumerated() {
      for (column, value) in values.enumerated() {
        let expected = value.isNaN ? 255 : UInt8(value)
        for corner in [0, side - 1] {
          let (x, y) = (frame.x + column * side + corner, frame.y + row * side + corner)
          #expect(bitmap.bytes[3 * (y * bitmap.width + x)] == expected)
        }
      }
    }
  }

  @Test func valuesAreWrittenIfTheyFit() throws {
    func values(_ side: Int, _ decimals: Int?) throws -> [PlacedText] {
      var figure = Figure()
      let row = [Double](repeating: 1, count: side)
      figure[0].imshow([[Double]](repeating: row, count: side), decimals: decimals)
      return try #require(try Layout(figure).plots[0]).values
    }
    #expect(try values(10, 0).count == 100)
    #expect(try values(10, nil).isEmpty)
    #expect(try values(62, 3).isEmpty)
  }

  @Test func valuesContrastWithTheirCells() throws {
    var figure = Figure()
    figure[0].imshow([[0, 1]], cmap: .blues, decimals: 1)
    let values = try #require(try Layout(figure).plots[0]).values
    #expect(values.map(\.color) == [.black, .white])
  }
}
