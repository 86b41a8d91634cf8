import Kernels
import Lab
import LabTensors
import Testing

@Suite(.needsOpenCL) struct CTCTests {
  /// Expects the losses and their gradients of the processor.
  private func check(
    _ x: Tensor, _ batch: CTCBatch, tolerance: Float = 1e-5,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let device = try #require(OpenCL.device)
    for wantsGradient in [true, false] {
      let expected = Device.cpu.backend.ctcLoss(x, batch, wantsGradient: wantsGradient)
      let found = device.backend.ctcLoss(x.to(device), batch, wantsGradient: wantsGradient)
      expectClose(found.losses.to(.cpu), expected.losses, tolerance, "losses", sourceLocation)
      #expect((found.gradients != nil) == wantsGradient)
      guard let gradients = expected.gradients else { continue }
      expectClose(
        try #require(found.gradients).to(.cpu), gradients, tolerance, "gradients", sourceLocation)
    }
    try device.check()
  }

  private func probabilities(_ shape: [Int]) -> Tensor {
    logSoftmax(Tensor(numbers(shape).elements.map { 3 * $0 }, shape: shape))
  }

  /// Steps, items, classes and labels.
  static let sizes = [
    (1, 1, 2, 1), (4, 2, 3, 2), (6, 3, 5, 3), (9, 2, 20, 4), (40, 5, 83, 12), (3, 2, 4, 0),
  ]

  @Test(arguments: sizes, [false, true])
  func isThatOfTheProcessor(size: (Int, Int, Int, Int), zeroInfinity: Bool) throws {
    let (steps, items, classes, labels) = size
    // Classes that repeat, and items that have too few steps for their labels.
    let batch = CTCBatch(
      steps: steps, classes: classes, blank: 0,
      targets: (0..<items * labels).map { 1 + $0 / 2 % (classes - 1) }, labels: labels,
      inputLengths: (0..<items).map { max(0, steps - $0) },
      targetLengths: (0..<items).map { max(0, labels - $0) }, zeroInfinity: zeroInfinity)
    try check(probabilities([steps, items, classes]), batch)
    // Numbers that need not be logarithms of probabilities.
    try check(numbers([steps, items, classes]), batch)
  }

  /// An impossible item, one without labels, one without steps, one without both, unused labels
  /// that are no classes, and a blank in the middle.
  @Test(arguments: [false, true])
  func impossibleItems(zeroInfinity: Bool) throws {
    let batch = CTCBatch(
      steps: 4, classes: 4, blank: 2, targets: [0, 0, 0, 3, -1, 9, 1, 3, 0, -1, -1, -1, 1, 1, -1],
      labels: 3, inputLengths: [4, 4, 0, 0, 4], targetLengths: [3, 0, 3, 0, 2],
      zeroInfinity: zeroInfinity)
    try check(probabilities([4, 5, 4]), batch)
  }

  @Test(arguments: [Float.nan, -.infinity])
  func hostileNumbers(value: Float) throws {
    for place in 0..<8 {
      var values = probabilities([4, 2, 3]).elements
      values[3 * place] = value
      values[3 * place + 1] = value
      let batch = CTCBatch(
        steps: 4, classes: 3, blank: 0, targets: [1, 2, 2, 1], labels: 2, inputLengths: [4, 3],
        targetLengths: [2, 2], zeroInfinity: false)
      try check(Tensor(values, shape: [4, 2, 3]), batch)
    }
  }

  /// Thousands of steps, and rows of states that do not fit into a group's memory.
  @Test(arguments: [(1500, 2, 11, 60), (650, 2, 7, 540)])
  func longSequences(size: (Int, Int, Int, Int)) throws {
    let (steps, items, classes, labels) = size
    let batch = CTCBatch(
      steps: steps, classes: classes, blank: 0,
      targets: (0..<items * labels).map { 1 + $0 * 7 % (classes - 1) }, labels: labels,
      inputLengths: (0..<items).map { steps - 5 * $0 },
      targetLengths: (0..<items).map { labels - 40 * $0 }, zeroInfinity: false)
    try check(probabilities([steps, items, classes]), batch, tolerance: 1e-4)
  }

  /// One item at a time, and some at a time.
  @Test(arguments: [1, 30_000])
  func moreItemsThanAreComputedTogether(memory: Int) throws {
    let device = try #require(OpenCL.device)
    let backend = try #require(device.backend as? OpenCLBackend)
    let batch = CTCBatch(
      steps: 30, classes: 20, blank: 0, targets: (0..<70).map { 1 + $0 % 7 }, labels: 10,
      inputLengths: [30, 29, 28, 27, 26, 9, 30], targetLengths: [10, 9, 8, 7, 10, 10, 0],
      zeroInfinity: false)
    let x = probabilities([30, 7, 20]).to(device)
    let expected = backend.ctcLoss(x, batch, wantsGradient: true)
    let found = backend.ctcLoss(x, batch, wantsGradient: true, memory: memory)
    expectClose(found.losses, expected.losses, 0, "losses")
    expectClose(
      try #require(found.gradients), try #require(expected.gradients), 0, "gradients")
  }

  @Test func theSameInEveryRun() throws {
    let device = try #require(OpenCL.device)
    let x = probabilities([30, 4, 20]).to(device)
    let batch = CTCBatch(
      steps: 30, classes: 20, blank: 0, targets: (0..<40).map { 1 + $0 % 7 }, labels: 10,
      inputLengths: [30, 30, 30, 30], targetLengths: [10, 9, 8, 7], zeroInfinity: false)
    let results = (0..<2).map { _ in device.backend.ctcLoss(x, batch, wantsGradient: true) }
    #expect(results[0].losses == results[1].losses)
    #expect(try #require(results[0].gradients) == #require(results[1].gradients))
  }
}
