import Foundation
import Lab
import TestSupport
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

  /// ```python
  /// x = pattern(2, 3, 4)
  /// loss = F.cross_entropy(x, torch.tensor([[2, 0, 1, 1], [0, 2, 2, 1]]))
  /// torch.autograd.grad(loss, x)
  /// ```
  @Test func eachStepOfASequenceHasALabel() throws {
    let labels = IntTensor([2, 0, 1, 1, 0, 2, 2, 1], shape: [2, 4])
    let tape = Tape()
    let x = tape.variable(pattern([2, 3, 4]))
    let loss = try crossEntropy(x, labels)
    try tape.backward(loss)
    try expectClose(loss, [1.5244377851486206])
    try expectClose(
      tape.gradient(of: x),
      [
        0.018476, -0.076372, 0.018476, 0.091335, 0.082801, 0.013932, -0.042199, -0.098832,
        -0.101277, 0.06244, 0.023723, 0.007497, -0.076372, 0.018476, 0.091335, 0.048628, 0.013932,
        0.082801, 0.026168, -0.111068, 0.06244, -0.101277, -0.117503, 0.06244,
      ])
    try checkGradients(of: [pattern([2, 3, 4])]) { inputs throws(ShapeError) in
      try crossEntropy(inputs[0], labels, labelSmoothing: 0.1)
    }
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
      "crossEntropy: expected logits of shape [2, classes, 3] for labels of shape [2, 3], "
        + "got [2, 10, 4]"
    ) { () throws(ShapeError) in
      try crossEntropy(
        Tensor(repeating: 0, shape: [2, 10, 4]), IntTensor([1, 2, 3, 1, 2, 3], shape: [2, 3]))
    }
    expectShapeError(
      "crossEntropy: expected labels in 0..<10, the classes of the logits, got 10; "
        + "the last layer's size is the number of classes"
    ) { () throws(ShapeError) in
      try crossEntropy(Tensor(repeating: 0, shape: [2, 10]), IntTensor([1, 10]))
    }
  }
}
