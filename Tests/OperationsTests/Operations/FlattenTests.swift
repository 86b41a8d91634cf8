import Lab
import TestSupport
import Testing

struct FlattenTests {
  @Test func onPaper() throws {
    let x = pattern([2, 3, 4, 5])
    #expect(try flatten(x) == Tensor(x.elements, shape: [2, 60]))
    #expect(try flatten(x, from: 2) == Tensor(x.elements, shape: [2, 3, 20]))
    #expect(try reshape(x, to: [6, 20]) == Tensor(x.elements, shape: [6, 20]))
  }

  @Test(arguments: [[1, 1], [2, 3, 4], [3, 2, 2, 2]])
  func gradientsAreTheDifferences(shape: [Int]) throws {
    try checkGradients(of: [pattern(shape)]) { inputs throws(ShapeError) in
      try flatten(inputs[0])
    }
  }

  @Test func errorsSayWhatToDo() {
    expectShapeError("flatten: expected x with more than 1 dimensions, got shape [3]") {
      () throws(ShapeError) in try flatten(Tensor([1, 2, 3]))
    }
    expectShapeError("reshape: expected a shape of 3 elements, as x [3] has, got [2, 2]") {
      () throws(ShapeError) in try reshape(Tensor([1, 2, 3]), to: [2, 2])
    }
  }
}
