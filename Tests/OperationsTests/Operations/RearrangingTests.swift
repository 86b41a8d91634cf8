import Lab
import TestSupport
import Testing

struct RearrangingTests {
  static let results = [
    PyTorchResult(
      "lambda x: x.permute(2, 0, 1)", [[2, 3, 2]], shape: [2, 2, 3],
      [-1.25, -0.5, 0.25, 1, -1, -0.25, 0.5, 1.25, -0.75, 0, 0.75, -1.25],
      [[-1.25, 0.5, -0.5, 1.25, 0.25, -0.75, 1, 0, -1, 0.75, -0.25, -1.25]]
    ) { x throws(ShapeError) in try permute(x[0], order: [2, 0, 1]) },
    PyTorchResult(
      "lambda x: x.transpose(-1, 0)", [[2, 3, 2]], shape: [2, 3, 2],
      [-1.25, 1, -0.5, -1, 0.25, -0.25, 0.5, 0, 1.25, 0.75, -0.75, -1.25],
      [[-1.25, 0.5, 0.25, -0.75, -1, 0.75, -0.5, 1.25, 1, 0, -0.25, -1.25]]
    ) { x throws(ShapeError) in try transpose(x[0], -1, 0) },
    PyTorchResult(
      "lambda x: x[:, 1:5:2]", [[2, 5]], shape: [2, 2],
      [0.5, 1.25, 1, -1],
      [[0, -1.25, 0, -0.5, 0, 0, 0.25, 0, 1, 0]]
    ) { x throws(ShapeError) in try slice(x[0], axis: 1, 1..<5, step: 2) },
    PyTorchResult(
      "lambda a, b: torch.cat([a, b, a], dim=1)", [[2, 2], [2, 1]], shape: [2, 5],
      [-1.25, 0.5, -1.25, -1.25, 0.5, -0.5, 1.25, 0.5, -0.5, 1.25],
      [[-0.25, -1.5, -1, 0.5], [0.25, 1.25]]
    ) { x throws(ShapeError) in try concatenate([x[0], x[1], x[0]], axis: 1) },
    PyTorchResult(
      "lambda a, b: torch.stack([a, b], dim=-1)", [[2, 2], [2, 2]], shape: [2, 2, 2],
      [-1.25, -1.25, 0.5, 0.5, -0.5, -0.5, 1.25, 1.25],
      [[-1.25, 0.25, -1, 0.5], [-0.5, 1, -0.25, 1.25]]
    ) { x throws(ShapeError) in try stack(x, axis: -1) },
    PyTorchResult(
      "lambda x: x.split(2, dim=1)[1] * x.split([1, 3], dim=1)[0]", [[2, 4]], shape: [2, 2],
      [0.625, -1.5625, 0.25, 0],
      [[0, 0, 1.5625, 0.625, 0.25, 0, 0.0625, 0.25]]
    ) { x throws(ShapeError) in
      try split(x[0], size: 2, axis: 1)[1] * split(x[0], sizes: [1, 3], axis: 1)[0]
    },
  ]

  @Test(arguments: results)
  func agreesWithPyTorch(_ result: PyTorchResult) throws {
    try result.check()
  }

  @Test func onPaper() throws {
    let x = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
    #expect(try transpose(x, 0, 1) == Tensor([1, 4, 2, 5, 3, 6], shape: [3, 2]))
    #expect(try permute(x, order: [-1, 0]) == transpose(x, 0, 1))
    #expect(try slice(x, axis: -1, 0..<3, step: 2) == Tensor([1, 3, 4, 6], shape: [2, 2]))
    #expect(try slice(x, axis: 0, 2..<2).shape == [0, 3])
    #expect(try concatenate([x, x]).shape == [4, 3])
    #expect(
      try concatenate([x, Tensor([7, 8], shape: [2, 1])], axis: 1)
        == Tensor([1, 2, 3, 7, 4, 5, 6, 8], shape: [2, 4]))
    #expect(try stack([Tensor([1, 2]), Tensor([3, 4])]) == Tensor([1, 2, 3, 4], shape: [2, 2]))
    #expect(try split(Tensor([1, 2, 3]), size: 2) == [Tensor([1, 2]), Tensor([3])])
    #expect(try split(x, sizes: [0, 3], axis: 1).map(\.shape) == [[2, 0], [2, 3]])
  }

  @Test(arguments: [[2, 3], [1, 4, 3], [2, 3, 4, 5]])
  func gradientsAreThoseOfDifferences(shape: [Int]) throws {
    let (x, other) = (pattern(shape), pattern(shape, step: 5))
    try checkGradients(of: [x]) { x throws(ShapeError) in
      try permute(x[0], order: [shape.count - 1] + Array(0..<shape.count - 1))
    }
    try checkGradients(of: [x]) { x throws(ShapeError) in try transpose(x[0], 0, -1) }
    try checkGradients(of: [x]) { x throws(ShapeError) in
      try slice(x[0], axis: -1, 1..<3, step: 2)
    }
    for axis in shape.indices {
      try checkGradients(of: [x, other]) { x throws(ShapeError) in
        try concatenate([x[0], x[1], x[0]], axis: axis)
      }
      try checkGradients(of: [x, other]) { x throws(ShapeError) in try stack(x, axis: axis) }
      try checkGradients(of: [x]) { x throws(ShapeError) in
        let parts = try split(x[0], size: 2, axis: axis)
        return try parts[0] * (sum(parts[parts.count - 1]) + 1)
      }
    }
  }

  @Test func argumentsThatDoNotFitAreRefused() {
    let x = pattern([2, 3])
    expectShapeError("permute: expected each of the 2 dimensions of x [2, 3] once, got [0, 0]") {
      () throws(ShapeError) in try permute(x, order: [0, 0])
    }
    expectShapeError("transpose: expected an axis in -2..<2, got -3 for shape [2, 3]") {
      () throws(ShapeError) in try transpose(x, 0, -3)
    }
    expectShapeError("slice: expected indices in 0..<3 along dimension 1 of [2, 3], got 1..<4") {
      () throws(ShapeError) in try slice(x, axis: 1, 1..<4)
    }
    expectShapeError("slice: expected a step of at least 1, got 0") {
      () throws(ShapeError) in try slice(x, axis: 1, 1..<3, step: 0)
    }
    expectShapeError("concatenate: expected at least one tensor, got none") {
      () throws(ShapeError) in try concatenate([])
    }
    expectShapeError(
      "concatenate: expected tensors that differ in dimension 0 only, got [2, 3] and [2, 2]"
    ) { () throws(ShapeError) in try concatenate([x, pattern([2, 2])]) }
    expectShapeError("stack: expected at least one tensor, got none") {
      () throws(ShapeError) in try stack([])
    }
    expectShapeError("stack: expected tensors of one shape, got [2, 3] and [2, 2]") {
      () throws(ShapeError) in try stack([x, pattern([2, 2])])
    }
    expectShapeError("split: expected a size of at least 1, got 0") {
      () throws(ShapeError) in try split(x, size: 0)
    }
    expectShapeError(
      "split: expected sizes that add up to 3, the extent of dimension 1 of [2, 3], got [1, 1]"
    ) { () throws(ShapeError) in try split(x, sizes: [1, 1], axis: 1) }
  }
}
