import Lab
import TestSupport
import Testing

struct ArgmaxTests {
  @Test func onPaper() {
    #expect(argmax(Tensor([1, 3, 2, 9, 0, 9], shape: [2, 3])) == IntTensor([1, 0]))
  }

  /// ```python
  /// pattern(3, 5).argmax(-1)
  /// torch.tensor([[1., 5, 5], [float("nan"), 1, 2]]).argmax(-1)
  /// ```
  @Test func agreesWithPyTorch() {
    #expect(argmax(pattern([3, 5])) == IntTensor([3, 1, 4]))
    #expect(argmax(Tensor([1, 5, 5, .nan, 1, 2], shape: [2, 3])) == IntTensor([1, 0]))
  }

  @Test(arguments: [[1], [4, 1], [2, 3, 4]])
  func theLastDimensionGoes(shape: [Int]) {
    #expect(argmax(pattern(shape)).shape == Array(shape.dropLast()))
  }
}
