import Foundation
import Plot
import Testing

struct PlotLayoutTests {
  /// Kinds of axes, crowded and not.
  enum Kind: CaseIterable {
    case curves, manyCurves, bars, grouped, longNames, classes, horizontal, table, classTable, mixed
  }

  private static let letters = (33..<95).map { String(UnicodeScalar(UInt8($0))) }

  private func fill(_ axes: inout Axes, _ kind: Kind) {
    axes.xlabel = "epoch, jgÄ"
    axes.ylabel = "cross entropy"
    axes.title = "A title gj"
    switch kind {
    case .curves, .mixed:
      axes.plot([3, 2, 1.5, 1.25, 1.2], label: "train", marker: .circle)
      axes.plot([3, 2.2, 1.9, 1.8, 1.9], label: "val", linestyle: .dashed)
    case .manyCurves:
      for k in 0..<9 {
        axes.plot((0..<50).map { sin(Double($0 * (k + 1))) * 1e7 }, label: "run \(k)")
      }
    case .bars:
      axes.bar(["a", "b b", "c"], [0.9981, 0.99, 1], yerr: [0.01, 0.02, 0.005], decimals: 4)
    case .grouped:
      axes.bar(
        ["MLP", "CNN"],
        [
          BarSeries("val", [1.0, 2]), BarSeries("test", [2.0, 2.5]), BarSeries("train", [3.0, 0]),
        ],
        decimals: 1)
    case .longNames:
      axes.bar(
        (0..<9).map { "Donaudampfschifffahrt number \($0)" }, [Double](repeating: 1, count: 9))
    case .classes: axes.bar(Self.letters, Self.letters.indices.map(Double.init), decimals: 0)
    case .horizontal:
      axes.barh(
        ["l for 1", "a name that is so long that it has to be broken into lines", "x"],
        [112, 8, 0], xerr: [3, 4, 0], decimals: 1)
    case .table:
      axes.imshow(
        [[1, 20, -3], [0, 5, .nan]], xticklabels: ["one", "two", "a third one"],
        yticklabels: ["first", "second"], decimals: 1)
      axes.colorbar(label: "value")
    case .classTable:
      let rows = (0..<62).map { row in (0..<62).map { $0 == row ? 1.0 : 0 } }
      axes.imshow(rows, xticklabels: Self.letters, yticklabels: Self.letters, decimals: 2)
      axes.colorbar()
    }
    axes.legend()
  }

  @Test(arguments: Kind.allCases, [(6.4, 4.8), (10, 9), (4.5, 3.5)])
  func nothingOverlapsOrIsClipped(kind: Kind, size: (Double, Double)) throws {
    let isMixed = kind == .mixed
    // Several axes need more space.
    var figure = Figure(
      size: (size.0 * (isMixed ? 2.5 : 1), size.1 * (isMixed ? 3.5 : 1)), rows: isMixed ? 5 : 1,
      columns: isMixed ? 2 : 1)
    figure.supertitle = "All"
    let kinds = isMixed ? Kind.allCases : [kind]
    for (index, kind) in kinds.enumerated() { fill(&figure[index], kind) }
    let layout = try Layout(figure)
    let page = Rectangle(x: 0, y: 0, width: layout.width, height: layout.height)
    var boxes = layout.titles.map(\.ink)
    for plot in layout.plots.compactMap({ $0 }) {
      // Text outside the frame.
      let outside = plot.labels.map(\.ink).filter { $0.intersection(plot.frame).isEmpty }
      boxes += outside + [plot.frame] + [plot.colorBarFrame].compactMap { $0 }
      if let legend = plot.legendBox {
        #expect(legend.intersection(page) == legend)
        let inside = legend.intersection(plot.frame)
        #expect(inside.isEmpty || inside == legend)
      }
      let values = plot.values.map(\.ink)
      for (i, value) in values.enumerated() {
        #expect(value.intersection(plot.frame) == value, "\(kind), value \(i)")
        #expect(!values[..<i].contains { !$0.intersection(value).isEmpty }, "\(kind), value \(i)")
        if let legend = plot.legendBox { #expect(legend.intersection(value).isEmpty) }
      }
    }
    for (i, box) in boxes.enumerated() where !box.isEmpty {
      #expect(box.intersection(page) == box, "\(kind), box \(i)")
      #expect(!boxes[..<i].contains { !$0.intersection(box).isEmpty }, "\(kind), box \(i)")
    }
  }

  @Test func framesAreAligned() throws {
    var figure = Figure(size: (10, 8), rows: 2, columns: 2)
    for (index, kind) in [Kind.curves, .bars, .horizontal, .grouped].enumerated() {
      fill(&figure[index], kind)
    }
    let frames = try Layout(figure).plots.compactMap(\.?.frame)
    #expect(frames.count == 4)
    #expect(Set(frames.map(\.width)).count == 1 && Set(frames.map(\.height)).count == 1)
    #expect(frames[0].x == frames[2].x && frames[1].x == frames[3].x)
    #expect(frames[0].y == frames[1].y && frames[2].y == frames[3].y)
  }

  @Test func legendMovesOutsideIfNoCornerIsFree() throws {
    func legend(_ kind: Kind) throws -> (box: Rectangle, frame: Rectangle) {
      var figure = Figure()
      fill(&figure[0], kind)
      let plot = try #require(try Layout(figure).plots[0])
      return (try #require(plot.legendBox), plot.frame)
    }
    let inside = try legend(.curves)
    #expect(inside.box.intersection(inside.frame) == inside.box)
    let outside = try legend(.manyCurves)
    #expect(outside.box.x >= outside.frame.maxX)
  }

  @Test func heatMapCellsAreWholePixels() throws {
    var figure = Figure()
    fill(&figure[0], .table)
    let frame = try #require(try Layout(figure).plots[0]).frame
    #expect(frame.width % 3 == 0 && frame.width / 3 == frame.height / 2)
  }

  @Test func axesThatDoNotFitAreAnError() {
    var figure = Figure(size: (0.6, 0.6))
    fill(&figure[0], .curves)
    figure[0].title = ""
    #expect(
      throws: PlotError(
        "a figure of 60 × 60 pixels has no room for 1 × 1 axes with their labels; make it larger")
    ) {
      try Layout(figure)
    }
  }

  @Test(arguments: [0...0, -Double.infinity...1, 5...Double.infinity, 2...3])
  func unusualLimitsAreSafe(limits: ClosedRange<Double>) throws {
    var figure = Figure()
    figure[0].plot([1, 2, 3], [1, .nan, -.infinity], marker: .square)
    figure[0].scatter([], [], marker: .cross)
    figure[0].bar(["a", "b"], [1, 1e300])
    figure[0].xlim = limits
    figure[0].ylim = limits
    #expect(try figure.draw().bitmap.width == 640)
  }
}
