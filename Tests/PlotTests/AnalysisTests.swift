import Foundation
import Fuzzing
import Plot
import Testing

/// Spans, ticks by hand, legends in their place, annotations and lines across the plot.
struct AnalysisTests {
  private func error(_ fill: (inout Figure) -> Void) -> String? {
    drawingError(Figure(size: (6, 4), rows: 2, columns: 2), fill)
  }

  @Test func everyCallSaysWhatItExpected() {
    func line(_ fill: (inout Axes) -> Void) -> String? {
      error { fill(&$0[0]) }.map { String($0.dropFirst(8)) }
    }
    #expect(line { $0.plot([1], alpha: 2) } == "plot: expected an alpha from 0 to 1, got 2.0")
    #expect(
      line { $0.plot([1], markersize: -1) }
        == "plot: expected a markersize from 0 to 1000, got -1.0")
    #expect(
      line { $0.bar(["a"], [1], alpha: .nan) } == "bar: expected an alpha from 0 to 1, got nan")
    #expect(
      line { $0.scatter([1], [1], s: [1, 2]) }
        == "scatter: expected an area s for each of 1 points, got 2")
    #expect(
      line { $0.scatter([1], [1], c: [1, 2]) }
        == "scatter: expected a value c for each of 1 points, got 2")
    #expect(
      line { $0.scatter([1], [1], s: [-1]) } == "scatter: expected areas s from 0 to 1e6, got -1.0")
    #expect(line { $0.hist([1], bins: 0) } == "hist: expected from 1 to 100000 bins, got 0")
    #expect(line { $0.hist([1], alpha: -1) } == "hist: expected an alpha from 0 to 1, got -1.0")
    #expect(
      line { $0.fillBetween([1], [1, 2], [1]) }
        == "fillBetween: expected as many x as y1, got 1 and 2")
    #expect(
      line { $0.fillBetween([1], [1], [1, 2]) }
        == "fillBetween: expected as many x as y2, got 1 and 2")
    #expect(
      line { $0.axhline(.nan) } == "axhline: expected a position between −1e300 and 1e300, got nan")
    #expect(
      line { $0.axvline(1, linewidth: -1) }
        == "axvline: expected a linewidth from 0 to 1000, got -1.0")
    #expect(
      line { $0.axvspan(0...(.infinity)) }
        == "axvspan: expected edges between −1e300 and 1e300, got inf")
    #expect(
      line { $0.annotate("a", xy: (0, 0), xytext: (.nan, 0)) }
        == "annotate: expected positions between −1e300 and 1e300, got (nan, 0.0)")
    #expect(line { $0.legend(ncols: 0) } == "legend: expected ncols of at least 1, got 0")
    #expect(
      line { $0.xticks([1, 2], labels: ["a"]) }
        == "xticks: expected a label for each of 2 ticks, got 1")
    #expect(
      line { $0.yticks([.infinity]) }
        == "yticks: expected positions between −1e300 and 1e300, got inf")
    #expect(
      line {
        $0.imshow(Image(width: 1, height: 1, values: [0]), x: 0...1, y: 0...1, alpha: 3)
      } == "imshow: expected an alpha from 0 to 1, got 3.0")
  }

  @Test func impossibleSpansAreErrors() {
    #expect(
      error { $0.span(row: 0, column: 1, colspan: 2) }
        == "span: expected cells within 2 × 2, got 1 × 2 at [0, 1]")
    #expect(
      error { $0.span(row: 0, column: 0, rowspan: 0) }
        == "span: expected a rowspan and colspan of at least 1, got 0 and 1")
    #expect(
      error {
        $0.span(row: 0, column: 0, colspan: 2)
        $0.span(row: 0, column: 1, rowspan: 2)
      } == "span: expected cells that no other span covers, got 2 × 1 at [0, 1]")
    #expect(
      error {
        $0[0, 1].plot([1])
        $0.span(row: 0, column: 0, colspan: 2)
      }
        == "axes [0, 1]: expected nothing in a cell that [0, 0] covers, got contents; draw in "
        + "[0, 0]")
  }

  @Test func spansReachFromTheFirstToTheLastCell() throws {
    var figure = Figure(size: (9, 6), rows: 2, columns: 3)
    figure.span(row: 0, column: 0, colspan: 2)
    figure.span(row: 0, column: 2, rowspan: 2)
    for index in [0, 2, 3, 4] {
      figure[index].plot([1, 2, 3])
      figure[index].ylabel = "loss"
    }
    figure[0].title = "A title that is far too long for a single column of this figure"
    let layout = try Layout(figure)
    let frames = layout.plots.map { $0?.frame }
    let (wide, high) = (try #require(frames[0]), try #require(frames[2]))
    let (left, middle) = (try #require(frames[3]), try #require(frames[4]))
    #expect(wide.x == left.x && wide.maxX == middle.maxX)
    #expect(high.y == wide.y && high.maxY == left.maxY)
    let title = layout.titles[0].ink
    #expect(title.width > left.width && title.maxX <= figure.pixels.width)
  }

  @Test func ticksAreWhereTheyAreSet() throws {
    func labels(_ fill: (inout Axes) -> Void) throws -> [String] {
      var figure = Figure(size: (4, 3))
      figure[0].plot([0, 1, 2, 3])
      figure[0].yticks([])
      fill(&figure[0])
      return try #require(try Layout(figure).plots[0]).labels.flatMap { $0.lines.map(\.text) }
    }
    #expect(try labels { $0.xticks([3, 0, 1.5, 17]) } == ["0.0", "1.5", "3.0"])
    #expect(try labels { $0.xticks([0, 3], labels: ["low", "high"]) } == ["low", "high"])
    #expect(try labels { $0.xticks([]) } == [])
  }

  @Test(arguments: [3, 12, 60]) func labelsOfSetTicksDoNotOverlap(count: Int) throws {
    var figure = Figure(size: (4, 3))
    let positions = (0..<count).map(Double.init)
    figure[0].plot(positions)
    let names = positions.map { "category \(Int($0))" }
    figure[0].xticks(positions, labels: names)
    figure[0].yticks(positions, labels: names)
    let boxes = try #require(try Layout(figure).plots[0]).labels.map(\.ink)
    #expect(boxes.count >= 6)
    for (i, box) in boxes.enumerated() {
      #expect(box.x >= 0 && box.maxY <= 300)
      #expect(!boxes[..<i].contains { !$0.intersection(box).isEmpty }, "box \(i)")
    }
  }

  @Test(arguments: LegendLocation.allCases, [1, 2])
  func legendsAreInTheirPlace(loc: LegendLocation, ncols: Int) throws {
    var figure = Figure()
    for index in 0..<4 { figure[0].plot([Double(index), 2], label: "run \(index)") }
    figure[0].legend(loc: loc, ncols: ncols)
    let plot = try #require(try Layout(figure).plots[0])
    let (box, frame) = (try #require(plot.legendBox), plot.frame)
    let (right, below) = (box.x - frame.x, box.y - frame.y)
    let (left, above) = (frame.maxX - box.maxX, frame.maxY - box.maxY)
    switch loc {
    case .best, .center: break
    case .outside: #expect(box.x >= frame.maxX && box.maxX <= 640)
    case .upperRight: #expect(right > left && left > 0 && below > 0 && below < above)
    case .upperLeft: #expect(right < left && right > 0 && below > 0 && below < above)
    case .lowerLeft: #expect(right < left && right > 0 && above > 0 && below > above)
    case .lowerRight: #expect(right > left && left > 0 && above > 0 && below > above)
    case .centerLeft: #expect(right < left && abs(below - above) <= 1)
    case .centerRight: #expect(right > left && abs(below - above) <= 1)
    case .upperCenter: #expect(abs(right - left) <= 1 && below < above)
    case .lowerCenter: #expect(abs(right - left) <= 1 && below > above)
    }
    #expect(ncols == 1 ? box.height > 75 : box.height < 55)
  }

  @Test func annotationsStayInThePlot() throws {
    var figure = Figure(size: (3, 2))
    figure[0].plot([0, 1])
    figure[0].annotate("a long text at the right edge", xy: (0, 0), xytext: (1, 1))
    figure[0].annotate("above", xy: (0.5, 0.5))
    let plot = try #require(try Layout(figure).plots[0])
    for text in plot.values { #expect(text.ink.intersection(plot.frame) == text.ink) }
    let middle = plot.frame.y + plot.frame.height / 2
    #expect(plot.values[1].ink.maxY < middle && plot.values[1].ink.maxY > middle - 20)
  }

  @Test func linesAcrossThePlotExtendTheLimits() throws {
    var figure = Figure(size: (3, 2))
    figure[0].plot([0, 1])
    figure[0].axhline(10)
    let labels = try #require(try Layout(figure).plots[0]).labels.flatMap { $0.lines.map(\.text) }
    #expect(labels.contains("10"))
  }

  @Test func colorBarsShowTheValuesOfPoints() throws {
    var figure = Figure(size: (4, 3))
    figure[0].scatter([0, 1], [0, 1], c: [5, 7], cmap: .plasma)
    figure[0].colorbar(label: "accuracy")
    let plot = try #require(try Layout(figure).plots[0])
    #expect(plot.colorBarFrame != nil)
    #expect(plot.labels.flatMap { $0.lines.map(\.text) }.contains("accuracy"))
  }

  /// Hostile arguments give a figure, both as PNG and SVG, or one line.
  @Test(arguments: 0..<4) func callsGiveAFigureOrOneLine(part: Int) {
    var drawn = 0
    for number in 0..<25 {
      var random = Mutator(seed: UInt64(part) << 32 + UInt64(number))
      func below(_ count: Int) -> Int { random.integer(below: count) }
      func value() -> Double {
        let values = [
          1, 2, 3, 4.5, 0.1, 10, 1e3, 7, 1e-9, 1e299, -1e299, 0, -3, .nan, .infinity,
          .leastNonzeroMagnitude,
        ]
        return values[below(below(3) == 0 ? values.count : 8)]
      }
      func values(_ count: Int) -> [Double] { (0..<count).map { _ in value() } }
      func alpha() -> Double { below(30) == 0 ? value() : [1, 0.5, 0][below(3)] }
      func range() -> ClosedRange<Double> {
        let (a, b) = (value(), value())
        return a.isNaN || b.isNaN ? 0...1 : min(a, b)...max(a, b)
      }
      var figure = Figure(size: (2.5, 2), dpi: 60, rows: 1, columns: 2)
      if below(4) == 0 { figure.span(row: 0, column: 0, colspan: 1 + below(2)) }
      for _ in 0...below(4) {
        let count = below(6)
        let color: Color? = below(2) == 0 ? nil : .green
        switch below(10) {
        case 0:
          figure[0].hist(
            values(count), bins: 1 + below(30), range: below(3) == 0 ? range() : nil,
            density: below(3) == 0, histtype: [.bar, .step][below(2)], label: "h",
            edgecolor: color, alpha: alpha())
        case 1: figure[0].hist(values(9), bins: values(4).sorted { $0 < $1 }, alpha: alpha())
        case 2:
          figure[0].scatter(
            values(count), values(count), label: "s",
            marker: Marker.allCases[below(Marker.allCases.count)],
            s: values(count).map { $0.isFinite ? min(abs($0), 1e4) : 9 },
            c: below(2) == 0 ? values(count) : [], cmap: .cividis, alpha: alpha())
          figure[0].colorbar(label: "c")
        case 3: figure[0].fillBetween(values(count), values(count), values(count), alpha: alpha())
        case 4: figure[0].axhline(value(), linestyle: .dashed, linewidth: 2, alpha: alpha())
        case 5: figure[0].axvspan(range(), alpha: alpha())
        case 6:
          figure[0].annotate(
            ["", "a\nb", "long text of an annotation"][below(3)], xy: (value(), value()),
            xytext: below(2) == 0 ? (value(), value()) : nil)
        case 7:
          figure[0].xticks(
            values(count), labels: below(2) == 0 ? [] : values(count).map { "\($0)" })
        case 8: figure[0].plot(values(count), label: "p", marker: .star, alpha: alpha())
        default: figure[0].legend(loc: LegendLocation.allCases[below(11)], ncols: 1 + below(3))
        }
      }
      if below(3) == 0 { figure[0].xscale = .log }
      if below(3) == 0 { figure[0].yscale = .log }
      if below(4) == 0 { figure[0].ylim = range() }
      do {
        _ = try figure.png()
        _ = try figure.svg()
        _ = try figure.png(dpi: 90)
        drawn += 1
      } catch {
        #expect(!error.description.contains("\n") && error.description.count < 200)
      }
    }
    #expect(drawn >= 3)
  }
}
