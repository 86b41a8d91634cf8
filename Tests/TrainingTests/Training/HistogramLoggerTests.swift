import Foundation
import Lab
import TestSupport
import Testing

/// TensorBoard's own reader reads histograms in `make parity`.
struct HistogramLoggerTests {
  @Test func numbersAreCountedInIntervalsThatIncludeTheirUpperEnds() throws {
    let numbers: [Float] = [0, 1, 1.5, 2, 4, .nan, -.infinity, 0.25]
    let histogram = try #require(Histogram(of: numbers, intervals: 4))
    #expect(histogram.limits == [1, 2, 3, 4])
    #expect(histogram.counts == [3, 2, 0, 1])
    #expect((histogram.min, histogram.max) == (0, 4))
    #expect((histogram.count, histogram.sum, histogram.sumOfSquares) == (6, 8.75, 23.3125))
    let equal = try #require(Histogram(of: [-2, -2]))
    #expect(equal.limits == [-2] && equal.counts == [2] && equal.min == -2)
    #expect(Histogram(of: []) == nil && Histogram(of: [.nan, .infinity]) == nil)
  }

  /// Widths that are not exact, and numbers at both ends of what a float can hold.
  @Test(arguments: [
    (0..<1000).map { Float($0) * 0.1 - 37.7 },
    [-.greatestFiniteMagnitude, 0, .greatestFiniteMagnitude], [0, .leastNonzeroMagnitude],
    [1, Float(1).nextUp],
  ])
  func everyNumberIsInTheIntervalOfItsSize(numbers: [Float]) throws {
    let histogram = try #require(Histogram(of: numbers))
    #expect(histogram.limits.count == 64 && histogram.limits.last == histogram.max)
    let sums = histogram.limits.map { limit in numbers.count { Double($0) <= limit } }
    var sum = 0
    #expect(
      histogram.counts.map {
        sum += $0
        return sum
      } == sums)
  }

  /// The message `HistogramProto`, byte for byte.
  @Test func aHistogramIsWrittenAsItsMessage() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "events")
    let histogram = try #require(Histogram(of: [1, 2, 5], intervals: 2))
    try EventFile(url).write([("weights/fc1.bias", histogram)], step: 7)
    let values = try histograms(in: url)
    let value = try #require(values.first)
    #expect(values.count == 1 && value.step == 7 && value.name == "weights/fc1.bias")
    func bytes(_ numbers: [Double]) -> [UInt8] {
      numbers.flatMap { number in
        (0..<8).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt64($0))) }
      }
    }
    var expected: [UInt8] = []
    // min, max, num, sum, sum_squares.
    for (field, number) in [1.0, 5, 3, 8, 30].enumerated() {
      expected += [UInt8((field + 1) << 3 | 1)] + bytes([number])
    }
    // bucket_limit and bucket, packed.
    expected += [0x32, 16] + bytes([3, 5]) + [0x3a, 16] + bytes([2, 1])
    #expect(value.message == expected)
  }

  /// After every step of two epochs of five steps, and in their validation.
  @Test func aRunThatStopsAfterEachStepHasTheSameHistograms() throws {
    let (whole, broken) = (try TemporaryFolder(), try TemporaryFolder())
    let names = try train(in: whole.url) { false }
    var stops = 0
    while true {
      var asked = 0
      do {
        try train(in: broken.url) {
          asked += 1
          return asked == 1 && stops < 14
        }
        break
      } catch is TrainingInterruption {
        stops += 1
      }
    }
    #expect(stops >= 10)
    let expected = try histograms(in: events(in: whole.url))
    #expect(
      expected.map(\.name)
        == (1...2).flatMap { _ in
          ["weights", "gradients"].flatMap { part in names.map { "\(part)/\($0)" } }
        })
    #expect(Set(expected.map(\.step)) == [5, 10])
    // Weights change, and so do gradients.
    #expect(Set(expected.map(\.message)).count == expected.count)
    let resumed = try histograms(in: events(in: broken.url))
    #expect(resumed.map(\.name) == expected.map(\.name))
    #expect(resumed.map(\.step) == expected.map(\.step))
    #expect(resumed.map(\.message) == expected.map(\.message))
  }

  /// Trains like a program that was just started.
  ///
  /// - Returns: The names of the parameters.
  @discardableResult
  private func train(
    in folder: URL, interruptedWhen isInterrupted: @escaping () -> Bool
  ) throws -> [String] {
    try withTinyData { data in
      let run = try TrainingRun(folder)
      let trainer = quietTrainer(maxEpochs: 2)
      trainer.run = run
      trainer.checkpointEverySteps = 3
      trainer.isInterrupted = isInterrupted
      trainer.observers = [HistogramLogger(run)]
      return try seeded(42) {
        var options = MLP.Options.defaults
        (options.fc1, options.fc2) = (8, 6)
        let model = MLP(data.config, options)
        try trainer.fit(model, data, optimizer: Adam(model.parameters))
        return model.namedParameters.map(\.path)
      }
    }
  }

  private func events(in folder: URL) -> URL { folder.appending(path: "events.out.tfevents.lab") }

  /// The histograms of an event file: a summary's values with the field `histo`.
  private func histograms(in url: URL) throws -> [(step: Int, name: String, message: [UInt8])] {
    var rest = Array(try Data(contentsOf: url))[...]
    var found: [(step: Int, name: String, message: [UInt8])] = []
    while rest.count > 12 {
      let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      let event = fields(rest.dropFirst(12).prefix(length))
      rest = rest.dropFirst(length + 16)
      let step = event.first { $0.field == 2 }?.number ?? 0
      for summary in event where summary.field == 5 {
        for value in fields(summary.bytes) where value.field == 1 {
          let parts = fields(value.bytes)
          guard let message = parts.first(where: { $0.field == 5 }),
            let name = parts.first(where: { $0.field == 1 })
          else { continue }
          found.append((step, String(decoding: name.bytes, as: UTF8.self), Array(message.bytes)))
        }
      }
    }
    return found
  }

  /// The fields of a message in the encoding of protocol buffers.
  private func fields(
    _ bytes: ArraySlice<UInt8>
  ) -> [(field: Int, number: Int, bytes: ArraySlice<UInt8>)] {
    var rest = bytes
    func varint() -> Int {
      var (number, shift) = (0, 0)
      while let byte = rest.popFirst() {
        number |= Int(byte & 0x7f) << shift
        shift += 7
        if byte < 0x80 { break }
      }
      return number
    }
    var found: [(field: Int, number: Int, bytes: ArraySlice<UInt8>)] = []
    while !rest.isEmpty {
      let key = varint()
      switch key & 7 {
      case 0: found.append((key >> 3, varint(), []))
      case 1:
        found.append((key >> 3, 0, rest.prefix(8)))
        rest = rest.dropFirst(8)
      case 2:
        let count = varint()
        found.append((key >> 3, 0, rest.prefix(count)))
        rest = rest.dropFirst(count)
      default:
        found.append((key >> 3, 0, rest.prefix(4)))
        rest = rest.dropFirst(4)
      }
    }
    return found
  }
}
