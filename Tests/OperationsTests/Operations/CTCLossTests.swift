import Foundation
import Lab
import TestSupport
import Testing

struct CTCLossTests {
  /// Three of four paths read as the label; a path has the label at each step in two of the three.
  @Test func onPaper() throws {
    let tape = Tape()
    let x = tape.variable(logSoftmax(Tensor(repeating: 0, shape: [2, 1, 2])))
    let loss = try ctcLoss(x, IntTensor([1], shape: [1, 1]), inputLengths: [2], targetLengths: [1])
    try tape.backward(loss)
    #expect(loss.shape == [])
    try expectClose(loss, [-log(0.75)])
    try expectClose(tape.gradient(of: x), [-1.0 / 3, -2.0 / 3, -1.0 / 3, -2.0 / 3])
  }

  /// Repeated labels, an item without labels, and items with fewer steps.
  private static let targets = IntTensor([1, 1, 2, 3, 2, 0, 0, 0, 0], shape: [3, 3])

  private static func loss(
    _ x: Tensor, _ reduction: LossReduction
  ) throws(ShapeError) -> Tensor {
    try ctcLoss(
      logSoftmax(x), targets, inputLengths: [6, 5, 4], targetLengths: [3, 2, 0],
      reduction: reduction)
  }

  /// With `t = torch.tensor([[1, 1, 2], [3, 2, 0], [0, 0, 0]])` and `u = torch.tensor([[0, 0, 0],
  /// [3, 1, 0]])`.
  static let results = [
    PyTorchResult(
      "lambda x: F.ctc_loss(F.log_softmax(x, -1), t, [6, 5, 4], [3, 2, 0])", [[6, 3, 4]],
      shape: [],
      [3.838831],
      [
        [
          -0.004409947, 0.09874027, -0.01396534, -0.08036499, 0.0595707, -0.01797544, -0.1034415,
          0.06184627, 0.3734908, -0.2484614, -0.09140382, -0.03362559, 0.1001382, -0.005807803,
          -0.06896101, -0.02536934, 0.05795625, -0.1242306, -0.03033358, 0.09660795, 0.2340798,
          -0.06717012, -0.02471051, -0.1421992, -0.004398696, 0.04607515, -0.03046793, -0.01120852,
          0.01053945, -0.03358502, 0.005663796, 0.01738177, 0.3189421, -0.0359509, -0.2068832,
          -0.07610807, 0.0273442, 0.01862294, 0.00143252, -0.04739966, 0.0002126566, -0.01797544,
          0.03416494, -0.01640216, 0.3968763, -0.1138852, -0.04189603, -0.241095, -0.00225237,
          -0.00236298, 0.02998469, -0.02536934, 0.03250703, -0.1242306, 0.1085363, -0.01681278, 0,
          0, 0, 0, 0.01862435, -0.08282041, 0.07540458, -0.01120852, 0, 0, 0, 0, 0, 0, 0, 0,
        ]
      ]
    ) { x throws(ShapeError) in try loss(x[0], .mean) },
    PyTorchResult(
      "lambda x: F.ctc_loss(F.log_softmax(x, -1), t, [6, 5, 4], [3, 2, 0], reduction='sum')",
      [[6, 3, 4]], shape: [],
      [17.14828],
      [
        [
          -0.03968953, 0.8886625, -0.1256881, -0.723285, 0.3574242, -0.1078527, -0.6206492,
          0.3710776, 1.120472, -0.745384, -0.2742115, -0.1008768, 0.9012434, -0.05227024,
          -0.6206491, -0.2283241, 0.3477375, -0.7453837, -0.1820015, 0.5796477, 0.7022393,
          -0.2015104, -0.07413153, -0.4265974, -0.03958827, 0.4146764, -0.2742114, -0.1008767,
          0.06323673, -0.2015102, 0.03398278, 0.1042907, 0.9568264, -0.1078527, -0.6206495,
          -0.2283242, 0.2460978, 0.1676065, 0.01289268, -0.426597, 0.001275942, -0.1078526,
          0.2049896, -0.09841293, 1.190629, -0.3416557, -0.1256881, -0.7232851, -0.02027133,
          -0.02126682, 0.2698622, -0.2283241, 0.1950422, -0.7453835, 0.6512181, -0.1008767, 0, 0,
          0, 0, 0.1676192, -0.7453837, 0.6786412, -0.1008767, 0, 0, 0, 0, 0, 0, 0, 0,
        ]
      ]
    ) { x throws(ShapeError) in try loss(x[0], .sum) },
    PyTorchResult(
      "lambda x: F.ctc_loss(F.log_softmax(x, -1), t, [6, 5, 4], [3, 2, 0], reduction='none')",
      [[6, 3, 4]], shape: [3],
      [5.11373, 4.44526, 7.589287],
      [
        [
          -0.03968953, 0.8886625, -0.1256881, -0.723285, 0.1429697, -0.04314106, -0.2482597,
          0.148431, -0.2240945, 0.1490768, 0.05484229, 0.02017535, 0.9012434, -0.05227024,
          -0.6206491, -0.2283241, 0.139095, -0.2981535, -0.07280059, 0.2318591, -0.1404479,
          0.04030208, 0.01482631, 0.08531949, -0.03958827, 0.4146764, -0.2742114, -0.1008767,
          0.02529469, -0.08060406, 0.01359311, 0.04171626, -0.1913653, 0.02157054, 0.1241299,
          0.04566484, 0.2460978, 0.1676065, 0.01289268, -0.426597, 0.0005103769, -0.04314105,
          0.08199584, -0.03936517, -0.2381258, 0.06833114, 0.02513762, 0.144657, -0.02027133,
          -0.02126682, 0.2698622, -0.2283241, 0.07801687, -0.2981534, 0.2604872, -0.04035068, 0, 0,
          0, 0, 0.1676192, -0.7453837, 0.6786412, -0.1008767, 0, 0, 0, 0, 0, 0, 0, 0,
        ]
      ]
    ) { x throws(ShapeError) in try loss(x[0], .none) },
    // The first item has four steps for three equal labels.
    PyTorchResult(
      "lambda x: F.ctc_loss(F.log_softmax(x, -1), u, [4, 3], [3, 2], blank=2, zero_infinity=True)",
      [[4, 2, 4]], shape: [],
      [0.8169171],
      [
        [
          0, 0, 0, 0, -0.07329345, -0.02696315, -0.03522746, 0.1354841, 0, 0, 0, 0, -0.07329348,
          0.00154556, -0.03522745, 0.1069754, 0, 0, 0, 0, -0.1369403, 0.2544553, -0.01086568,
          -0.1066492, 0, 0, 0, 0, 0, 0, 0, 0,
        ]
      ]
    ) { x throws(ShapeError) in
      try ctcLoss(
        logSoftmax(x[0]), IntTensor([0, 0, 0, 3, 1, 0], shape: [2, 3]), inputLengths: [4, 3],
        targetLengths: [3, 2], blank: 2, zeroInfinity: true)
    },
  ]

