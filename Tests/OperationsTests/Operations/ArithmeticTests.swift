import Lab
import TestSupport
import Testing

struct ArithmeticTests {
  static let results = [
    PyTorchResult(
      "lambda a, b: a - b", [[2, 3], [2, 1]], shape: [2, 3],
      [0, 1.75, 0.75, 0.75, -0.25, -1.25],
      [[-1.25, -0.5, 0.25, 1, -1, -0.25], [1.5, 0.25]]
    ) { x throws(ShapeError) in try x[0] - x[1] },
    PyTorchResult(
      "lambda a, b: a * b", [[2, 3], [2, 1]], shape: [2, 3],
      [1.5625, -0.625, 0.625, 0.625, 0.125, -0.375],
      [[1.5625, 0.625, -0.3125, 0.5, -0.5, -0.125], [1.1875, 1.1875]]
    ) { x throws(ShapeError) in try x[0] * x[1] },
    PyTorchResult(
      "lambda a, b: a / (b * b + 1)", [[2, 3], [3]], shape: [2, 3],
      [-0.4878049, 0.4, -0.4, 0.4878049, 0.2, -0.6],
      [[-0.4878049, -0.4, 0.2, 0.3902439, -0.8, -0.2], [1.070791, 0.32, 0.04000001]]
    ) { x throws(ShapeError) in try x[0] / (x[1] * x[1] + 1) },
    PyTorchResult(
      "lambda a: -(2 - 3 * a) / 4 + 1", [[5]], shape: [5],
      [-0.4375, 0.875, 0.125, 1.4375, 0.6875],
      [[-0.9375, -0.375, 0.1875, 0.75, -0.75]]
    ) { x throws(ShapeError) in -(2 - 3 * x[0]) / 4 + 1 },
    PyTorchResult(
      "lambda a: 1 / (a - 3)", [[5]], shape: [5],
      [-0.2352941, -0.4, -0.2857143, -0.5714286, -0.3636364],
      [[0.06920415, 0.08000001, -0.02040816, -0.3265306, 0.1322314]]
    ) { x throws(ShapeError) in 1 / (x[0] - 3) },
    PyTorchResult(
      "lambda a, b: torch.minimum(a, b)", [[2, 3], [3]], shape: [2, 3],
      [-1.25, 0.5, -0.5, -1.25, 0.25, -0.75],
      [[-0.625, -0.25, 0.125, 0, -1, -0.25], [0.375, -0.25, 0.125]]
    ) { x throws(ShapeError) in try minimum(x[0], x[1]) },
    PyTorchResult(
      "lambda a, b: torch.maximum(a, b)", [[2, 3], [3]], shape: [2, 3],
      [-1.25, 0.5, -0.5, 1.25, 0.5, -0.5],
      [[-0.625, -0.25, 0.125, 1, 0, 0], [-0.625, -1.25, -0.125]]
    ) { x throws(ShapeError) in try maximum(x[0], x[1]) },
    PyTorchResult(
      "torch.exp", [[7]], shape: [7],
      [0.2865048, 1.648721, 0.6065307, 3.490343, 1.284025, 0.4723665, 2.718282],
      [[-0.358131, -0.8243606, 0.1516327, 3.490343, -1.284025, -0.1180916, 1.359141]]
    ) { x throws(ShapeError) in exp(x[0]) },
    PyTorchResult(
      "lambda a: torch.log(a + 2)", [[7]], shape: [7],
      [-0.2876821, 0.9162908, 0.4054651, 1.178655, 0.8109302, 0.2231435, 1.098612],
      [[-1.666667, -0.2, 0.1666667, 0.3076923, -0.4444444, -0.2, 0.1666667]]
    ) { x throws(ShapeError) in log(x[0] + 2) },
    PyTorchResult(
      "lambda a: torch.sqrt(a + 2)", [[7]], shape: [7],
      [0.8660254, 1.581139, 1.224745, 1.802776, 1.5, 1.118034, 1.732051],
      [[-0.7216879, -0.1581139, 0.1020621, 0.2773501, -0.3333333, -0.1118034, 0.1443376]]
    ) { x throws(ShapeError) in sqrt(x[0] + 2) },
    PyTorchResult(
      "torch.abs", [[11]], shape: [11],
      [1.25, 0.5, 0.5, 1.25, 0.25, 0.75, 1, 0, 1, 0.75, 0.25],
      [[1.25, -0.5, -0.25, 1, -1, 0.25, 0.5, 0, 0.75, 0, -0.75]]
    ) { x throws(ShapeError) in abs(x[0]) },
    PyTorchResult(
      "torch.tanh", [[7]], shape: [7],
      [-0.8482836, 0.4621172, -0.4621172, 0.8482836, 0.2449187, -0.6351489, 0.7615942],
      [[-0.3505186, -0.3932239, 0.1966119, 0.2804148, -0.9400148, -0.1491465, 0.2099871]]
    ) { x throws(ShapeError) in tanh(x[0]) },
    PyTorchResult(
      "torch.sigmoid", [[7]], shape: [7],
      [0.2227001, 0.6224594, 0.3775407, 0.7772999, 0.5621765, 0.3208213, 0.7310586],
      [[-0.216381, -0.1175019, 0.05875093, 0.1731048, -0.2461341, -0.05447375, 0.09830596]]
    ) { x throws(ShapeError) in sigmoid(x[0]) },
    PyTorchResult(
      "F.gelu", [[7]], shape: [7],
      [-0.1320622, 0.3457312, -0.1542688, 1.117938, 0.1496766, -0.1699705, 0.8413447],
      [[0.1533268, -0.4337475, 0.03312623, 1.122661, -0.6953733, -0.0001935512, 0.5416577]]
    ) { x throws(ShapeError) in gelu(x[0]) },
    PyTorchResult(
      "F.silu", [[7]], shape: [7],
      [-0.2783752, 0.3112297, -0.1887703, 0.9716249, 0.1405441, -0.240616, 0.7310586],
      [[-0.007898937, -0.3699806, 0.06500971, 0.9936808, -0.62371, -0.03935001, 0.4638353]]
    ) { x throws(ShapeError) in silu(x[0]) },
    PyTorchResult(
      "lambda a, b: a.where(a > b, b * b)", [[2, 3], [3]], shape: [2, 3],
      [1.5625, 0.25, 0.25, 1.25, 0.25, 0.25],
      [[0, 0, 0, 1, 0, 0], [3.125, -1.5, -0]]
    ) { x throws(ShapeError) in try x[0].where(x[0] .> x[1], x[1] * x[1]) },
    PyTorchResult(
      "lambda a, b: a * (a <= b) + b * (a != b)", [[2, 3], [3]], shape: [2, 3],
      [-1.25, 0.5, -0.5, -1.25, 0.75, -1.25],
      [[-1.25, -0.5, 0.25, 0, -1, -0.25], [1, -1, -0.25]]
    ) { x throws(ShapeError) in try x[0] * (x[0] .<= x[1]) + x[1] * (x[0] .!= x[1]) },
  ]

