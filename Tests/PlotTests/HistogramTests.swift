import Plot
import Testing

struct HistogramTests {
  private let values = [0.1, 0.2, 0.3, 0.35, 0.7, 0.9, 1, 1, -0.4, 2.5]

  private func expect(
    _ histogram: Histogram, _ counts: [Double], _ edges: [Double],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      histogram.counts.count == counts.count && histogram.edges.count == edges.count,
      sourceLocation: sourceLocation)
    for (a, b) in zip(histogram.counts + histogram.edges, counts + edges) {
      #expect(abs(a - b) <= 1e-15 * max(1, abs(b)), sourceLocation: sourceLocation)
    }
  }

  @Test func valuesOnEdgesOfASheetOfPaper() throws {
    expect(try Histogram([1, 2, 1], bins: [0, 1, 2, 3]), [0, 2, 1], [0, 1, 2, 3])
    // The last bin includes its right edge.
    expect(try Histogram([0, 1, 2, 2], bins: 2), [1, 3], [0, 1, 2])
  }

  // NumPy 2.4: v = [0.1, 0.2, 0.3, 0.35, 0.7, 0.9, 1, 1, -0.4, 2.5]; np.histogram(v, …)
  @Test func isNumPys() throws {
    expect(
      try Histogram(values, bins: 5), [2, 4, 3, 0, 1],
      [-0.4, 0.17999999999999994, 0.7599999999999999, 1.3399999999999999, 1.92, 2.5])
    let quarters = [0, 0.25, 0.5, 0.75, 1]
    expect(try Histogram(values, bins: 4, range: 0...1), [2, 2, 1, 3], quarters)
    expect(
      try Histogram(values, bins: 4, range: 0...1, density: true), [1, 1, 0.5, 1.5], quarters)
    expect(try Histogram(values, bins: [-1, 0, 0.3, 1]), [1, 2, 6], [-1, 0, 0.3, 1])
    expect(
      try Histogram(values, bins: [-1, 0, 0.3, 1], density: true),
      [0.1111111111111111, 0.7407407407407408, 0.9523809523809523], [-1, 0, 0.3, 1])
    expect(
      try Histogram(values, bins: 3, weights: (1...10).map(Double.init)), [19, 26, 10],
      [-0.4, 0.5666666666666667, 1.5333333333333332, 2.5])
    expect(
      try Histogram(
        values, bins: 2, density: true, weights: [Double](repeating: 0.5, count: 10)),
      [0.6206896551724139, 0.06896551724137931], [-0.4, 1.0499999999999998, 2.5])
    expect(
      try Histogram([3, 3, 3], bins: 3), [0, 3, 0],
      [2.5, 2.8333333333333335, 3.1666666666666665, 3.5])
    expect(try Histogram([], bins: 2), [0, 0], [0, 0.5, 1])
    // np.histogram([i * 0.1 for i in range(11)] + [i / 10 for i in range(11)], range=(0, 1))
    expect(
      try Histogram(
        (0...10).map { Double($0) * 0.1 } + (0...10).map { Double($0) / 10 }, range: 0...1),
      [2, 2, 3, 1, 2, 3, 2, 1, 2, 4],
      (0...9).map { Double($0) * 0.1 } + [1])
  }

  @Test func densityHasAnAreaOfOne() throws {
    let histogram = try Histogram(values, bins: [-1, -0.5, 0.2, 0.9, 3], density: true)
    let areas = zip(histogram.counts, zip(histogram.edges, histogram.edges.dropFirst())).map {
      $0 * ($1.1 - $1.0)
    }
    #expect(abs(areas.reduce(0, +) - 1) < 1e-12)
  }

  @Test func badInputIsOneLine() {
    func error(_ make: () throws -> Histogram) -> String? {
      do {
        _ = try make()
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(
      error { try Histogram([1, .nan]) }
        == "Histogram: expected values between −1e300 and 1e300, got nan")
    #expect(
      error { try Histogram([1], bins: 0) }
        == "Histogram: expected from 1 to 100000 bins, got 0")
    #expect(
      error { try Histogram([1], weights: [1, 2]) }
        == "Histogram: expected a weight for each of 1 values, got 2")
    #expect(
      error { try Histogram([1], bins: [1.0]) }
        == "Histogram: expected at least 2 edges of bins, got 1")
    #expect(
      error { try Histogram([1], bins: [1.0, 0]) }
        == "Histogram: expected edges of bins from the smallest to the largest, got a smaller one "
        + "after a larger one")
    #expect(
      error { try Histogram([], density: true) }
        == "Histogram: expected bins with a width and values in them for a density, got none")
  }

  @Test func barsHaveTheHeightsOfTheCounts() throws {
    var figure = Figure(size: (3, 2))
    figure[0].frame = false
    (figure[0].xlim, figure[0].ylim) = (0...3, 0...4)
    figure[0].hist([0, 1, 1, 2, 2, 3], bins: 3, color: .black)
    let frame = try #require(try Layout(figure).plots[0]).frame
    // 1, 2 and 3 of 4 in three bins of equal width.
    let ink = try figure.draw().ink(in: frame)
    #expect(abs(ink / Double(frame.width * frame.height) - 0.5) < 0.01)
  }
}
