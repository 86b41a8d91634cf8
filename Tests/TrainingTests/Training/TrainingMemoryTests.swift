import Foundation
import Lab
import TestSupport
import Testing

/// The largest batch size that fits into memory.
struct TrainingMemoryTests {
  @Test(arguments: [
    (1000, 10, 5000, 400, 256), (1000, 10, 300, 300, 256), (1000, 10, 256, 256, 256),
    (1000, 10, 255, 255, 128), (1000, 10, 1, 1, 1), (1000, 4000, 300, 1, 1), (0, 0, 9, 9, 8),
  ])
  func theLargestSizeFits(fixed: Int, each: Int, most: Int, any: Int, power: Int) {
    let memory = TrainingMemory(fixed: fixed, perExample: each)
    #expect(memory.largestBatchSize(.binary, upTo: most, in: 5000) == any)
    #expect(memory.largestBatchSize(.powers, upTo: most, in: 5000) == power)
    #expect(memory.bytes(batchSize: any) <= 5000)
    #expect(any == most || memory.bytes(batchSize: any + 1) > 5000)
  }

  @Test func noSizeFitsTooLittleMemory() {
    let memory = TrainingMemory(fixed: 1000, perExample: 4001)
    #expect(memory.largestBatchSize(.powers, upTo: 9, in: 5000) == nil)
    #expect(memory.largestBatchSize(.binary, upTo: 0, in: .max) == nil)
    #expect(memory.bytes(batchSize: .max / 2) == .max)
  }

  /// What is measured with up to 32 images foretells the need of 64.
  @Test(arguments: ["MLP", "CNN", "ResNet"])
  func theNeedOfLargeBatchesIsForetold(name: String) throws {
    try withTinyData { data in
      let model: any Model =
        switch name {
        case "MLP": MLP(data.config)
        case "CNN": CNN(data.config)
        default: ResNet(data.config)
        }
      try check(model, data)
    }
  }

  private func check(_ model: some Model, _ data: TinyData) throws {
    let need = try seeded(3) {
      let generator = Generator.shared.state
      let need = try Trainer().measureMemory(
        model, data, objective: Classification(.crossEntropy), upTo: 32
      ) {
        Adam(model.parameters)
      }
      #expect(Generator.shared.state == generator)
      return need
    }
    // At least Adam's two moments, and the images.
    #expect(need.fixed >= 2 * 4 * model.parameterCount)
    #expect(need.perExample >= 4 * 64)
    let peak = try MemoryMeter.peak {
      let optimizer = Adam(model.parameters)
      var batches = Batches(data.train, batchSize: 64, workers: 0).prefix(1).makeIterator()
      let next = batches.next()
      let batch = try #require(next)
      let tape = Tape()
      try tape.backward(crossEntropy(model(tape.input(batch.x)), batch.y))
      optimizer.step()
      optimizer.clearGradients()
    }
    let foretold = need.bytes(batchSize: 64)
    #expect(abs(foretold - peak) < peak / 5, "\(foretold), \(peak)")
  }

  @Test func theMeterCountsWhatIsInUse() {
    let bytes = MemoryMeter.peak {
      for _ in 0..<3 {
        let (a, b) = (Tensor(repeating: 1, shape: [10_000]), Tensor(repeating: 2, shape: [5000]))
        #expect(a.count > b.count)
      }
      _ = Tensor(repeating: 1, shape: [12_000])
    }
    #expect(bytes == 60_000)
    let none = MemoryMeter.peak {}
    #expect(none == 0)
  }
}
