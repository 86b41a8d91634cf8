import Lab
import TestSupport
import Testing

struct SumTests {
  @Test func onPaper() {
    #expect(sum(Tensor([1, 2, 3])).item == 6)
  }

  @Test(arguments: [[], [1], [3, 4], [2, 1, 5]])
  func gradientsAreTheDifferences(shape: [Int]) throws {
    try checkGradients(of: [pattern(shape)]) { inputs throws(ShapeError) in sum(inputs[0]) }
  }
}
