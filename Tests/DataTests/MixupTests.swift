import Foundation
import Lab
import TestSupport
import Testing

@Suite struct MixupTests {
  private let batch = Batch(
    x: Tensor((0..<8).flatMap { [Float]([Float($0), 0, 0, 0]) }, shape: [8, 1, 2, 2]),
    y: IntTensor(Array(0..<8)))

  @Test(arguments: [0.05, 0.2, 1, 4])
  func imagesAndLabelsAreMixedAlike(alpha: Double) throws {
    var shares: [Float] = []
    for seed in 0..<200 {
      let mixed = Mixup(alpha: alpha)(batch, generator: Generator(seed: UInt64(seed)))
      let mixing = try #require(mixed.mixing)
      #expect(mixed.y == batch.y && mixed.x.shape == batch.x.shape)
      #expect(mixing.labels.elements.sorted() == Array(0..<8))
      #expect((0...1).contains(mixing.share))
      for (image, other) in mixing.labels.elements.enumerated() {
        let expected = mixing.share * Float(image) + (1 - mixing.share) * Float(other)
        #expect(abs(mixed.x.elements[4 * image] - expected) < 1e-5)
        #expect(mixed.x.elements[4 * image + 1] == 0)
      }
      shares.append(mixing.share)
    }
    // A beta distribution with two equal parameters has the mean 1/2 and the variance 1 / (8 alpha + 4).
    let mean = shares.reduce(0, +) / 200
    let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 200
    #expect(abs(mean - 0.5) < 0.1)
    #expect(abs(variance * Float(8 * alpha + 4) - 1) < 0.3)
  }

  /// A batch's images follow from the seed and its index, whichever thread gathers it.
  @Test(arguments: [0, 3]) func batchesAreMixedInTheSameWay(workers: Int) throws {
    let folder = try TemporaryFolder()
    let dataset = try folder.smallDataset(count: 50)
    for augmentation in [nil, RandomAffine(translate: 0.5)] {
      func epochs(_ workers: Int) -> [[Batch]] {
        let batches = Batches(
          dataset, batchSize: 8, shuffledBy: Generator(seed: 7), augmentedBy: augmentation,
          workers: workers
        ).mixing(by: Mixup(alpha: 1))
        return [Array(batches), Array(batches)]
      }
      let (alone, others) = (epochs(0), epochs(workers))
      for (one, other) in zip(alone.joined(), others.joined()) {
        #expect(one.x == other.x && one.y == other.y)
        #expect(one.mixing?.labels == other.mixing?.labels)
      }
      #expect(Set(alone.joined().compactMap(\.mixing?.share)).count == 14)
    }
    // Without mixup, and not shuffled, images stay as they are.
    let plain = Batches(dataset, batchSize: 8).mixing(by: Mixup(alpha: 1))
    #expect(plain.allSatisfy { $0.mixing == nil })
  }

  /// The parts of a batch that processes gather are those of the whole.
  @Test func partsAreThoseOfTheWholeBatch() throws {
    let folder = try TemporaryFolder()
    let dataset = try folder.smallDataset(count: 30)
    for augmentation in [nil, RandomAffine(degrees: 90)] {
      func batches() -> Batches {
        Batches(
          dataset, batchSize: 8, shuffledBy: Generator(seed: 7), augmentedBy: augmentation
        ).mixing(by: Mixup(alpha: 0.5))
      }
      for (whole, part) in zip(batches(), batches().sharing { $0 / 2..<$0 }) {
        let rows = whole.count / 2..<whole.count
        #expect(part.x == whole.x.rows(rows) && part.y == whole.y.rows(rows))
        #expect(part.mixing?.labels == whole.mixing?.labels.rows(rows))
        #expect(part.mixing?.share == whole.mixing?.share)
      }
    }
  }
}
