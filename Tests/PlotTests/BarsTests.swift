import Plot
import Testing

struct BarsTests {
  private let blue = [UInt8](arrayLiteral: 31, 119, 180)

  /// For each column of the picture, from which row on it is blue; nil where it is not.
  private func bars(_ bitmap: Bitmap) -> [Int?] {
    (0..<bitmap.width).map { x in
      (0..<bitmap.height).first { y in
        let place = (y * bitmap.width + x) * bitmap.channels
        return Array(bitmap.bytes[place..<place + bitmap.channels]) == blue
      }
    }
  }

  private func draw(_ labels: [String], _ heights: [Double]) throws -> Bitmap {
    var figure = Figure(size: (6, 3))
    figure[0].bar(labels, heights)
    return try figure.draw().bitmap
  }

  @Test func heightsAreInProportion() throws {
    let tops = bars(try draw(["a", "b", "c", "d"], [50, 100, 0, 25]))
    let runs = tops.split(whereSeparator: { $0 == nil }).map { (count: $0.count, top: $0.first) }
    #expect(runs.count == 3)
    let bottom = 300 - bottomMargin(try draw(["a", "b", "c", "d"], [50, 100, 0, 25]))
    let heights = runs.compactMap { $0.top ?? nil }.map { bottom - $0 }
    #expect(heights.count == 3)
    #expect(abs(heights[1] - 2 * heights[0]) <= 2)
    #expect(abs(heights[1] - 4 * heights[2]) <= 4)
    #expect(Set(runs.map(\.count)).max().map { $0 - (runs.map(\.count).min() ?? 0) <= 1 } == true)
  }

  /// How far above the lower edge the bars end.
  private func bottomMargin(_ bitmap: Bitmap) -> Int {
    let last = (0..<bitmap.height).last { y in
      (0..<bitmap.width).contains { x in
        let place = (y * bitmap.width + x) * bitmap.channels
        return Array(bitmap.bytes[place..<place + bitmap.channels]) == blue
      }
    }
    return bitmap.height - 1 - (last ?? 0)
  }

  @Test func longNamesTakeMoreRowsOfTheFigure() throws {
    let short = bottomMargin(try draw(["a", "b", "c"], [1, 2, 3]))
    let names = ["a name that is quite long", "another name as long as that", "and a third one"]
    let long = bottomMargin(try draw(names, [1, 2, 3]))
    #expect(long > short + 10)
  }

  @Test func onlyZerosHaveNoBars() throws {
    #expect(bars(try draw(["a", "b"], [0, 0])).allSatisfy { $0 == nil })
  }

  @Test func tooManyBarsAreAnError() throws {
    let error = #expect(throws: PlotError.self) {
      try draw([String](repeating: "x", count: 1000), [Double](repeating: 1, count: 1000))
    }
    #expect(
      error?.description.hasPrefix("1000 bars and their names have no room in 570 × 270 pixels")
        == true)
  }

  @Test(
    arguments: [
      (0.0, [0.0], ["0"]),
      (1, [0, 0.2, 0.4, 0.6, 0.8, 1], ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
      (0.852, [0, 0.2, 0.4, 0.6, 0.8], ["0", "0.2", "0.4", "0.6", "0.8"]),
      (7, [0, 2, 4, 6], ["0", "2", "4", "6"]),
      (9229, [0, 2000, 4000, 6000, 8000], ["0", "2000", "4000", "6000", "8000"]),
      (20_001, [0, 5000, 10_000, 15_000, 20_000], ["0", "5000", "10000", "15000", "20000"]),
    ] as [(Double, [Double], [String])])
  func ticksAreRound(largest: Double, values: [Double], labels: [String]) {
    let ticks = Ticks(upTo: largest)
    #expect(ticks.labels == labels)
    #expect(zip(ticks.values, values).allSatisfy { abs($0 - $1) < 1e-9 })
    #expect(ticks.top >= largest && ticks.top > 0)
  }
}