  @Test(arguments: results)
  func agreesWithPyTorch(_ result: PyTorchResult) throws {
    try result.check()
  }

  /// PyTorch: an infinite loss; its gradient is NaN by the item's steps and 0 by the steps after.
  @Test func tooFewSteps() throws {
    let tape = Tape()
    let x = tape.variable(logSoftmax(pattern([3, 1, 3])))
    let loss = try ctcLoss(
      x, IntTensor([1, 1], shape: [1, 2]), inputLengths: [2], targetLengths: [2])
    try tape.backward(loss)
    #expect(loss.item == .infinity)
    let gradient = try #require(tape.gradient(of: x)).elements
    #expect(gradient.prefix(6).allSatisfy(\.isNaN) && gradient.suffix(3).allSatisfy { $0 == 0 })
    let other = try ctcLoss(
      x, IntTensor([1, 1], shape: [1, 2]), inputLengths: [2], targetLengths: [2],
      zeroInfinity: true)
    #expect(other.item == 0)
  }

  /// Steps, items, classes and labels.
  static let sizes = [(1, 1, 2, 1), (4, 2, 3, 2), (6, 3, 5, 3), (9, 2, 20, 4)]

  /// Of numbers that need not be logarithms of probabilities.
  @Test(arguments: sizes, LossReduction.allCases)
  func gradientsAreTheDifferences(
    size: (Int, Int, Int, Int), reduction: LossReduction
  ) throws {
    let (steps, items, classes, labels) = size
    let targets = IntTensor(
      (0..<items * labels).map { 1 + $0 / 2 % (classes - 1) }, shape: [items, labels])
    try checkGradients(of: [pattern([steps, items, classes])]) { x throws(ShapeError) in
      try ctcLoss(
        x[0], targets, inputLengths: (0..<items).map { steps - $0 },
        targetLengths: (0..<items).map { labels - $0 }, reduction: reduction)
    }
  }

