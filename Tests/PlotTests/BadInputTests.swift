import Foundation
import Fuzzing
import Plot
import Testing

/// Input that cannot be drawn is one line of error, never a trap.
struct BadInputTests {
  private func error(_ fill: (inout Figure) -> Void) -> String? {
    drawingError(Figure(size: (3, 2)), fill)
  }

  @Test func everyCallSaysWhatItExpected() {
    #expect(error { $0[0].plot([1, 2], [1]) } == "plot: expected as many x as y, got 2 and 1")
    #expect(
      error { $0[0].plot([1, 2], linewidth: .nan) }
        == "plot: expected a linewidth from 0 to 1000, got nan")
    #expect(error { $0[0].bar([], []) } == "bar: expected at least one label, got none")
    #expect(
      error { $0[0].bar(["a"], [BarSeries]()) } == "bar: expected at least one series, got none")
    #expect(
      error { $0[0].bar(["a", "b"], [1]) } == "bar: expected a value for each of 2 labels, got 1")
    #expect(
      error { $0[0].barh(["a"], [.nan]) }
        == "barh: expected values between −1e300 and 1e300, got nan")
    #expect(
      error { $0[0].bar(["a"], [1], yerr: [-1]) }
        == "bar: expected errors from 0 to 1e300, got -1.0")
    #expect(
      error { $0[0].bar(["a"], [1], yerr: [1, 2]) }
        == "bar: expected an error for each of 1 values or none, got 2")
    #expect(
      error { $0[0].bar(["a"], [1], decimals: -1) }
        == "bar: expected from 0 to 20 decimals, got -1")
    #expect(
      error { $0[0].imshow([[Double]]()) }
        == "imshow: expected a matrix of at least one row and column, got none")
    #expect(
      error { $0[0].imshow([[1, 2], [3]]) }
        == "imshow: expected rows of equal length, got 2 and 1")
    #expect(
      error { $0[0].imshow([[1, 2]], xticklabels: ["a"]) }
        == "imshow: expected a tick label for each of 2 columns, got 1")
    #expect(
      error { $0[0].imshow([[1]], range: 0...(.infinity)) }
        == "imshow: expected a range between −1e300 and 1e300, got 0.0...inf")
    #expect(
      error { $0[0].imshow(Image(width: 2, height: 2, values: [1])) }
        == "imshow: Image: expected 2 × 2 × 1 values, got 1")
    #expect(
      error { $0[0].text("a", at: (0, .nan)) }
        == "text: expected positions between −1e300 and 1e300, got (0.0, nan)")
    #expect(
      error { $0[0].text("a", at: (0, 0), fontsize: 0) }
        == "text: expected a fontsize from 1 to 1000, got 0.0")
    #expect(
      error { $0[0].box("a", at: (0, 0), size: (0, 1)) }
        == "box: expected a width and height between 0 and 1e300, got 0.0 × 1.0")
    #expect(
      error {
        $0[0].frame = false
        ($0[0].xlim, $0[0].ylim) = (-10...10, -10...10)
        $0[0].box("weight layer", at: (0, 0), size: (1, 10))
      }
        == "box \"weight layer\": expected room for 86 × 10 pixels of text, got 13 × 85; make the "
        + "box or the figure larger")
    #expect(
      error { $0[0].arrow([(0, 0)]) } == "arrow: expected at least 2 positions, got 1")
    #expect(
      error { $0[0].arrow([(0, 0), (1, 1)], rounding: -1) }
        == "arrow: expected a rounding from 0 to 1000, got -1.0")
    #expect(error { $0[7].plot([1]) } == "Figure: expected an index of 1 × 1 axes, got [7]")
    #expect(error { $0[0, -1].plot([1]) } == "Figure: expected axes within 1 × 1, got [0, -1]")
    #expect(error { $0[0] = $0[3] } == "Figure: expected an index of 1 × 1 axes, got [3]")
  }

  @Test func theFirstProblemIsThrownWithItsAxes() {
    var figure = Figure(rows: 2, columns: 2)
    figure[3].plot([1], [])
    figure[2].bar(["a"], [.infinity])
    figure[2].bar(["a"], [])
    let expected = "axes 2: bar: expected values between −1e300 and 1e300, got inf"
    #expect(throws: PlotError(expected)) { try figure.png() }
  }

  @Test(arguments: [(0, 1), (1, -1), (.max, 2), (200, 200)])
  func impossibleGridsAreErrors(rows: Int, columns: Int) {
    var figure = Figure(rows: rows, columns: columns)
    figure[0].title = "a"
    let error = #expect(throws: PlotError.self) { try figure.png() }
    #expect(error?.description.hasPrefix("Figure: expected at ") == true)
  }

  @Test func hugeFiguresAreErrorsBeforeTheyTakeMemory() {
    #expect(
      throws: PlotError(
        "expected a figure of at most 67108864 pixels, got 65535 × 65535; make it smaller")
    ) {
      try Figure(size: (655.35, 655.35)).png()
    }
    let many = Figure(rows: 1, columns: 1, images: (.max, .max), scale: .max)
    #expect(throws: PlotError.self) { try many.png() }
  }

  @Test func badImagesAndGridsAreErrors() {
    let good = Image(width: 1, height: 1, values: [0])
    for (images, nrow, padding, text) in [
      ([good], 0, 0, "makeGrid: expected nrow of at least 1, got 0"),
      ([good], 1, -1, "makeGrid: expected padding from 0 to 65535, got -1"),
      (
        [good, good], 1, 65_535,
        "makeGrid expected a grid of at most 67108864 pixels, got 131071 × 196607"
      ),
      (
        [Image(width: .max, height: 2, values: [])], 1, 0,
        "makeGrid, at index 0: Image: expected at most 67108864 pixels, got \(Int.max) × 2"
      ),
      (
        [Image(width: 0, height: 0, values: [])], 1, 0,
        "makeGrid, at index 0: Image: expected at least one pixel, got 0 × 0"
      ),
      (
        [Image(width: 1, height: 1, channels: 2, values: [0, 0])], 1, 0,
        "makeGrid, at index 0: Image: expected 1 or 3 channels, got 2"
      ),
    ] {
      #expect(throws: PlotError(text)) { try makeGrid(images, nrow: nrow, padding: padding) }
      #expect(throws: PlotError(text)) {
        try saveImage(images, to: "/nowhere/a.png", nrow: nrow, padding: padding)
      }
    }
    #expect(throws: PlotError("Image: expected 1 or 3 channels, got 4")) {
      try Image(contentsOf: "a.png", channels: 4)
    }
  }

  @Test func valuesThatAreNoNumbersAreNormalizedAround() throws {
    let values: [Float] = [.nan, 2, 4, .infinity]
    let image = Image(width: 4, height: 1, values: values)
    let grid = try makeGrid([image], normalize: true)
    #expect(Array(grid.values[1...]) == [0, 1, 1] && grid.values[0].isNaN)
    let none = Image(width: 1, height: 1, values: [.nan])
    #expect(try makeGrid([none], normalize: true).values[0].isNaN)
  }

  /// A line to a point far away would be divided into 10³⁰⁰ dashes.
  @Test func farPointsAreCutOff() throws {
    func bitmap(_ x: [Double], _ y: [Double]) throws -> Bitmap {
      var figure = Figure(size: (3, 2))
      (figure[0].xlim, figure[0].ylim) = (0...1, 0...1)
      figure[0].plot(x, y, linestyle: .dashed)
      return try figure.draw().bitmap
    }
    let far = try bitmap([0, 1e299], [0, 1e299])
    #expect(far == (try bitmap([0, 1e40], [0, 1e40])))
    #expect(far != (try bitmap([], [])))
  }
}