  @Test(arguments: results)
  func agreesWithPyTorch(_ result: PyTorchResult) throws {
    try result.check()
  }

  @Test func onPaper() throws {
    let (a, b) = (Tensor([1, 2, 3, 4], shape: [2, 2]), Tensor([10, 20]))
    #expect(try a - b == Tensor([-9, -18, -7, -16], shape: [2, 2]))
    #expect(try a * b == Tensor([10, 40, 30, 80], shape: [2, 2]))
    #expect(try b / a == Tensor([10, 10, 10.0 / 3, 5], shape: [2, 2]))
    #expect(-b == Tensor([-10, -20]))
    #expect(1 - b == Tensor([-9, -19]) && b - 1 == Tensor([9, 19]))
    #expect(2 * b == Tensor([20, 40]) && b * 0.5 == Tensor([5, 10]))
    #expect(2 / b == Tensor([0.2, 0.1]) && b / 2 == Tensor([5, 10]))
    #expect(1 + b == b + 1)
    #expect(try minimum(a, Tensor([2])) == Tensor([1, 2, 2, 2], shape: [2, 2]))
    #expect(try maximum(a, Tensor([2])) == Tensor([2, 2, 3, 4], shape: [2, 2]))
    #expect(exp(Tensor([0])) == Tensor([1]) && log(Tensor([1])) == Tensor([0]))
    #expect(sqrt(Tensor([9])) == Tensor([3]) && abs(Tensor([-2])) == Tensor([2]))
    #expect(sigmoid(Tensor([0])) == Tensor([0.5]) && tanh(Tensor([0])) == Tensor([0]))
    #expect(gelu(Tensor([0])) == Tensor([0]) && silu(Tensor([0])) == Tensor([0]))
  }

  @Test func comparisonsGiveZerosAndOnes() throws {
    let (a, b) = (Tensor([1, 2, .nan]), Tensor([2, 2, 2]))
    #expect(try (a .< b) == Tensor([1, 0, 0]) && (a .<= b) == Tensor([1, 1, 0]))
    #expect(try (a .> b) == Tensor([0, 0, 0]) && (a .>= b) == Tensor([0, 1, 0]))
    #expect(try (a .== b) == Tensor([0, 1, 0]) && (a .!= b) == Tensor([1, 0, 1]))
    #expect((a .< 2) == Tensor([1, 0, 0]) && (a .<= 2) == Tensor([1, 1, 0]))
    #expect((a .> 1) == Tensor([0, 1, 0]) && (a .>= 2) == Tensor([0, 1, 0]))
    #expect((a .== 2) == Tensor([0, 1, 0]) && (a .!= 2) == Tensor([1, 0, 1]))
    #expect(try Tensor([1, 2]).where(Tensor([0, 1]), 7) == Tensor([7, 2]))
  }

