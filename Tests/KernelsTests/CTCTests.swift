import Foundation
import Kernels
import Testing

@Suite(.serialized)
struct CTCTests {
  /// Steps, items, classes and the most labels of an item.
  static let sizes = [
    (1, 1, 2, 1), (3, 2, 4, 0), (7, 5, 3, 3), (20, 9, 11, 8), (55, 40, 83, 32), (300, 3, 5, 70),
  ]

  /// The plain recursion in double precision, with real infinities.
  @Test(arguments: KernelSet.supported, sizes)
  func equalsThePlainRecursion(_ set: KernelSet, size: (Int, Int, Int, Int)) {
    let (batch, x) = problem(size)
    let results = withThreadCounts(set) { losses(x, batch) }
    for other in results.dropFirst() { #expect(other == results[0]) }
    let expected = plainLosses(x, batch)
    #expect(relativeError(results[0][0], expected[0]) < 1e-6)
    #expect(relativeError(results[0][1], expected[1]) < 1e-5)
    // Without the gradients, α is not kept.
    var alone = [Float](repeating: -1, count: batch.items)
    KernelSet.$current.withValue(set) {
      ctcLosses(x: x, batch, losses: &alone, gradients: nil)
    }
    #expect(alone == results[0][0])
  }

  /// Each of the paths has the same probability, and there are so many: of T steps and L different
  /// labels, T + L choose 2 L.
  @Test(arguments: KernelSet.supported)
  func smallProbabilitiesOverManySteps(_ set: KernelSet) {
    let (steps, classes, labels) = (1000, 40, 32)
    let batch = CTCBatch(
      steps: steps, classes: classes, blank: 0, targets: Array(1...labels), labels: labels,
      inputLengths: [steps], targetLengths: [labels], zeroInfinity: false)
    let x = [Float](repeating: -80, count: steps * classes)
    let found = KernelSet.$current.withValue(set) { losses(x, batch) }
    let paths =
      lgamma(Double(steps + labels + 1)) - lgamma(Double(2 * labels + 1))
      - lgamma(Double(steps - labels + 1))
    #expect(abs(Double(found[0][0]) - (80 * Double(steps) - paths)) < 0.01)
    for step in 0..<steps {
      let sum = found[1][step * classes..<(step + 1) * classes].reduce(0, +)
      #expect(abs(sum + 1) < 1e-4)
    }
    #expect(relativeError(found[1], plainLosses(x, batch)[1]) < 1e-5)
  }

  /// A network that is sure of the wrong labels: the path has to go where there is e⁻⁸⁰.
  @Test(arguments: KernelSet.supported)
  func confidentMistakes(_ set: KernelSet) {
    let (steps, classes, labels) = (1000, 40, 32)
    let batch = CTCBatch(
      steps: steps, classes: classes, blank: 0, targets: Array((1...labels).reversed()),
      labels: labels, inputLengths: [steps], targetLengths: [labels], zeroInfinity: false)
    let x = (0..<steps * classes).map { index -> Float in
      let (step, label) = index.quotientAndRemainder(dividingBy: classes)
      return label == step * labels / steps + 1 ? -1e-6 : -80
    }
    let found = KernelSet.$current.withValue(set) { losses(x, batch) }
    let expected = plainLosses(x, batch)
    #expect(relativeError(found[0], expected[0]) < 1e-6)
    #expect(relativeError(found[1], expected[1]) < 1e-5)
  }

  /// Impossible classes, unreachable states and NaN.
  @Test(arguments: KernelSet.supported)
  func infinitiesAndNaN(_ set: KernelSet) {
    func results(_ x: [Float], _ labels: [Int], zeroInfinity: Bool = false) -> [[Float]] {
      let batch = CTCBatch(
        steps: x.count / 3, classes: 3, blank: 0, targets: labels, labels: labels.count,
        inputLengths: [x.count / 3], targetLengths: [labels.count], zeroInfinity: zeroInfinity)
      return KernelSet.$current.withValue(set) { losses(x, batch) }
    }
    let certain: [Float] = [-.infinity, 0, -.infinity, -.infinity, -.infinity, 0]
    #expect(results(certain, [1, 2]) == [[0], [0, -1, 0, 0, 0, -1]])
    let impossible = results(certain, [2, 1])
    #expect(impossible[0] == [.infinity] && impossible[1].allSatisfy(\.isNaN))
    #expect(results(certain, [2, 1], zeroInfinity: true) == [[0], [0, 0, 0, 0, 0, 0]])
    #expect(results(certain, [1, 1], zeroInfinity: true)[0] == [0])
    #expect(results([.nan, -1, -1, -1, -1, -1], [1])[0][0].isNaN)
    #expect(!results([-1, -1, .nan, -1, -1, -1], [1])[0][0].isNaN)
    #expect(results([], [1])[0] == [.infinity])
    #expect(results([], [])[0] == [0])
  }

  private func problem(_ size: (Int, Int, Int, Int)) -> (CTCBatch, [Float]) {
    let (steps, items, classes, labels) = size
    let x = numbers(steps * items * classes).map { $0 * 4 - 4 }
    // Few classes, so that labels repeat; the last item has all steps, the first one few labels.
    let blank = classes / 2
    let targets = numbers(items * labels, seed: 5).map {
      (blank + 1 + Int(($0 + 1) / 2 * Float(min(classes - 1, 4)))) % classes
    }
    let batch = CTCBatch(
      steps: steps, classes: classes, blank: blank, targets: targets, labels: labels,
      inputLengths: (0..<items).map { steps - (items - 1 - $0) % steps },
      targetLengths: (0..<items).map { min($0, labels) }, zeroInfinity: true)
    return (batch, x)
  }

  private func losses(_ x: [Float], _ batch: CTCBatch) -> [[Float]] {
    var losses = [Float](repeating: -1, count: batch.items)
    var gradients = [Float](repeating: -1, count: x.count)
    ctcLosses(x: x, batch, losses: &losses, gradients: &gradients)
    return [losses, gradients]
  }
}

/// The losses and their gradients by the same recursions, state by state.
private func plainLosses(_ x: [Float], _ batch: CTCBatch) -> [[Float]] {
  var losses: [Float] = []
  var gradients = [Float](repeating: 0, count: x.count)
  for item in 0..<batch.items {
    let (steps, length) = (batch.inputLengths[item], batch.targetLengths[item])
    let labels = Array(batch.targets[item * batch.labels..<item * batch.labels + length])
    let states = [batch.blank] + labels.flatMap { [$0, batch.blank] }
    func row(_ step: Int) -> Int { (step * batch.items + item) * batch.classes }
    /// The logarithms of the probabilities of the paths up to each step, or from it on.
    func paths(_ states: [Int], _ steps: [Int]) -> [[Double]] {
      var rows: [[Double]] = []
      for step in steps {
        let last = rows.last
        rows.append(
          states.indices.map { state in
            var terms = [-Double.infinity]
            if let last {
              terms += last[max(0, state - 1)...state]
              if state >= 2, states[state] != states[state - 2] { terms.append(last[state - 2]) }
            } else if state < 2 {
              terms.append(0)
            }
            return Double(x[row(step) + states[state]]) + logSum(terms)
          })
      }
      return rows
    }
    let alpha = paths(states, Array(0..<steps))
    let beta = Array(paths(states.reversed(), (0..<steps).reversed()).reversed())
    let total = logSum(Array((alpha.last ?? [0]).suffix(2)))
    losses.append(total == -.infinity ? 0 : Float(-total))
    guard total > -.infinity else { continue }
    for step in 0..<steps {
      for (state, label) in states.enumerated() {
        let both = alpha[step][state] + beta[step][states.count - 1 - state]
        let probability = exp(both - Double(x[row(step) + label]) - total)
        gradients[row(step) + label] -= Float(probability)
      }
    }
  }
  return [losses, gradients]
}

private func logSum(_ terms: [Double]) -> Double {
  let largest = terms.max() ?? -.infinity
  guard largest > -.infinity else { return largest }
  return largest + log(terms.reduce(0) { $0 + exp($1 - largest) })
}