/// Random calls with random, mostly hostile, arguments.
struct PlotFuzzTests {
  private struct Random {
    var mutator: Mutator
    mutating func callAsFunction(_ count: Int) -> Int { mutator.integer(below: count) }
    mutating func callAsFunction<T>(_ values: [T]) -> T { values[self(values.count)] }
    /// A number, in one call of 20 one that some calls refuse.
    mutating func number() -> Double {
      if self(20) == 0 { return self([.nan, .infinity, -.infinity, .greatestFiniteMagnitude]) }
      if self(2) == 0 { return Double(self(9)) - 2 }
      return self([
        0.5, 1e-9, -7.25, 1e6, 123_456.789, 1e300, -1e300, 1e299, 9.9e299, -9.9e299,
        .leastNonzeroMagnitude, 1e-300, -.leastNormalMagnitude, 1e15, 1e15 + 1, 1e20, .pi,
      ])
    }
    mutating func numbers() -> [Double] {
      (0..<self([1, 2, 2, 3, 3, 3, 4, self(30)])).map { _ in number() }
    }
    mutating func range() -> ClosedRange<Double>? {
      let ends = [number(), number()].filter { !$0.isNaN }
      guard self(2) == 0, let low = ends.min(), let high = ends.max() else { return nil }
      return low...high
    }
    mutating func text() -> String {
      self(["", "a", " ", "two words", "\n", "a\nb", "␣\u{0}\u{10FFFF}", "long name of a thing"])
    }
    mutating func texts(_ count: Int) -> [String] {
      (0..<(self(20) == 0 ? self(4) : count)).map { _ in text() }
    }
    mutating func decimals() -> Int? { self(20) == 0 ? self([-1, .max]) : self([nil, 0, 2, 20]) }
  }

