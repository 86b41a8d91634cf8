import Foundation
import Lab
import TestSupport
import Testing

struct LSTMTests {
  /// One unit and two steps: all gates are half open, and the candidate is 1 at the limit.
  @Test func onPaper() throws {
    let y = try lstm(
      Tensor([1, 1], shape: [2, 1, 1]), weightIH: Tensor([0, 0, 50, 0], shape: [4, 1]),
      weightHH: Tensor([0, 0, 0, 0], shape: [4, 1]), biasIH: Tensor([0, 0, 0, 0]),
      biasHH: Tensor([0, 0, 0, 0]))
    #expect(y.shape == [2, 1, 1])
    // c is 1/2, then 1/2 · 1/2 + 1/2.
    try expectClose(y, [tanh(0.5) / 2, tanh(0.75) / 2])
  }

  /// With `lstm = lambda x, *w: torch.func.functional_call(nn.LSTM(3, 2), dict(zip(names, w)),
  /// (x,))[0]` and the names of the four weights.
  static let results = [
    PyTorchResult(
      "lambda x, *w: lstm(x, *w)", [[3, 2, 3], [8, 3], [8, 2], [8], [8]], shape: [3, 2, 2],
      [
        -0.2190879, -0.1619478, 0.001319433, -0.1969058, -0.1738974, -0.2263439, -0.02144441,
        -0.3479539, -0.01749116, -0.4550641, 0.01512772, -0.6656911,
      ],
      [
        [
          -0.393528, 0.1216559, -0.376736, 0.0418308, 0.1680317, -0.05602305, 0.01162247,
          -0.07443433, -0.04572567, 0.126696, 0.371359, -0.1349576, 0.04027809, -0.00724361,
          -0.01602079, -0.08201908, -0.1772892, -0.0642812,
        ],
        [
          -0.3312815, 0.128969, -0.1100068, -0.05290202, 0.04522457, -0.07163752, 0.05846244,
          -0.009328614, -0.02214063, 0.01793681, -0.05065441, 0.06517904, 0.2866687, -0.1184902,
          0.1143326, -0.03245174, 0.07175512, -0.08011129, -0.0396248, 0.03080463, -0.06391411,
          -0.3814655, -0.06680517, 0.592467,
        ],
        [
          0.0009113444, 0.001373971, 0.000574648, 0.009444448, -0.01433892, -0.01191974,
          -0.001458298, -0.02363231, 0.008098041, 0.001182774, 0.002251616, 0.03483165,
          -0.008547955, -0.005772071, -0.01446802, -0.01139731,
        ],
        [
          0.2405554, 0.02429797, 0.06779105, 0.06859122, -0.2308072, -0.108605, 0.09659433,
          -0.1540896,
        ],
        [
          0.2405554, 0.02429797, 0.06779105, 0.06859122, -0.2308072, -0.108605, 0.09659433,
          -0.1540896,
        ],
      ]
    ) { x throws(ShapeError) in
      try lstm(
        x[0], weightIH: x[1], weightHH: x[2], biasIH: x[3], biasHH: x[4])
    },
    PyTorchResult(
      "lambda x, *w: lstm(x.flip(0), *w).flip(0)", [[3, 2, 3], [8, 3], [8, 2], [8], [8]],
      shape: [3, 2, 2],
      [
        -0.225706, -0.2827657, -0.007172551, -0.2393112, 0.00447661, -0.2182813, -0.005967643,
        -0.2699746, 0.01721822, 0.1168359, 0.02318184, 0.05871998,
      ],
      [
        [
          -0.2652888, -0.03823847, -0.1387286, 0.04617741, 0.218233, -0.07856695, -0.03179051,
          -0.01836073, -0.03104296, 0.05441024, 0.2287281, -0.06246969, 0.006181329, 0.032597,
          -0.04493703, -0.1609173, 0.3636666, -0.4536633,
        ],
        [
          -0.2199605, 0.08483966, -0.09008732, -0.03526239, 0.03084516, -0.02393537, -0.001345279,
          -0.0008676754, 0.001614137, -0.006560918, 0.002318399, -0.002251062, 0.11304, -0.05468982,
          0.06464514, -0.1365189, 0.3701634, -0.5383241, -0.0812047, 0.03166905, -0.03014672,
          -0.4568573, 0.06271702, 0.2870356,
        ],
        [
          0.0006628486, -0.03660749, -0.0001695878, -0.003196028, -1.684866e-05, -4.408438e-05,
          2.510354e-05, -0.000986909, -0.0007468477, 0.01837259, 9.808449e-05, -0.000542852,
          0.0002612188, -0.01389567, -0.002553033, 0.02043633,
        ],
        [
          0.1608, -0.0252, -0.002481812, 0.004569461, -0.1186478, -0.5089182, 0.06174763,
          -0.2675223,
        ],
        [
          0.1608, -0.0252, -0.002481812, 0.004569461, -0.1186478, -0.5089182, 0.06174763,
          -0.2675223,
        ],
      ]
    ) { x throws(ShapeError) in
      try lstm(
        x[0], weightIH: x[1], weightHH: x[2], biasIH: x[3], biasHH: x[4], reverse: true)
    },
  ]