  @Test func comparisonsStayOnTheTapeWithoutAGradient() throws {
    let tape = Tape()
    let x = tape.variable(Tensor([1, 3]))
    let mask = x .> 2
    #expect(mask.tape === tape && !mask.needsGradient)
    try tape.backward(sum(x * mask))
    #expect(tape.gradient(of: x) == Tensor([0, 1]))
  }

  @Test func assignmentOperatorsChangeTheVariable() throws {
    var x = Tensor([1, 2])
    let before = x
    try x += Tensor([1, 1])
    try x *= Tensor([2, 3])
    try x -= Tensor([1])
    try x /= Tensor([2, 4])
    #expect(x == Tensor([1.5, 2]))
    x += 1
    x -= 0.5
    x *= 2
    x /= 4
    #expect(x == Tensor([1, 1.25]))
    #expect(before == Tensor([1, 2]))
  }

  /// The walkthrough's line `x += x_residual`: with a stride the shapes differ.
  @Test func aResidualOfAnotherShapeIsRefused() throws {
    var x = pattern([1, 2, 4, 4])
    let residual = x
    try x += residual
    #expect(x == 2 * residual)
    x = pattern([1, 4, 2, 2])
    expectShapeError(
      "+: expected shapes that are equal, or 1, in every dimension, counted from the last, got "
        + "[1, 4, 2, 2] and [1, 2, 4, 4]; a skip connection adds tensors of the same shape: a 1×1 "
        + "convolution changes channels, with a stride also height and width"
    ) { () throws(ShapeError) in try x += residual }
  }

  @Test(arguments: [
    [[1], [1]], [[3, 5], [3, 5]], [[2, 3, 4], [3, 1]], [[4], [2, 1]], [[], [3]],
  ])
  func gradientsAreThoseOfDifferences(shapes: [[Int]]) throws {
    let (a, b) = (pattern(shapes[0]) + 0.1, pattern(shapes[1], step: 5) * 0.5 + 2)
    try checkGradients(of: [a, b]) { x throws(ShapeError) in try x[0] - x[1] }
    try checkGradients(of: [a, b]) { x throws(ShapeError) in try x[0] * x[1] }
    try checkGradients(of: [a, b]) { x throws(ShapeError) in try x[0] / x[1] }
    try checkGradients(of: [a, b]) { x throws(ShapeError) in try minimum(x[0], x[1] - 2) }
    try checkGradients(of: [a, b]) { x throws(ShapeError) in try maximum(x[0], x[1] - 2) }
    try checkGradients(of: [a, b]) { x throws(ShapeError) in
      try x[0].where((x[0] .> 0).detached, x[1])
    }
    for function in [exp, tanh, sigmoid, gelu, silu] {
      try checkGradients(of: [a]) { x throws(ShapeError) in function(x[0]) }
    }
    try checkGradients(of: [b]) { x throws(ShapeError) in log(sqrt(x[0])) }
  }

  /// Results of convolutions have another order in memory.
  @Test func operandsMayHaveTheirChannelsLast() throws {
    let x = pattern([2, 3, 4, 5])
    let weight = Tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], shape: [3, 3, 1, 1])
    let images = try conv2d(x, weight: weight)
    let scale = pattern([1, 3, 1, 1], step: 3)
    #expect(try images * x == x * x)
    #expect(try images * scale == x * scale)
    #expect(try scale - images == scale - x)
    #expect(-images == -x)
    #expect(images * 2 == x * 2)
    let found = try gradients(of: [x, scale]) { x throws(ShapeError) in
      try conv2d(x[0], weight: weight) * x[1]
    }
    let expected = try gradients(of: [x, scale]) { x throws(ShapeError) in try x[0] * x[1] }
    #expect(found.gradients[0] == expected.gradients[0])
    try expectClose(found.gradients[1], try #require(expected.gradients[1]).elements)
  }

  @Test func shapesThatDoNotFitAreRefused() {
    let (a, b) = (pattern([2, 3]), pattern([2]))
    let text = ": expected shapes that are equal, or 1, in every dimension, counted from the last, "
    let operations: [(String, PyTorchResult.Operation)] = [
      ("-", { x throws(ShapeError) in try x[0] - x[1] }),
      ("*", { x throws(ShapeError) in try x[0] * x[1] }),
      ("/", { x throws(ShapeError) in try x[0] / x[1] }),
      ("minimum", { x throws(ShapeError) in try minimum(x[0], x[1]) }),
      ("maximum", { x throws(ShapeError) in try maximum(x[0], x[1]) }),
      (".<", { x throws(ShapeError) in try x[0] .< x[1] }),
      (".==", { x throws(ShapeError) in try x[0] .== x[1] }),
    ]
    for (name, function) in operations {
      expectShapeError("\(name)\(text)got [2, 3] and [2]") { () throws(ShapeError) in
        try function([a, b])
      }
    }
    expectShapeError("where\(text)got [2, 3] and [2]") { () throws(ShapeError) in
      try a.where(a, b)
    }
    expectShapeError("where\(text)got [2] and [2, 3]") { () throws(ShapeError) in
      try a.where(b, a)
    }
  }
}
