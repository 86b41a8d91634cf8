import Lab
import LabTensors
import Testing

@Suite(.needsOpenCL) struct NormalizationTests {
  /// One channel, odd numbers, one pixel, and more pixels than a part has.
  static let shapes = [
    [2, 3, 2, 2], [3, 1, 2, 1], [5, 4, 1, 1], [1, 17, 3, 2], [4, 16, 3, 3], [2, 5, 2, 3],
    [7, 1, 31, 29], [3, 65, 7, 5], [5, 130, 13, 11], [2, 3, 97, 101],
  ]

  private static func normalize(
    _ x: [Tensor], rectifies: Bool, shift: Float = 0
  ) throws -> (y: Tensor, running: RunningStatistics) {
    let running = RunningStatistics(channels: x[0].shape[1])
    running.move(to: x[0].device)
    let y = try batchNorm2d(x[0], weight: x[1], bias: x[2], running: running, epsilon: 0.01)
    return (rectifies ? relu(y) : y, running)
  }

  private func inputs(_ shape: [Int], mean: Float = 0) -> [Tensor] {
    [
      Tensor(numbers(shape).elements.map { $0 + mean }, shape: shape),
      numbers([shape[1]], seed: 2), numbers([shape[1]], seed: 3),
    ]
  }

  @Test(arguments: shapes, [false, true])
  func batchNormIsThatOfTheProcessor(shape: [Int], rectifies: Bool) throws {
    try expectSame(inputs(shape)) { try Self.normalize($0, rectifies: rectifies).y }
  }

  /// The gradient of a part of a batch, from sums over the whole batch.
  @Test(arguments: shapes, [false, true])
  func theGradientOfAPartIsThatOfTheProcessor(shape: [Int], rectifies: Bool) throws {
    let device = try #require(OpenCL.device)
    let channels = [shape[1]]
    func gradient(_ device: Device) -> Tensor {
      let x = numbers(shape).to(device)
      let parameters = BatchNormParameters(
        mean: numbers(channels, seed: 4).to(device),
        variance: Tensor(numbers(channels, seed: 5).elements.map { 0.5 + $0 * $0 }).to(device),
        weight: numbers(channels, seed: 2).to(device), bias: numbers(channels, seed: 3).to(device),
        epsilon: 0.01)
      return device.backend.batchNormInputGradient(
        x, parameters, rectifies ? .relu : .none, dy: numbers(shape, seed: 6).to(device),
        dWeight: numbers(channels, seed: 7).to(device),
        dBias: numbers(channels, seed: 8).to(device), pixels: 50
      ).to(.cpu)
    }
    expectClose(gradient(device), gradient(.cpu), 1e-5, "gradient")
  }

  @Test(arguments: shapes)
  func runningStatisticsAreThose(shape: [Int]) throws {
    let device = try #require(OpenCL.device)
    func statistics(_ device: Device) throws -> [Tensor] {
      let tape = Tape()
      let x = inputs(shape, mean: 3).map { tape.variable($0.to(device)) }
      let running = try Self.normalize(x, rectifies: false).running
      return [running.mean.to(.cpu), running.variance.to(.cpu)]
    }
    for (a, b) in zip(try statistics(device), try statistics(.cpu)) {
      expectClose(a, b, 1e-6, "statistics")
    }
  }

  @Test func theVarianceIsRightFarFromZero() throws {
    let device = try #require(OpenCL.device)
    let shape = [5, 3, 61, 67]
    let values = inputs(shape, mean: 1000)[0].elements
    let x = Tensor(values, shape: shape).to(device)
    let statistics = Self.statistics(x)
    let (mean, variance) = (statistics.batch.mean, statistics.batch.variance)
    let pixels = shape[2] * shape[3]
    for c in 0..<3 {
      let channel = values.indices.filter { $0 / pixels % 3 == c }.map { Double(values[$0]) }
      let expected = channel.reduce(0, +) / Double(channel.count)
      let squares = channel.reduce(0) { $0 + ($1 - expected) * ($1 - expected) }
      #expect(abs(Double(mean.elements[c]) - expected) < 1e-4)
      let error = Double(variance.elements[c]) * Double(channel.count) / squares - 1
      #expect(abs(error) < 1e-5)
    }
  }

