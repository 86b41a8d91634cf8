import Plot
import Testing

struct BarsTests {
  private let blue = [UInt8](arrayLiteral: 31, 119, 180)

  /// The first blue row of each column; `nil` if there is none.
  private func bars(_ bitmap: Bitmap) -> [Int?] {
    (0..<bitmap.width).map { x in
      (0..<bitmap.height).first { y in
        let index = (y * bitmap.width + x) * bitmap.channels
        return Array(bitmap.bytes[index..<index + bitmap.channels]) == blue
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

  /// The number of rows below the bars.
  private func bottomMargin(_ bitmap: Bitmap) -> Int {
    let last = (0..<bitmap.height).last { y in
      (0..<bitmap.width).contains { x in
        let index = (y * bitmap.width + x) * bitmap.channels
        return Array(bitmap.bytes[index..<index + bitmap.channels]) == blue
      }
    }
    return bitmap.height - 1 - (last ?? 0)
  }

  @Test func longNamesReserveMoreSpace() throws {
    let short = bottomMargin(try draw(["a", "b", "c"], [1, 2, 3]))
    let names = ["a name that is quite long", "another name as long as that", "and a third one"]
    let long = bottomMargin(try draw(names, [1, 2, 3]))
    #expect(long > short + 10)
  }

  @Test func zerosDrawNoBars() throws {
    #expect(bars(try draw(["a", "b"], [0, 0])).allSatisfy { $0 == nil })
  }

  @Test(arguments: [false, true]) func negativeBarsHangFromZero(isHorizontal: Bool) throws {
    var figure = Figure(size: (6, 4))
    if isHorizontal {
      figure[0].barh(["a", "b", "c"], [40, -40, -20])
    } else {
      figure[0].bar(["a", "b", "c"], [40, -40, -20])
    }
    let bitmap = try figure.draw().bitmap
    // For each bar, the first and the last of its blue pixels across the categories.
    let (outer, inner) =
      isHorizontal ? (bitmap.height, bitmap.width) : (bitmap.width, bitmap.height)
    let spans = (0..<outer).map { i in
      let blues = (0..<inner).filter { j in
        let index = 3 * (isHorizontal ? i * bitmap.width + j : j * bitmap.width + i)
        return Array(bitmap.bytes[index..<index + 3]) == blue
      }
      return [blues.first, blues.last].compactMap(\.self)
    }
    let bars = spans.split(separator: []).map { $0[$0.startIndex + $0.count / 2] }
    try #require(bars.count == 3)
    let lengths = bars.map { $0[1] - $0[0] }
    #expect(abs(lengths[0] - lengths[1]) <= 2 && abs(lengths[1] - 2 * lengths[2]) <= 3)
    // The first bar ends where the others start.
    let zero = isHorizontal ? bars[0][0] : bars[0][1]
    for bar in bars[1...] { #expect(abs((isHorizontal ? bar[1] : bar[0]) - zero) <= 2) }
    #expect(isHorizontal ? bars[1][0] < zero - 99 : bars[1][1] > zero + 99)
  }

  @Test func negativeValuesAreWrittenBelowTheirBars() throws {
    var figure = Figure(size: (6, 3))
    figure[0].bar(["a", "b"], [2, -2], yerr: [0.1, 0.1], decimals: 1)
    let plot = try #require(try Layout(figure).plots[0])
    #expect(plot.values.count == 2)
    #expect(plot.values[0].ink.maxY < plot.values[1].ink.y - 50)
    for value in plot.values { #expect(plot.frame.intersection(value.ink) == value.ink) }
  }

  @Test func stackedValuesOfBothSignsDoNotCover() throws {
    var figure = Figure(size: (6, 3))
    let series = [
      BarSeries("x", [1], color: .red), BarSeries("y", [-1], color: .green),
      BarSeries("z", [-1], color: .blue),
    ]
    figure[0].bar(["a"], series, stacked: true)
    let bitmap = try figure.draw().bitmap
    let counts = [Color.red, .green, .blue].map { color in
      stride(from: 0, to: bitmap.bytes.count, by: 3).count {
        Array(bitmap.bytes[$0..<$0 + 3]) == [color.red, color.green, color.blue]
      }
    }
    #expect(counts.allSatisfy { abs($0 - counts[0]) < counts[0] / 20 }, "\(counts)")
  }

  @Test func tooManyBarsAreAnError() throws {
    let error = #expect(throws: PlotError.self) {
      try draw([String](repeating: "x", count: 1000), [Double](repeating: 1, count: 1000))
    }
    #expect(error?.description.hasPrefix("1000 bars do not fit into 5") == true)
    #expect(error?.description.hasSuffix(" pixels; make the figure larger") == true)
  }

  /// The largest number of blue pixels in each run of columns, or of rows.
  private func runs(_ bitmap: Bitmap, alongX: Bool) -> [Int] {
    let (outer, inner) =
      alongX ? (bitmap.width, bitmap.height) : (bitmap.height, bitmap.width)
    let counts = (0..<outer).map { i in
      (0..<inner).count { j in
        let index = 3 * (alongX ? j * bitmap.width + i : i * bitmap.width + j)
        return Array(bitmap.bytes[index..<index + 3]) == blue
      }
    }
    return counts.split(separator: 0).compactMap { $0.max() }
  }

  @Test func horizontalBarsStartAtTheTop() throws {
    var figure = Figure(size: (6, 3))
    figure[0].barh(["a", "b", "c"], [100, 50, 25])
    let lengths = runs(try figure.draw().bitmap, alongX: false)
    #expect(lengths.count == 3)
    #expect(abs(lengths[0] - 2 * lengths[1]) <= 2 && abs(lengths[0] - 4 * lengths[2]) <= 4)
  }

  @Test func stackedBarsAddUp() throws {
    func draw(stacked: Bool) throws -> [Int] {
      var figure = Figure(size: (6, 3))
      let series = [BarSeries("x", [1, 2], color: .blue), BarSeries("y", [1, 2], color: .blue)]
      figure[0].bar(["a", "b"], series, stacked: stacked)
      return runs(try figure.draw().bitmap, alongX: true)
    }
    let (beside, stacked) = try (draw(stacked: false), draw(stacked: true))
    #expect(beside.count == 2 && stacked.count == 2)
    #expect(stacked == beside)
    #expect(abs(stacked[1] - 2 * stacked[0]) <= 2)
  }

  @Test func errorBarsHaveTheirLength() throws {
    func black(_ errors: [Double]) throws -> Int {
      var figure = Figure(size: (6, 3))
      figure[0].ylim = 0...4
      figure[0].bar(["a"], [2], yerr: errors)
      let bitmap = try figure.draw().bitmap
      // Count in the middle column of the bar, between the axes' lines.
      let frame = try #require(try Layout(figure).plots[0]).frame
      let x = frame.x + frame.width / 2
      return (frame.y..<frame.maxY).count { y in
        bitmap.bytes[3 * (y * bitmap.width + x)] < 16
      }
    }
    #expect(try black([]) == 0)
    let (small, large) = try (black([0.5]), black([1]))
    #expect(abs(large - 2 * small) <= 4 && small > 20)
  }

  @Test func valuesAreWrittenAboveBars() throws {
    var figure = Figure(size: (6, 3))
    figure[0].bar(["a", "b"], [1, 2], decimals: 1)
    let plot = try #require(try Layout(figure).plots[0])
    #expect(plot.values.count == 2)
    #expect(plot.values[0].ink.y > plot.values[1].ink.y + 50)
    figure[0] = Axes()
    figure[0].bar((0..<99).map(String.init), [Double](repeating: 1.5, count: 99), decimals: 3)
    #expect(try #require(try Layout(figure).plots[0]).values.isEmpty)
  }
}
