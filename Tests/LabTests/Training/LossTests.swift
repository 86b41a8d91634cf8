import Lab
import Testing

struct LossTests {
  @Test func namesAreThoseOfPyTorch() throws {
    let (x, labels) = (pattern([3, 4]), IntTensor([2, 0, 3]))
    #expect(Loss.allCases.map(\.rawValue) == ["cross_entropy", "multi_margin_loss"])
    #expect(try Loss.crossEntropy(x, labels) == crossEntropy(x, labels))
    #expect(try Loss.multiMargin(x, labels) == multiMarginLoss(x, labels))
  }
}