  private static func evaluate(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) throws -> Tensor {
    let running = RunningStatistics(channels: 5)
    try running.load(
      mean: numbers([5], seed: 4), variance: Tensor([0.5, 1, 2, 3, 4]), batches: 1)
    running.move(to: x.device)
    return relu(try batchNorm2d(x, weight: weight, bias: bias, running: running))
  }

  /// Without a tape for x; only weight and bias learn.
  @Test(arguments: [[3, 5, 4, 3], [0, 5, 2, 2]])
  func inEvaluationStatisticsAreGiven(shape: [Int]) throws {
    try expectSame([numbers([5], seed: 2), numbers([5], seed: 3)]) {
      try Self.evaluate(numbers(shape).to($0[0].device), $0[0], $0[1])
    }
  }

  @Test func notANumberStays() throws {
    var values = numbers([2, 3, 4, 5]).elements
    values[0] = .nan
    let x = Tensor(values, shape: [2, 3, 4, 5])
    try expectSame([x, Tensor([1, 2, 3]), Tensor([0, 1, 2])]) {
      try Self.normalize($0, rectifies: true).y
    }
  }

  @Test func theSameInEveryRun() throws {
    let device = try #require(OpenCL.device)
    let x = inputs([5, 33, 37, 41])[0].to(device)
    let (first, second) = (Self.statistics(x), Self.statistics(x))
    for (a, b) in [(first.batch, second.batch), (first.running, second.running)] {
      #expect(a.mean == b.mean && a.variance == b.variance)
    }
  }

  /// The statistics of images, and running ones that began with mean 0 and variance 1.
  private static func statistics(
    _ x: Tensor
  ) -> (batch: ChannelStatistics, running: ChannelStatistics) {
    let former = ChannelStatistics(
      mean: Tensor(repeating: 0, shape: [x.shape[1]]).to(x.device),
      variance: Tensor(repeating: 1, shape: [x.shape[1]]).to(x.device))
    return x.device.backend.batchNormStatistics(x, running: former, momentum: 0.1)
  }

  // MARK: Layer normalization

  @Test(arguments: [
    ([2, 3], [3]), ([2, 3, 4], [3, 4]), ([3, 4], [3, 4]), ([1, 17], [17]), ([5, 1], [1]),
    ([300, 5], [5]), ([3, 300], [300]), ([70, 129], [129]), ([0, 4], [4]),
  ])
  func layerNormIsThatOfTheProcessor(shape: [Int], normalizedShape: [Int]) throws {
    let inputs = [
      numbers(shape), numbers(normalizedShape, seed: 2), numbers(normalizedShape, seed: 3),
    ]
    try expectSame(inputs) {
      try layerNorm($0[0], normalizedShape: normalizedShape, weight: $0[1], bias: $0[2])
    }
    try expectSame([inputs[0]]) {
      try layerNorm($0[0], normalizedShape: normalizedShape, epsilon: 0.1)
    }
  }

  @Test func layerNormIsRightFarFromZero() throws {
    let x = Tensor(numbers([3, 500]).elements.map { $0 + 1000 }, shape: [3, 500])
    try expectSame([x], tolerance: 1e-4) { try layerNorm($0[0], normalizedShape: [500]) }
  }

  @Test func layerNormKeepsNotANumber() throws {
    var values = numbers([3, 7]).elements
    (values[3], values[9]) = (.nan, .infinity)
    try expectSame([Tensor(values, shape: [3, 7])]) {
      try layerNorm($0[0], normalizedShape: [7])
    }
  }
}
