import Foundation
import Kernels
import Testing

/// Against the definitions in double precision, whose gradients are central differences.
@Suite(.serialized)
struct LossesTests {
  static let sizes = [(1, 1), (3, 5), (17, 83), (300, 10), (2, 40_000)]

  @Test(arguments: sizes, [0, 0.1, 1])
  func crossEntropyFollowsItsDefinition(size: (rows: Int, classes: Int), smoothing: Double) {
    let problem = Problem(size.rows, size.classes)
    let results = withThreadCounts(KernelSet.current) {
      var (probabilities, dx) = (problem.x, problem.x)
      let loss = crossEntropy(
        x: problem.x, labels: problem.labels, probabilities: &probabilities,
        classes: size.classes, labelSmoothing: smoothing)
      crossEntropyGradient(
        probabilities: probabilities, labels: problem.labels, scale: 2, dx: &dx,
        classes: size.classes, labelSmoothing: smoothing)
      return [[loss], dx]
    }
    problem.check(results) { x, label in
      let logSum = log(x.map { exp($0) }.reduce(0, +))
      let mean = x.reduce(0, +) / Double(x.count)
      return (1 - smoothing) * (logSum - x[label]) + smoothing * (logSum - mean)
    }
  }

  @Test(arguments: sizes)
  func nllLossFollowsItsDefinition(size: (rows: Int, classes: Int)) {
    let problem = Problem(size.rows, size.classes)
    let results = withThreadCounts(KernelSet.current) {
      var dx = problem.x
      nllLossGradient(labels: problem.labels, scale: 2, dx: &dx, classes: size.classes)
      return [[nllLoss(x: problem.x, labels: problem.labels, classes: size.classes)], dx]
    }
    problem.check(results) { x, label in -x[label] }
  }

  @Test(arguments: sizes.dropLast())
  func multiMarginLossFollowsItsDefinition(size: (rows: Int, classes: Int)) {
    let problem = Problem(size.rows, size.classes)
    let results = withThreadCounts(KernelSet.current) {
      var dx = problem.x
      multiMarginLossGradient(
        x: problem.x, labels: problem.labels, scale: 2, dx: &dx, classes: size.classes)
      return [[multiMarginLoss(x: problem.x, labels: problem.labels, classes: size.classes)], dx]
    }
    problem.check(results) { x, label in
      let margins = x.indices.map { $0 == label ? 0 : max(0, 1 - x[label] + x[$0]) }
      return margins.reduce(0, +) / Double(x.count)
    }
  }

  @Test(arguments: KernelSet.supported, [1, 3, 1000, 100_001])
  func meanSquaredErrorFollowsItsDefinition(_ set: KernelSet, count: Int) {
    let (x, target) = (numbers(count), numbers(count, seed: 2))
    let results = withThreadCounts(set) {
      var dx = x
      mseLossGradient(x: x, target: target, scale: 2, dx: &dx, count: count)
      return [[mseLoss(x: x, target: target, count: count)], dx]
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
    let differences = zip(x, target).map { Double($0) - Double($1) }
    let mean = differences.map { $0 * $0 }.reduce(0, +) / Double(count)
    #expect(relativeError(results[0][0], [Float(mean)]) < 1e-6)
    #expect(
      relativeError(results[0][1], differences.map { Float(4 * $0 / Double(count)) }) < 1e-6)
  }