  @Test(arguments: results)
  func agreesWithPyTorch(_ result: PyTorchResult) throws {
    try result.check()
  }

  /// Steps, items, inputs and units.
  static let sizes = [(1, 1, 1, 1), (2, 3, 2, 3), (4, 2, 3, 17)]

  @Test(arguments: sizes, [false, true])
  func gradientsAreTheDifferences(size: (Int, Int, Int, Int), reverse: Bool) throws {
    let (steps, items, inputs, units) = size
    let tensors = [
      pattern([steps, items, inputs]), pattern([4 * units, inputs], step: 5),
      pattern([4 * units, units], step: 3), pattern([4 * units]), pattern([4 * units], step: 2),
    ]
    try checkGradients(of: tensors) { x throws(ShapeError) in
      try lstm(
        x[0], weightIH: x[1], weightHH: x[2], biasIH: x[3], biasHH: x[4], reverse: reverse)
    }
  }

  /// Going backward is going forward through the reversed sequence.
  @Test func reverseGoesFromTheLastStep() throws {
    let tensors = [pattern([8, 3]), pattern([8, 2]), pattern([8]), pattern([8], step: 3)]
    let x = pattern([3, 2, 3])
    func outputs(_ steps: [Tensor], reverse: Bool) throws -> [Tensor] {
      try split(
        lstm(
          concatenate(steps), weightIH: tensors[0], weightHH: tensors[1], biasIH: tensors[2],
          biasHH: tensors[3], reverse: reverse), size: 1)
    }
    let steps = try split(x, size: 1)
    #expect(
      try outputs(steps, reverse: true)
        == Array(outputs(steps.reversed(), reverse: false).reversed()))
  }

  @Test func noItemsOrStepsGiveNone() throws {
    for shape in [[0, 2, 3], [2, 0, 3]] {
      let (y, gradients) = try gradients(
        of: [Tensor(repeating: 0, shape: shape), pattern([8, 3]), pattern([8, 2])]
      ) { x throws(ShapeError) in
        try lstm(
          x[0], weightIH: x[1], weightHH: x[2], biasIH: Tensor(repeating: 0, shape: [8]),
          biasHH: Tensor(repeating: 0, shape: [8]))
      }
      #expect(y.shape == [shape[0], shape[1], 2])
      #expect(try #require(gradients[1]).elements.allSatisfy { $0 == 0 })
      #expect(try #require(gradients[2]).elements.allSatisfy { $0 == 0 })
    }
  }

  @Test func errorsSayWhatToDo() {
    func expect(
      _ text: String, x: [Int] = [5, 2, 3], ih: [Int] = [8, 3], hh: [Int] = [8, 2],
      biasIH: [Int] = [8], biasHH: [Int] = [8]
    ) {
      func zeros(_ shape: [Int]) -> Tensor { Tensor(repeating: 0, shape: shape) }
      expectShapeError(text) { () throws(ShapeError) in
        try lstm(
          zeros(x), weightIH: zeros(ih), weightHH: zeros(hh), biasIH: zeros(biasIH),
          biasHH: zeros(biasHH))
      }
    }
    expect(
      "lstm: expected a recurrent weight of shape [4 * units, units], got [8, 3]; the rows are "
        + "those of four gates", hh: [8, 3])
    expect(
      "lstm: expected a recurrent weight of shape [4 * units, units], got [0, 0]; the rows are "
        + "those of four gates", hh: [0, 0])
    expect(
      "lstm: expected an input weight of shape [8, inputs] (the recurrent one is [8, 2]), got "
        + "[12, 3]", ih: [12, 3])
    expect(
      "lstm: expected biases of shape [8], one number for each row of the weights, got [2]",
      biasIH: [2])
    expect(
      "lstm: expected biases of shape [8], one number for each row of the weights, got [4, 2]",
      biasHH: [4, 2])
    expect(
      "lstm: expected x of shape [steps, items, 3] (the input weight is [8, 3]), got [5, 2, 4]",
      x: [5, 2, 4])
    expect(
      "lstm: expected x of shape [steps, items, 3] (the input weight is [8, 3]), got [5, 3]; a "
        + "single sequence is a batch of one: [steps, 1, inputs]", x: [5, 3])
  }
}
