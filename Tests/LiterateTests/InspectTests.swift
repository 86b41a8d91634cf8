import Foundation
import Literate
import Testing

struct InspectTests {
  private func line(_ value: InspectedValue) -> String {
    Page.Inspection(name: "x", facts: value.facts).line(in: .english)
  }

  @Test func numbersHaveStatistics() {
    let value = InspectedValue(
      type: "Tensor", shape: [2, 3], numbers: [1, 2, 3, 4, .nan, .infinity])
    // statistics.stdev([1, 2, 3, 4])
    #expect(
      line(value)
        == "x: type Tensor, shape 2 × 3, min 1, max 4, mean 2.5, std 1.291, NaN 1, infinite 1")
  }

  @Test func fewNumbersHaveFewStatistics() {
    #expect(
      line(InspectedValue(type: "T", shape: [], numbers: [3]))
        == "x: type T, shape a single number, min 3, max 3, mean 3, NaN none")
    #expect(
      line(InspectedValue(type: "T", shape: [0], numbers: [])) == "x: type T, shape 0, NaN none")
    #expect(
      line(InspectedValue(type: "T", shape: [2], numbers: [.nan, .nan]))
        == "x: type T, shape 2, NaN 2")
  }

  /// The sum of squares would lose all digits.
  @Test func largeNumbersKeepTheirDeviation() {
    let numbers = [1e9, 1e9 + 1, 1e9 + 2]
    #expect(line(InspectedValue(type: "T", shape: [3], numbers: numbers)).contains("std 1,"))
  }

  @Test func otherValues() {
    #expect(
      line(InspectedValue(of: [3, 4, 8] as [Int]))
        == "x: type Array<Int>, shape 3, min 3, max 8, mean 5, std 2.646")
    #expect(
      line(InspectedValue(of: [0.5] as [Float])).hasPrefix("x: type Array<Float>, shape 1, min 0.5")
    )
    #expect(line(InspectedValue(of: "a\u{1B}[1mb")) == "x: type String, count 6, value ab")
    #expect(line(InspectedValue(of: true)) == "x: type Bool, value true")
    let long = line(InspectedValue(of: String(repeating: "가", count: 500)))
    #expect(long.hasSuffix("가…") && long.count < 250)
  }

  @Test(
    arguments: [
      (1, "batch.x"), (2, "f(a, [1: 2])[0]"), (3, "model (x)"), (6, nil), (7, nil), (8, "\"a, b\""),
      (99, nil), (0, nil),
    ] as [(Int, String?)])
  func expressions(line: Int, expected: String?) throws {
    try withSampleFolder(figures: false) { folder in
      let file = folder.appending(path: "main.swift")
      let source = """
        inspect(batch.x)
        for _ in 0..<3 { inspect(f(a, [1: 2])[0], as: nil) }
        inspect(
          model
            (x))
        uninspect(y)
        print(1)
        inspect("a, b")
        """
      try Data(source.replacing("\n", with: "\r\n").utf8).write(to: file)
      #expect(inspectedExpression(in: file.path, line: line) == expected)
    }
  }

  @Test func missingSources() {
    #expect(inspectedExpression(in: "/nowhere/main.swift", line: 1) == nil)
  }
}
