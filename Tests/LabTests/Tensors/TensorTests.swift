import Lab
import Testing

struct TensorTests {
  @Test func indexingTakesTheFirstDimension() {
    let x = Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2])
    #expect(x[1] == Tensor([3, 4]))
    #expect(x[2][1].item == 6)
    #expect(x.count == 6 && x.rank == 2)
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
