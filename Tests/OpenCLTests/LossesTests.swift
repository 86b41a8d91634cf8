import Lab
import LabTensors
import Testing

@Suite(.needsOpenCL) struct LossesTests {
  static let sizes = [
    [1, 1], [2, 3], [5, 83], [3, 4], [4, 17], [300, 10], [3, 1000], [129, 47], [1000, 2],
  ]

  private func labels(_ shape: [Int]) -> IntTensor {
    IntTensor((0..<shape[0]).map { $0 * 5 % shape[1] })
  }

  @Test(arguments: sizes + [[7], [2, 3, 5], [0, 3], [3, 0], []])
  func softmaxIsThatOfTheProcessor(shape: [Int]) throws {
    try expectSame([numbers(shape)]) { softmax($0[0]) }
    try expectSame([numbers(shape)]) { logSoftmax($0[0]) }
  }

  @Test(arguments: sizes)
  func lossesOfLabelsAreThoseOfTheProcessor(shape: [Int]) throws {
    let (x, labels) = (numbers(shape), labels(shape))
    try expectSame([x]) { try crossEntropy($0[0], labels) }
    // With a single class the gradient is 0 but for rounding.
    if shape[1] > 1 {
      try expectSame([x]) { try crossEntropy($0[0], labels, labelSmoothing: 0.1) }
    }
    try expectSame([x]) { try crossEntropy($0[0], labels, labelSmoothing: 1) }
    try expectSame([x]) { try nllLoss($0[0], labels) }
    try expectSame([x]) { try multiMarginLoss($0[0], labels) }
  }

  @Test(arguments: sizes + [[7], [2, 3, 5], [70_001]])
  func lossesOfTargetsAreThoseOfTheProcessor(shape: [Int]) throws {
    let (x, target) = (numbers(shape), numbers(shape, seed: 2))
    for scale in [1, 4, 100] as [Float] {
      let scaled = Tensor(x.elements.map { scale * $0 }, shape: shape)
      try expectSame([scaled]) {
        try mseLoss($0[0], numbers(shape, seed: 2).to($0[0].device))
      }
      try expectSame([scaled, target]) { try binaryCrossEntropyWithLogits($0[0], $0[1]) }
    }
  }

  /// Places in a row of three that decide, or do not.
  @Test(arguments: [0, 1, 2], [Float.nan, .infinity, -.infinity, 1e30, -1e30])
  func hostileNumbersAreTreatedAlike(place: Int, value: Float) throws {
    var values: [Float] = [2, 1.5, -3, 0.5, 0.25, 1]
    values[place] = value
    let (x, labels) = (Tensor(values, shape: [2, 3]), IntTensor([0, 2]))
    try expectSame([x]) { softmax($0[0]) }
    try expectSame([x]) { logSoftmax($0[0]) }
    try expectSame([x]) { try crossEntropy($0[0], labels) }
    try expectSame([x]) { try nllLoss($0[0], labels) }
    try expectSame([x]) { try multiMarginLoss($0[0], labels) }
    let target = numbers([2, 3], seed: 2)
    try expectSame([x, target]) { try binaryCrossEntropyWithLogits($0[0], $0[1]) }
  }

  @Test func largeLogitsDoNotOverflow() throws {
    let device = try #require(OpenCL.device)
    let loss = try crossEntropy(Tensor([1000, 0], shape: [1, 2]).to(device), IntTensor([1]))
    #expect(loss.item == 1000)
  }

  /// The loss counts the correct rows as well: as the processor does, also where elements are equal or
  /// not finite, and for these labels alone.
  @Test(arguments: [Float.nan, .infinity, -.infinity, 3])
  func theLossCountsCorrectRows(value: Float) throws {
    let device = try #require(OpenCL.device)
    for shape in Self.sizes {
      var values = numbers(shape).elements
      for index in stride(from: 0, to: values.count, by: 5) { values[index] = value }
      let x = Tensor(values, shape: shape)
      let onDevice = x.to(device)
      let likeliest = IntTensor(argmax(x).elements)
      for labels in [labels(shape), likeliest, labels(shape)] {
        _ = try crossEntropy(onDevice, labels)
        #expect(countCorrect(onDevice, labels).to(.cpu) == countCorrect(x, labels))
        #expect(countCorrect(onDevice, likeliest).to(.cpu) == countCorrect(x, likeliest))
      }
    }
  }

  /// The gradient is computed with the loss, as if that of the loss were 1.
  @Test func theGradientOfALossCanBeAnyNumber() throws {
    let (x, labels) = (numbers([5, 7]), labels([5, 7]))
    try expectSame([x, Tensor([-3], shape: [])]) {
      try crossEntropy($0[0], labels) * $0[1]
    }
    try expectSame([x]) { try crossEntropy($0[0], labels) + nllLoss($0[0], labels) }
  }

  /// Labels stay on the device while they are the same, and no longer.
  @Test func otherLabelsAreNoticed() throws {
    let device = try #require(OpenCL.device)
    let x = Tensor([-1, -2, -3, -4], shape: [2, 2]).to(device)
    let cases: [([Int], Float)] = [([0, 0], 2), ([0, 1], 2.5), ([0, 1], 2.5), ([1, 1], 3)]
    for (labels, loss) in cases {
      #expect(try nllLoss(x, IntTensor(labels)).item == loss)
    }
  }

  @Test func theSameInEveryRun() throws {
    let device = try #require(OpenCL.device)
    let (x, labels) = (numbers([999, 47]).to(device), labels([999, 47]))
    #expect(try crossEntropy(x, labels) == crossEntropy(x, labels))
    let target = numbers([999, 47], seed: 2).to(device)
    #expect(try mseLoss(x, target) == mseLoss(x, target))
  }
}
