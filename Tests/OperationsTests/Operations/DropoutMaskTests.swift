import Kernels
import Lab
import TestSupport
import Testing

struct DropoutMaskTests {
  @Test func nothingIsDroppedOffTheTape() {
    let x = pattern([100])
    #expect(dropout(x, probability: 0.5) == x)
  }

  @Test(arguments: [0.0, 0.25, 0.5, 0.9, 1.0])
  func theShareAndTheScaleAreRight(probability: Double) {
    let x = Tape().input(Tensor(repeating: 3, shape: [100, 1000]))
    let y = dropout(x, probability: probability, generator: Generator(seed: 1)).elements
    let dropped = y.filter { $0 == 0 }.count
    // Five standard deviations of a binomial distribution.
    let spread = 5 * (probability * (1 - probability) / 100_000).squareRoot()
    #expect(abs(Double(dropped) / 100_000 - probability) <= spread)
    #expect(y.allSatisfy { $0 == 0 || $0 == Float(3 * (1 / (1 - probability))) })
  }

  @Test func theGradientGoesThroughWhatWasKept() throws {
    let x = Tensor(repeating: 1, shape: [500])
    let (y, gradients) = try gradients(of: [x], weights: Tensor(repeating: 1, shape: [500])) {
      inputs throws(ShapeError) in
      dropout(inputs[0], probability: 0.3, generator: Generator(seed: 7))
    }
    #expect(gradients[0]?.elements == y.elements)
  }

  @Test(arguments: [[1], [3, 5], [2, 3, 4, 5]])
  func gradientsAreTheDifferences(shape: [Int]) throws {
    try checkGradients(of: [pattern(shape)]) { inputs throws(ShapeError) in
      // A tape of its own makes the plain evaluations drop too, and drop the same.
      let x = inputs[0].tape == nil ? Tape().input(inputs[0]) : inputs[0]
      return dropout(x, probability: 0.4, generator: Generator(seed: 3))
    }
  }

  @Test func eachCallDropsOthers() {
    let x = Tape().input(Tensor(repeating: 1, shape: [1000]))
    let generator = Generator(seed: 5)
    let first = dropout(x, probability: 0.5, generator: generator)
    let second = dropout(x, probability: 0.5, generator: generator)
    #expect(first != second)
    generator.seed(5)
    #expect(dropout(x, probability: 0.5, generator: generator) == first)
  }
}
