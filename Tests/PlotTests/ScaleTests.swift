import Plot
import Testing

struct ScaleTests {
  @Test(
    arguments: [
      (0.5...2e3, 9, ["10⁰", "10¹", "10²", "10³"]),
      (1e-2...1, 9, ["10⁻²", "10⁻¹", "10⁰"]),
      (1e-16...1e15, 6, ["10⁻¹²", "10⁻⁶", "10⁰", "10⁶", "10¹²"]),
      (0.5...8, 9, ["0.5", "1", "2", "5"]),
      (2e-7...3e-6, 9, ["2e−7", "5e−7", "1e−6", "2e−6"]),
      (2.1e-4...9e-4, 9, ["0.0003", "0.0004", "0.0005", "0.0006", "0.0007", "0.0008", "0.0009"]),
    ] as [(ClosedRange<Double>, Int, [String])])
  func ticksArePowersOfTen(range: ClosedRange<Double>, count: Int, labels: [String]) {
    let ticks = Ticks(logarithmic: range, atMost: count)
    #expect(ticks.labels == labels)
    #expect(ticks.values.count == labels.count)
    let slack = 1 + 1e-8
    for value in ticks.values + ticks.minor {
      #expect(range.lowerBound / slack <= value && value <= range.upperBound * slack)
    }
    #expect(Set(ticks.minor).isDisjoint(with: ticks.values))
  }

  @Test func minorTicksAreMultiples() {
    let ticks = Ticks(logarithmic: 1...100, atMost: 9)
    #expect(ticks.minor == [2, 3, 4, 5, 6, 7, 8, 9, 20, 30, 40, 50, 60, 70, 80, 90])
  }

  @Test func anyRangeHasTicksWithDifferentLabels() {
    for low in [1e-300, 3e-7, 0.02, 1, 77, 1e250] {
      for ratio in [1.0001, 1.5, 3, 12, 1e3, 1e9, 1e40] {
        for count in [1, 3, 9] {
          let ticks = Ticks(logarithmic: low...low * ratio, atMost: count)
          #expect(ticks.values.count <= count + 1 && Set(ticks.labels).count == ticks.labels.count)
          if ratio >= 1e3 { #expect(!ticks.values.isEmpty, "\(low) \(ratio) \(count)") }
        }
      }
    }
  }

  @Test func labelsOfGivenTicksShareDecimals() {
    #expect(Ticks(at: [0, 0.25, 1], sharesDecimals: true).labels == ["0.00", "0.25", "1.00"])
    #expect(Ticks(at: [0.1, 1, 10], sharesDecimals: false).labels == ["0.1", "1", "10"])
    #expect(Ticks(at: [-1e6, 0, 2.5e6], sharesDecimals: true).labels == ["−1e6", "0", "2.5e6"])
  }

  private func error(_ fill: (inout Axes) -> Void) -> String? {
    drawingError(Figure(size: (3, 2))) { fill(&$0[0]) }
  }

  @Test func equalRatiosHaveEqualDistances() throws {
    var figure = Figure(size: (3, 2))
    figure[0].xscale = .log
    figure[0].xlim = 1...100
    figure[0].axvline(10)
    let frame = try #require(try Layout(figure).plots[0]).frame
    let canvas = try figure.draw()
    let middle = Rectangle(
      x: frame.x + frame.width / 2 - 1, y: frame.y, width: 3, height: frame.height)
    #expect(canvas.ink(in: middle) == Double(frame.height))
    #expect(canvas.ink(in: frame) == Double(frame.height))
  }

  @Test func valuesThatHaveNoLogarithmAreErrors() {
    let hint = "; leave them out (NaN leaves a gap) or set yscale to .linear"
    let expected = "yscale: expected values above 0 on a logarithmic axis, got "
    #expect(
      error {
        $0.plot([1, 0, 2])
        $0.yscale = .log
      } == expected + "0.0" + hint)
    #expect(
      error {
        $0.bar(["a", "b"], [3, -1])
        $0.yscale = .log
      } == expected + "-1.0" + hint)
    #expect(
      error {
        $0.fillBetween([1, 2], [1, 2])
        $0.yscale = .log
      } == expected + "0.0" + hint)
    #expect(
      error {
        $0.bar(["a"], [3])
        $0.xscale = .log
      }
        == "xscale: expected numbers on a logarithmic axis, got names; set xscale to .linear")
    #expect(
      error {
        $0.plot([1, 2])
        $0.ylim = 0...2
        $0.yscale = .log
      }
        == "yscale: expected ylim above 0 on a logarithmic axis, got 0.0...2.0; set yscale to "
        + ".linear")
    #expect(
      error {
        $0.imshow(Image(width: 1, height: 1, values: [0]), x: 1...2, y: 1...2)
        $0.xscale = .log
      } == "xscale: expected no image on a logarithmic axis, got one; set xscale to .linear")
    #expect(
      error {
        $0.plot([1, .nan, 2])
        $0.yscale = .log
      } == nil)
    #expect(
      error {
        $0.hist([1, 2, 9], bins: 9)
        $0.yscale = .log
      } == nil)
    #expect(
      error {
        $0.bar(["a", "b"], [5, 5], decimals: 0)
        $0.yscale = .log
      } == nil)
  }

  @Test func theAxesAreNamed() {
    var figure = Figure(rows: 1, columns: 2)
    figure[1].plot([0])
    figure[1].yscale = .log
    let error = #expect(throws: PlotError.self) { try figure.png() }
    #expect(error?.description.hasPrefix("axes 1: yscale: expected ") == true)
  }
}