  /// All sequences of up to four labels of two kinds, against all paths of as many steps as there
  /// are.
  @Test(arguments: 1...7)
  func isTheSumOverAllPaths(steps: Int) throws {
    var sequences: [[Int]] = [[]]
    for length in 1...4 {
      sequences += sequences.filter { $0.count == length - 1 }.flatMap { [$0 + [0], $0 + [2]] }
    }
    let padded = sequences.flatMap { $0 + [Int](repeating: -1, count: 4 - $0.count) }
    let x = logSoftmax(
      Tensor(
        Generator(seed: 3).normal(count: steps * sequences.count * 3, std: 2),
        shape: [steps, sequences.count, 3]))
    let expected = try gradients(
      of: [x.to(ReferenceBackend.device)],
      { x throws(ShapeError) in
        try loss(x[0])
      })
    let found = try gradients(of: [x], { x throws(ShapeError) in try loss(x[0]) })
    try expectClose(found.y, expected.y.elements)
    try expectClose(found.gradients[0], try #require(expected.gradients[0]).elements)
    let possible = found.y.elements.filter { $0 > 0 }.count
    #expect(possible == [3, 5, 9, 15, 23, 29, 31][steps - 1])

    func loss(_ x: Tensor) throws(ShapeError) -> Tensor {
      try ctcLoss(
        x, IntTensor(padded, shape: [sequences.count, 4]),
        inputLengths: sequences.map { _ in steps }, targetLengths: sequences.map(\.count),
        blank: 1, zeroInfinity: true, reduction: .none)
    }
  }

  @Test func errorsSayWhatToDo() {
    func expect(
      _ text: String, _ shape: [Int] = [4, 2, 5], targets: IntTensor? = nil,
      inputs: [Int] = [4, 4], lengths: [Int] = [3, 2], blank: Int = 0
    ) {
      let targets = targets ?? IntTensor([1, 2, 3, 4, 1, 0], shape: [2, 3])
      expectShapeError(text) { () throws(ShapeError) in
        try ctcLoss(
          Tensor(repeating: 0, shape: shape), targets, inputLengths: inputs,
          targetLengths: lengths, blank: blank)
      }
    }
    expect(
      "ctcLoss: expected log probabilities of shape [steps, items, classes], got [4, 5]; a single "
        + "sequence is a batch of one: [steps, 1, classes]", [4, 5])
    expect(
      "ctcLoss: expected log probabilities of shape [steps, items, classes], got [4, 2, 0]",
      [4, 2, 0])
    expect(
      "ctcLoss: expected targets of shape [4, labels] for log probabilities of shape [2, 4, 5], "
        + "got [2, 3]; the log probabilities have the steps first: permute(x, order: [1, 0, 2])",
      [2, 4, 5])
    expect(
      "ctcLoss: expected targets of shape [2, labels] for log probabilities of shape [4, 2, 5], "
        + "got [2]", targets: IntTensor([1, 2]))
    expect("ctcLoss: expected 2 inputLengths, one for each item, got 1", inputs: [4])
    expect(
      "ctcLoss: expected inputLengths in 0...4, the steps of the log probabilities, got 5",
      inputs: [4, 5])
    expect("ctcLoss: expected 2 targetLengths, one for each item, got 3", lengths: [1, 1, 1])
    expect(
      "ctcLoss: expected targetLengths in 0...3, the labels of the targets, got -1",
      lengths: [3, -1])
    expect(
      "ctcLoss: expected targetLengths in 0...3, the labels of the targets, got 4",
      lengths: [4, 3])
    expect(
      "ctcLoss: expected a blank in 0..<5, the classes of the log probabilities, got 5", blank: 5)
    expect(
      "ctcLoss: expected labels in 0..<5, the classes of the log probabilities, other than the "
        + "blank 0, got 0 in item 1; the blank stands for no label: leave it out of the targets",
      lengths: [3, 3])
    expect(
      "ctcLoss: expected labels in 0..<5, the classes of the log probabilities, other than the "
        + "blank 0, got 5 in item 0; the last layer's size is the number of classes, with the "
        + "blank", targets: IntTensor([1, 2, 5, 4, 1, 0], shape: [2, 3]))
  }
}
