import Lab
import TestSupport
import Testing

struct TensorTests {
  @Test func indexingTakesTheFirstDimension() {
    let x = Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2])
    #expect(x[1] == Tensor([3, 4]))
    #expect(x[2][1].item == 6)
    #expect(x.count == 6 && x.rank == 2)
  }

  @Test func aPartHasAGradient() throws {
    try checkGradients(of: [pattern([3, 2, 2])]) { x throws(ShapeError) in
      try x[0][2] + x[0][0][1]
    }
    let tape = Tape()
    let x = tape.variable(Tensor([1, 2, 3]))
    try tape.backward(x[1])
    #expect(tape.gradient(of: x) == Tensor([0, 1, 0]))
  }

  @Test func aNaNIsTheSmallestAndTheLargest() {
    for elements: [Float] in [[.nan, 1], [1, .nan], [2, .nan, 1]] {
      let x = Tensor(elements)
      #expect(x.min().isNaN && x.max().isNaN)
    }
    #expect(Tensor([2, 1, 3]).min() == 1 && Tensor([2, 1, 3]).max() == 3)
  }

  /// ```python
  /// x = pattern(3, 4); x.min(), x.mean(), x.std(), x.max()
  /// ```
  @Test func statisticsAreThoseOfPyTorch() throws {
    let x = pattern([3, 4])
    #expect(x.min() == -1.25 && x.max() == 1.25)
    try expectClose(Tensor([x.mean(), x.std()]), [-0.1041666641831398, 0.8690272569656372])
  }

  @Test func anEmptyTensorIsAllowed() {
    let x = Tensor([], shape: [0, 3])
    #expect(x.count == 0 && x.elements.isEmpty && x == Tensor([], shape: [0, 3]))
  }
}
