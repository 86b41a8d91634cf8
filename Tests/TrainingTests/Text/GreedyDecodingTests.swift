import Foundation
import Lab
import TestSupport
import Testing

struct GreedyDecodingTests {
  @Test(arguments: [
    ([0, 7, 7, 0, 7, 9, 9], [7, 7, 9]), ([], []), ([0, 0], []), ([5], [5]), ([5, 5, 5], [5]),
    ([5, 0, 5], [5, 5]), ([1, 2, 1], [1, 2, 1]),
  ])
  func onPaper(best: [Int], labels: [Int]) {
    #expect(greedyDecode(best) == labels)
  }

  @Test func anotherBlank() {
    #expect(greedyDecode([2, 0, 0, 2, 1], blank: 2) == [0, 1])
  }

  @Test func stepsAndConfidence() throws {
    let probabilities: [[Float]] = [
      [0.8, 0.1, 0.1], [0.1, 0.6, 0.3], [0.05, 0.9, 0.05], [0.2, 0.3, 0.5], [0.6, 0.2, 0.2],
      [0.25, 0.25, 0.5],
    ]
    let logs = try LogProbabilities(probabilities.flatMap { $0.map { log($0) } }, classes: 3)
    #expect(logs.steps == 6)
    #expect(logs.best == [0, 1, 1, 2, 0, 2])
    let read = greedyDecode(logs)
    #expect(read.map(\.label) == greedyDecode(logs.best))
    #expect(read.map(\.label) == [1, 2, 2])
    #expect(read.map(\.steps) == [1..<3, 3..<4, 5..<6])
    for (confidence, expected) in zip(read.map(\.confidence), [0.9, 0.5, 0.5] as [Float]) {
      #expect(abs(confidence - expected) < 1e-6)
    }
    #expect(greedyDecode(logs, blank: 1).map(\.label) == [0, 2, 0, 2])
    #expect(greedyDecode(try LogProbabilities([], classes: 3)) == [ReadLabel]())
  }

  /// ```python
  /// y = pattern(2, 3, 4).log_softmax(1).transpose(1, 2)
  /// y, y.argmax(-1)
  /// ```
  @Test func logitsAsInPyTorch() throws {
    let lines = try LogProbabilities.lines(of: pattern([2, 3, 4]))
    #expect(lines.map(\.steps) == [4, 4])
    let expected: [Float] = [
      -1.911868, -0.411868, -1.661868, -0.944112, -2.194112, -0.694112, -1.911868, -0.411868,
      -1.661868, -0.313781, -1.563781, -2.813781, -0.944112, -2.194112, -0.694112, -1.911868,
      -0.411868, -1.661868, -0.313781, -1.563781, -2.813781, -0.944112, -2.194112, -0.694112,
    ]
    try expectClose(Tensor(lines.flatMap(\.values), shape: [24]), expected)
    #expect(lines.map(\.best) == [[1, 2, 1, 0], [2, 1, 0, 2]])
  }

  @Test func refusesOtherShapes() {
    expectShapeError(
      "LogProbabilities: expected a whole number of steps of 2 classes, got 3 values"
    ) { () throws(ShapeError) in try LogProbabilities([1, 2, 3], classes: 2) }
    expectShapeError(
      "LogProbabilities: expected at least 1 class, got 0"
    ) { () throws(ShapeError) in try LogProbabilities([], classes: 0) }
    expectShapeError(
      "LogProbabilities.lines: expected logits of shape [lines, classes, steps], got [2, 3]"
    ) { () throws(ShapeError) in try LogProbabilities.lines(of: pattern([2, 3])) }
  }
}