  private func fill(_ axes: inout Axes, _ random: inout Random) {
    for _ in 0...random(3) {
      switch random(12) {
      case 0, 1:
        let x = random.numbers()
        let y = (0..<(random(20) == 0 ? 1 : x.count)).map { _ in random.number() }
        axes.plot(
          x, y, label: random.text(), linestyle: random([.solid, .dashed, .dotted, .none]),
          linewidth: random(20) == 0 ? random([-1, .nan]) : random([1.5, 1.5, 0, 99]),
          marker: random([.none, .circle, .square, .cross]))
      case 2: axes.plot(random.numbers(), label: random.text(), linestyle: .dotted)
      case 3, 4:
        let count = random([1, 2, 3])
        let series = (0...random(2)).map { _ in
          let values = (0..<(random(20) == 0 ? 1 : count)).map { _ in random.number() }
          return BarSeries(
            random.text(), values,
            errors: random(3) == 0 ? values.map { _ in abs(random.number()) } : [])
        }
        axes.bar(
          random.texts(series[0].values.count), series, stacked: random(2) == 0,
          decimals: random.decimals())
      case 5:
        let values = random.numbers()
        axes.barh(random.texts(values.count), values, decimals: random.decimals())
      case 6:
        let row = random.numbers()
        axes.imshow(
          (0...random(3)).map { _ in random(20) == 0 ? random.numbers() : row },
          cmap: random([.viridis, .blues, .gray]), range: random.range(),
          decimals: random.decimals())
        axes.colorbar(label: random.text())
      case 7:
        let values = random.numbers().map { Float($0) }
        axes.imshow(
          Image(
            width: random(9) == 0 ? random([0, -1, .max]) : values.count, height: 1,
            channels: random(9) == 0 ? 3 : 1, values: values))
      case 8:
        axes.text(
          random.text(), at: (random.number(), random.number()),
          align: random([.left, .center, .right]), fontsize: random([10, 10, 6, 900, -1]))
      case 9:
        axes.box(
          random.text(), at: (random.number(), random.number()),
          size: (abs(random.number()), abs(random.number())),
          style: random([.square, .round, .circle]), linewidth: random([1, 0, 99]),
          fontsize: random([10, 1]))
      case 10:
        axes.arrow(
          zip(random.numbers(), random.numbers()).map { ($0, $1) },
          rounding: random([0, 5, 900]), linewidth: random([1, 0, 99]))
      default: axes.legend()
      }
    }
    axes.frame = random(4) > 0
    (axes.xlim, axes.ylim) = (random.range(), random.range())
    (axes.title, axes.xlabel, axes.ylabel) = (random.text(), random.text(), random.text())
    axes.grid = random(2) == 0
  }

  /// The number of figures of each part; `make fuzz` draws many more.
  private static var count: Int {
    ProcessInfo.processInfo.environment["LAB_FUZZ"].flatMap(Int.init) ?? 40
  }

  @Test(arguments: 0..<4) func callsGiveAFigureOrOneLine(part: Int) {
    var drawn = 0
    var refused: Set<Substring> = []
    for number in 0..<Self.count {
      var random = Random(mutator: Mutator(seed: UInt64(part) << 32 + UInt64(number)))
      var figure = Figure(
        size: random(20) == 0 ? random([(0.3, 0.2), (.nan, 1), (1e300, 1e-300)]) : (2.5, 2),
        dpi: random(20) == 0 ? random([0, 1e300, -1]) : random([40, 72]),
        columns: random([1, 1, 2]))
      figure.supertitle = random.text()
      figure.font = random([.sansSerif, .monospaced])
      for index in 0...(random(20) == 0 ? 2 : figure.columns - 1) { fill(&figure[index], &random) }
      do {
        _ = try figure.png()
        drawn += 1
      } catch {
        #expect(!error.description.contains("\n") && error.description.count < 200)
        refused.insert(error.description.prefix { $0 != "," })
      }
    }
    #expect(drawn >= 8 && refused.count >= 5, "\(drawn) drawn, refused: \(refused)")
  }
}
