import Lab
import TestSupport
import Testing

struct ReLUTests {
  @Test func onPaper() {
    #expect(relu(Tensor([-1, 0, 2])) == Tensor([0, 0, 2]))
  }

  @Test func aNaNIsNotHidden() {
    #expect(relu(Tensor([.nan])).item.isNaN)
  }

  /// ```python
  /// x = pattern(12)
  /// torch.autograd.grad(F.relu(x), x, pattern(12, step=3))
  /// ```
  @Test func agreesWithPyTorch() throws {
    let (y, gradients) = try gradients(of: [pattern([12])]) { inputs throws(ShapeError) in
      relu(inputs[0])
    }
    try expectClose(y, [0, 0.5, 0, 1.25, 0.25, 0, 1, 0, 0, 0.75, 0, 0])
    try expectClose(gradients[0], [0, -0.5, 0, 1, -1, 0, 0.5, 0, 0, 0, 0, 0])
  }

  @Test(arguments: [[1], [3, 5], [2, 3, 4, 5], [300_000]])
  func everyElementIsTreatedAlike(shape: [Int]) throws {
    let x = pattern(shape)
    #expect(relu(x).elements == x.elements.map { max($0, 0) })
  }

  @Test(arguments: [[1], [3, 5], [2, 3, 4, 5]])
  func gradientsAreTheDifferences(shape: [Int]) throws {
    // An even modulus keeps the elements off the kink at 0.
    let x = Tensor(pattern(shape, step: 3, modulus: 8).elements.map { $0 + 0.1 }, shape: shape)
    try checkGradients(of: [x]) { inputs throws(ShapeError) in relu(inputs[0]) }
  }
}
