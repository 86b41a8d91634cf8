import Lab
import TestSupport
import Testing

struct EmbeddingTests {
  static let results = [
    PyTorchResult(
      "lambda w: F.embedding(torch.tensor([[2, 0], [2, 1]]), w)", [[3, 2]], shape: [2, 2, 2],
      [0.25, -0.75, -1.25, 0.5, 0.25, -0.75, -0.5, 1.25],
      [[0.25, 1, 0.5, 1.25, -2.25, -0.75]]
    ) { x throws(ShapeError) in
      try embedding(IntTensor([2, 0, 2, 1], shape: [2, 2]), weight: x[0])
    }
  ]

  @Test(arguments: results)
  func agreesWithPyTorch(_ result: PyTorchResult) throws {
    try result.check()
  }

  @Test func onPaper() throws {
    let table = Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2])
    let y = try embedding(IntTensor([2, 0]), weight: table)
    #expect(y == Tensor([5, 6, 1, 2], shape: [2, 2]))
  }

  @Test(arguments: [[0], [3, 3, 3], [0, 1, 2, 3, 1]])
  func gradientsAreThoseOfDifferences(indices: [Int]) throws {
    try checkGradients(of: [pattern([4, 3])]) { x throws(ShapeError) in
      try embedding(IntTensor(indices), weight: x[0])
    }
  }

  @Test func indicesThatDoNotExistAreRefused() {
    expectShapeError(
      "embedding: expected indices in 0..<3, the rows of the weight [3, 2], got -1; the layer's "
        + "first size is the number of different indices"
    ) { () throws(ShapeError) in try embedding(IntTensor([0, -1]), weight: pattern([3, 2])) }
    expectShapeError("embedding: expected a weight of shape [rows, size], got [3]") {
      () throws(ShapeError) in try embedding(IntTensor([0]), weight: pattern([3]))
    }
  }
}
