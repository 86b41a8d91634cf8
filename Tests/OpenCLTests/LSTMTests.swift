import Lab
import LabTensors
import Testing

@Suite(.needsOpenCL) struct LSTMTests {
  /// Steps, items, inputs and units.
  static let sizes = [
    (1, 1, 1, 1), (4, 33, 5, 17), (3, 2, 7, 129),
  ]

  private func inputs(_ size: (Int, Int, Int, Int), directions: Int) -> [Tensor] {
    let (steps, items, inputs, units) = size
    let weights = (0..<directions).flatMap { direction in
      [[4 * units, inputs], [4 * units, units], [4 * units], [4 * units]].enumerated().map {
        numbers($0.element, seed: UInt64(10 * direction + $0.offset + 2))
      }
    }
    return [numbers([steps, items, inputs])] + weights
  }

  private static func run(_ x: [Tensor], isReversed: [Bool]) throws -> Tensor {
    try lstm(
      x[0],
      isReversed.enumerated().map { index, isReversed in
        LSTMDirection(
          weightIH: x[1 + 4 * index], weightHH: x[2 + 4 * index], biasIH: x[3 + 4 * index],
          biasHH: x[4 + 4 * index], isReversed: isReversed)
      })
  }

  @Test(arguments: sizes, [[false], [true], [false, true], [true, false, true]])
  func isThatOfTheProcessor(size: (Int, Int, Int, Int), isReversed: [Bool]) throws {
    try expectSame(inputs(size, directions: isReversed.count), tolerance: 2e-5) {
      try Self.run($0, isReversed: isReversed)
    }
  }

  @Test(arguments: [(0, 2, 3, 2), (2, 0, 3, 2)])
  func noItemsOrStepsGiveNone(size: (Int, Int, Int, Int)) throws {
    try expectSame(inputs(size, directions: 2)) { try Self.run($0, isReversed: [false, true]) }
  }

  @Test func withoutATapeTheResultIsTheSame() throws {
    let device = try #require(OpenCL.device)
    let x = inputs((4, 3, 5, 17), directions: 2)
    let isReversed = [false, true]
    let expected = try Self.run(x, isReversed: isReversed)
    let first = try Self.run(x.map { $0.to(device) }, isReversed: isReversed)
    expectClose(first.to(.cpu), expected, 1e-5, "the result")
    let second = try Self.run(x.map { $0.to(device) }, isReversed: isReversed)
    #expect(first.elements == second.elements)
  }

  @Test func notANumberStaysInItsItem() throws {
    var x = inputs((3, 2, 5, 17), directions: 1)
    var values = x[0].elements
    values[5] = .nan
    x[0] = Tensor(values, shape: x[0].shape)
    let inputs = x
    try expectSame(inputs) { try Self.run($0, isReversed: [false]) }
  }
}
