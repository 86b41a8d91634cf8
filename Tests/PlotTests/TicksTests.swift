import Plot
import Testing

struct TicksTests {
  // matplotlib 3.11: MaxNLocator(nbins=N, steps=[1, 2, 2.5, 5, 10], integer=…).tick_values(low, high),
  // without ticks beyond the range, and ScalarFormatter's labels where those have no offset.
  @Test(
    arguments: [
      (0...1, 6, false, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
      (0...0.8946, 9, false, ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8"]),
      (0.9974...0.9999, 6, false, ["0.9975", "0.9980", "0.9985", "0.9990", "0.9995"]),
      (-3.2...11.4, 5, false, ["0", "5", "10"]),
      (-0.62...0.5, 6, false, ["−0.6", "−0.4", "−0.2", "0.0", "0.2", "0.4"]),
      (0...9690.45, 6, false, ["0", "2000", "4000", "6000", "8000"]),
      (0...10, 4, false, ["0.0", "2.5", "5.0", "7.5", "10.0"]),
      (0...10, 4, true, ["0", "5", "10"]),
      (-0.2...4.2, 9, true, ["0", "1", "2", "3", "4"]),
      (-0.05...1.05, 9, true, ["0", "1"]),
      (-2.45...51.45, 5, true, ["0", "20", "40"]),
      (9e7...3.6e8, 6, false, ["1.0e8", "1.5e8", "2.0e8", "2.5e8", "3.0e8", "3.5e8"]),
      (-1.2e-6...3.7e-6, 5, false, ["−1e−6", "0", "1e−6", "2e−6", "3e−6"]),
      (0.0002...0.001, 4, false, ["0.0002", "0.0004", "0.0006", "0.0008", "0.0010"]),
    ] as [(ClosedRange<Double>, Int, Bool, [String])])
  func areRound(range: ClosedRange<Double>, count: Int, wholeOnly: Bool, labels: [String]) {
    let ticks = Ticks(range, atMost: count, wholeOnly: wholeOnly)
    #expect(ticks.labels == labels)
    #expect(ticks.values.count == labels.count)
    #expect(ticks.values.allSatisfy { $0 >= range.lowerBound - 1e-9 * abs($0) })
  }

  @Test func stayBelowTheMaximumCount() {
    for count in 1...9 {
      for high in stride(from: 0.1, through: 5000, by: 13.37) {
        let ticks = Ticks(0...high, atMost: count)
        #expect((1...count + 1).contains(ticks.values.count))
        #expect(Set(ticks.labels).count == ticks.labels.count)
      }
    }
  }
}
