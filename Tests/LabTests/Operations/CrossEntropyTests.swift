import Foundation
import Lab
import Testing

struct CrossEntropyTests {
  @Test func onPaper() throws {
    let loss = try crossEntropy(Tensor(repeating: 7, shape: [2, 83]), IntTensor([0, 82]))
    try expectClose(loss, [log(83)])
    #expect(loss.shape == [])
  }

  @Test func largeLogitsDoNotOverflow() throws {
    let loss = try crossEntropy(Tensor([1000, 0], shape: [1, 2]), IntTensor([1]))
    #expect(loss.item == 1000)
  }

  /// ```python
  /// x = pattern(3, 4)
  /// loss = F.cross_entropy(x, torch.tensor([3, 0, 2]))
  /// torch.autograd.grad(loss, x)
  /// ```
  @Test func agreesWithPyTorch() throws {
    let tape = Tape()
    let x = tape.variable(pattern([3, 4]))
    let loss = try crossEntropy(x, IntTensor([3, 0, 2]))
    try tape.backward(loss)
    try expectClose(loss, [1.171409249305725])
    try expectClose(
      tape.gradient(of: x),
      [
        0.015832, 0.091108, 0.033517, -0.140457, -0.255154, 0.028761, 0.165506, 0.060886, 0.034541,
        0.198769, -0.26021, 0.0269,
      ])
  }

  @Test(arguments: [(1, 1), (2, 3), (5, 83)])
  func gradientsAreTheDifferences(rows: Int, classes: Int) throws {
    let labels = IntTensor((0..<rows).map { $0 * 5 % classes })
    try checkGradients(of: [pattern([rows, classes])]) { inputs throws(ShapeError) in
      try crossEntropy(inputs[0], labels)
    }
  }

  @Test func errorsSayWhatToDo() {
    expectShapeError(
      "crossEntropy: expected logits of shape [2, classes] for labels of shape [2], "
        + "got [2, 64, 14, 14]; the model must return one row of scores per image: "
        + "flatten, then Linear"
    ) { () throws(ShapeError) in
      try crossEntropy(Tensor(repeating: 0, shape: [2, 64, 14, 14]), IntTensor([1, 2]))
    }
    expectShapeError(
      "crossEntropy: expected logits of shape [2, classes] for labels of shape [2], got [3, 10]"
    ) { () throws(ShapeError) in
      try crossEntropy(Tensor(repeating: 0, shape: [3, 10]), IntTensor([1, 2]))
    }
    expectShapeError(
      "crossEntropy: expected labels in 0..<10, the classes of the logits, got 10; "
        + "the last layer's size is the number of classes"
    ) { () throws(ShapeError) in
      try crossEntropy(Tensor(repeating: 0, shape: [2, 10]), IntTensor([1, 10]))
    }
  }
}