  @Test(arguments: KernelSet.supported, [1, 3, 1000, 100_001])
  func binaryCrossEntropyFollowsItsDefinition(_ set: KernelSet, count: Int) {
    let x = numbers(count).map { $0 * 20 }
    let target = numbers(count, seed: 2).map { abs($0) }
    let results = withThreadCounts(set) {
      var (dx, dTarget) = (x, x)
      binaryCrossEntropyWithLogitsGradients(
        x: x, target: target, scale: 2, dx: &dx, dTarget: &dTarget, count: count)
      return [[binaryCrossEntropyWithLogits(x: x, target: target, count: count)], dx, dTarget]
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
    let terms = zip(x, target).map { x, target in
      let p = 1 / (1 + exp(-Double(x)))
      return -Double(target) * log(p) - (1 - Double(target)) * log(1 / (1 + exp(Double(x))))
    }
    let share = 2 / Double(count)
    #expect(relativeError(results[0][0], [Float(terms.reduce(0, +) / Double(count))]) < 1e-6)
    let dx = zip(x, target).map { Float(share * (1 / (1 + exp(-Double($0))) - Double($1))) }
    #expect(relativeError(results[0][1], dx) < 1e-6)
    #expect(relativeError(results[0][2], x.map { Float(-share * Double($0)) }) < 1e-6)
  }

  @Test func largeLogitsDoNotOverflow() {
    #expect(binaryCrossEntropyWithLogits(x: [1000, -1000], target: [0, 1], count: 2) == 1000)
    #expect(binaryCrossEntropyWithLogits(x: [1000, -1000], target: [1, 0], count: 2) == 0)
    #expect(binaryCrossEntropyWithLogits(x: [.nan], target: [1], count: 1).isNaN)
    var y: [Float] = [0, 0]
    logSoftmax(x: [1000, 0], y: &y, rows: 1, classes: 2)
    #expect(y == [0, -1000])
  }

  @Test(arguments: KernelSet.supported, sizes)
  func logSoftmaxFollowsItsDefinition(_ set: KernelSet, size: (rows: Int, classes: Int)) {
    let problem = Problem(size.rows, size.classes)
    let dy = numbers(problem.x.count, seed: 3)
    let results = withThreadCounts(set) {
      var (y, dx) = (dy, dy)
      logSoftmax(x: problem.x, y: &y, rows: size.rows, classes: size.classes)
      logSoftmaxGradient(dy: dy, y: y, dx: &dx, rows: size.rows, classes: size.classes)
      return [y, dx]
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
    var expected: [[Float]] = [[], []]
    for row in 0..<size.rows {
      let range = row * size.classes..<(row + 1) * size.classes
      let values = problem.x[range].map { Double($0) }
      let logSum = log(values.map { exp($0) }.reduce(0, +))
      let sum = dy[range].reduce(0.0) { $0 + Double($1) }
      expected[0] += values.map { Float($0 - logSum) }
      expected[1] += zip(dy[range], values).map { Float(Double($0) - exp($1 - logSum) * sum) }
    }
    #expect(relativeError(results[0][0], expected[0]) < 1e-6)
    #expect(relativeError(results[0][1], expected[1]) < 1e-5)
  }
}

private struct Problem {
  let x: [Float]
  let labels: [Int]
  let classes: Int

  init(_ rows: Int, _ classes: Int) {
    x = numbers(rows * classes).map { $0 * 3 }
    labels = (0..<rows).map { $0 * 7 % classes }
    self.classes = classes
  }

  /// Compares a loss and twice its gradient with the mean of a definition over the rows; gradients
  /// at some of the elements.
  func check(_ results: [[[Float]]], _ loss: ([Double], Int) -> Double) {
    for other in results.dropFirst() { #expect(other == results[0]) }
    let rows = labels.indices.map { row in
      x[row * classes..<(row + 1) * classes].map { Double($0) }
    }
    let total = zip(rows, labels).reduce(0) { $0 + loss($1.0, $1.1) }
    #expect(
      relativeError(results[0][0], [Float(total / Double(labels.count))]) < 1e-5)
    var (found, expected): ([Float], [Float]) = ([], [])
    for (row, label) in labels.enumerated().prefix(20) {
      for c in Set([0, label, classes / 2, classes - 1]) {
        var (up, down) = (rows[row], rows[row])
        up[c] += 1e-5
        down[c] -= 1e-5
        let slope = (loss(up, label) - loss(down, label)) / 2e-5
        found.append(results[0][1][row * classes + c])
        expected.append(Float(2 * slope / Double(labels.count)))
      }
    }
    let scale = expected.map { abs($0) }.max() ?? 0
    for (found, expected) in zip(found, expected) {
      #expect(abs(found - expected) <= 1e-4 * scale + 1e-9)
    }
  }
}
