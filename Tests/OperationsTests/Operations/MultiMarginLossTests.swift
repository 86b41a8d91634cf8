import Lab
import TestSupport
import Testing

struct MultiMarginLossTests {
  @Test func onPaper() throws {
    // The second class comes within 1 of the first by 0.5, the third not at all.
    let loss = try multiMarginLoss(Tensor([2, 1.5, -3], shape: [1, 3]), IntTensor([0]))
    try expectClose(loss, [0.5 / 3])
  }

  /// ```python
  /// x = pattern(3, 4, step=5)
  /// loss = F.multi_margin_loss(x, torch.tensor([2, 0, 3]))
  /// torch.autograd.grad(loss, x)
  /// ```
  @Test func agreesWithPyTorch() throws {
    let (loss, gradients) = try gradients(
      of: [pattern([3, 4], step: 5)], weights: Tensor([1], shape: [])
    ) { x throws(ShapeError) in try multiMarginLoss(x[0], IntTensor([2, 0, 3])) }
    try expectClose(loss, [0.6041666865348816])
    try expectClose(
      gradients[0],
      [
        0, 0, 0, 0, -0.0833333358, 0, 0.0833333358, 0, 0.0833333358, 0.0833333358, 0.0833333358,
        -0.25,
      ]
    )
  }

  @Test(arguments: [(1, 1), (2, 3), (5, 83)])
  func gradientsAreTheDifferences(rows: Int, classes: Int) throws {
    let labels = IntTensor((0..<rows).map { $0 * 5 % classes })
    // No two scores are 1 apart, where the loss has a kink.
    let scores = pattern([rows, classes]).elements.enumerated().map {
      $0.element + ($0.offset % classes == labels.elements[$0.offset / classes] ? 0.125 : 0)
    }
    try checkGradients(of: [Tensor(scores, shape: [rows, classes])]) { inputs throws(ShapeError) in
      try multiMarginLoss(inputs[0], labels)
    }
  }

  @Test func scoresThatAreNoNumbersAreNoticed() throws {
    for place in 0..<3 {
      var scores: [Float] = [2, 1.5, -3]
      scores[place] = .nan
      let loss = try multiMarginLoss(Tensor(scores, shape: [1, 3]), IntTensor([0]))
      #expect(loss.item.isNaN)
    }
  }

  @Test func errorsSayWhatToDo() {
    expectShapeError(
      "multiMarginLoss: expected logits of shape [2, classes] for labels of shape [2], got [3, 10]"
    ) { () throws(ShapeError) in
      try multiMarginLoss(Tensor(repeating: 0, shape: [3, 10]), IntTensor([1, 2]))
    }
  }
}
