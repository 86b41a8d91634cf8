import Foundation
import Lab
import Synchronization
import TestSupport
import Testing

@Suite struct BatchesTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// The first pixel of each image, which is its index.
  private func indices(_ batches: Batches) -> [[Int]] {
    batches.map { batch in
      stride(from: 0, to: batch.x.count, by: 4).map { Int((batch.x.elements[$0] * 255).rounded()) }
    }
  }

  @Test func keepsTheOrder() throws {
    let batches = Batches(try folder.smallDataset(count: 5), batchSize: 2)
    #expect(batches.count == 3)
    #expect(indices(batches) == [[0, 1], [2, 3], [4]])
    #expect(indices(batches.prefix(2)) == [[0, 1], [2, 3]])
    #expect(batches.prefix(2).count == 2)
    #expect(batches.prefix(9).count == 3)
  }

  @Test func anEmptyDataSetHasNoBatches() throws {
    let dataset = try folder.smallDataset(count: 5).subset([])
    #expect(indices(Batches(dataset, batchSize: 2, workers: 2)) == [])
  }

  // torch.manual_seed(42)
  // for epoch in range(2):
  //   [b.tolist() for b in DataLoader(range(20), batch_size=8, shuffle=True)]
  // torch.empty((), dtype=torch.int64).random_()  # 2878035897379592313
  @Test func shufflesAsPyTorch() throws {
    let generator = Generator(seed: 42)
    let batches = Batches(
      try folder.smallDataset(count: 20), batchSize: 8, shuffledBy: generator)
    #expect(
      indices(batches) == [
        [8, 14, 17, 19, 1, 15, 18, 9], [3, 11, 4, 0, 10, 7, 13, 16], [12, 6, 2, 5],
      ])
    #expect(
      indices(batches) == [
        [14, 12, 13, 8, 15, 4, 7, 18], [9, 3, 0, 17, 2, 11, 19, 6], [10, 16, 1, 5],
      ])
    #expect(generator.word64() & (1 << 63 - 1) == 2_878_035_897_379_592_313)
  }

  @Test(arguments: [1, 2, 3, 8, 100])
  func workersChangeNothing(workers: Int) throws {
    let dataset = try folder.smallDataset(count: 201)
    func batches(_ workers: Int) -> [Batch] {
      Array(
        Batches(dataset, batchSize: 8, shuffledBy: Generator(seed: 7), workers: workers))
    }
    let (alone, together) = (batches(0), batches(workers))
    #expect(alone.count == 26)
    #expect(alone.map(\.x) == together.map(\.x))
    #expect(alone.map(\.y) == together.map(\.y))
  }

  @Test(arguments: [1, 3])
  func augmentationDependsOnTheSeedOnly(workers: Int) throws {
    let dataset = try folder.smallDataset(count: 51, normalization: (0.5, 2))
    func epochs(_ workers: Int, _ augmentation: (any Augmentation)?) -> [[Batch]] {
      let batches = Batches(
        dataset, batchSize: 8, shuffledBy: Generator(seed: 7), augmentedBy: augmentation,
        workers: workers)
      return [Array(batches), Array(batches)]
    }
    let (alone, together) = (
      epochs(0, RandomAffine.handwriting), epochs(workers, RandomAffine.handwriting)
    )
    #expect(alone.map { $0.map(\.x) } == together.map { $0.map(\.x) })
    #expect(alone[0].map(\.x) != alone[1].map(\.x))
    let plain = epochs(0, nil)
    #expect(alone[0].map(\.y) == plain[0].map(\.y))
    #expect(zip(alone[0], plain[0]).allSatisfy { $0.x != $1.x })
    // Only training images are transformed.
    let unshuffled = Batches(dataset, batchSize: 51, augmentedBy: RandomAffine.handwriting)
    #expect(try unshuffled.first().x == dataset.batch(at: Array(0..<51)).x)
  }

  @Test(arguments: [0, 1, 3])
  func freshImagesAreOthersInEachEpoch(workers: Int) throws {
    let fresh = try TinyData.fresh(count: 70)
    func epochs(workers: Int, _ augmentation: (any Augmentation)? = nil) -> [[Batch]] {
      let batches = Batches(
        fresh, batchSize: 16, shuffledBy: Generator(seed: 7), augmentedBy: augmentation,
        workers: workers)
      #expect(batches.count == 5)
      return (0..<3).map { _ in Array(batches) }
    }
    let found = epochs(workers: workers)
    // Two words for PyTorch's order, and one for the images.
    let generator = Generator(seed: 7)
    for epoch in found {
      let words = generator.words64(3)
      let order = Generator(seed: words[1]).permutation(of: 70)
      let dataset = fresh.draw(seed: words[2])
      for (index, batch) in epoch.enumerated() {
        let expected = dataset.batch(at: Array(order[index * 16..<min(70, index * 16 + 16)]))
        #expect(batch.x == expected.x && batch.y == expected.y)
      }
    }
    #expect(Set(found.map { $0[0].x.elements }).count == 3)
    let augmented = epochs(workers: workers, RandomAffine.handwriting)
    #expect(augmented.map { $0.map(\.x) } != found.map { $0.map(\.x) })
    #expect(
      augmented.map { $0.map(\.x) }
        == epochs(workers: 0, RandomAffine.handwriting).map { $0.map(\.x) })

    // An epoch that goes on in the middle has the same images.
    let batches = Batches(fresh, batchSize: 16, shuffledBy: Generator(seed: 7), workers: workers)
    var iterator = batches.makeIterator(from: 3)
    var rest: [Batch] = []
    while let batch = iterator.next() { rest.append(batch) }
    #expect(rest.map(\.x) == found[0][3...].map(\.x))
  }

  @Test func aFreshDataSetIsLikeOthers() throws {
    let dataset = try TinyData.fresh(count: 20).draw(seed: 3)
    #expect((dataset.count, dataset.background) == (20, 0))
    let subset = dataset.subset([4, 9])
    #expect(subset.batch(at: [1]).x == dataset.batch(at: [9]).x)
    #expect(subset.label(at: 0) == dataset.label(at: 4))
    #expect(try dataset.digest() == TinyData.fresh(count: 20).draw(seed: 3).digest())
    #expect(try dataset.digest() != TinyData.fresh(count: 20).draw(seed: 4).digest())
    expectDataError(
      "FreshDataset: expected at least 1 image, and extents of at least 1 for an image and its "
        + "labels, got 0, [1, 8, 8] and []"
    ) {
      _ = try FreshDataset(count: 0, dims: [1, 8, 8], targetDims: []) { _ in
        .init(labels: [], bytes: { _ in Data() })
      }
    }
  }

  /// Both gave each batch once between them, so that the second one waited for ever.
  @Test(arguments: [0, 1, 3], [0, 2, 5])
  func copiesOfAnIteratorAreIndependent(workers: Int, taken: Int) throws {
    let batches = Batches(
      try folder.smallDataset(count: 40), batchSize: 8, shuffledBy: Generator(seed: 7),
      workers: workers)
    var iterator = batches.makeIterator()
    for _ in 0..<taken { _ = iterator.next() }
    var copy = iterator
    var (first, second): ([Batch], [Batch]) = ([], [])
    // The copy is ahead of the original at first, then behind it.
    if let batch = copy.next() { second.append(batch) }
    while let batch = iterator.next() { first.append(batch) }
    while let batch = copy.next() { second.append(batch) }
    #expect(first.count == 5 - taken)
    #expect(first.map(\.x) == second.map(\.x) && first.map(\.y) == second.map(\.y))
    #expect(iterator.next() == nil && copy.next() == nil)
  }

  /// Each thread gets a whole epoch, and each epoch is one of those that a single thread would get.
  @Test(arguments: [0, 2])
  func threadsIterateOverTheSameBatches(workers: Int) throws {
    let dataset = try folder.smallDataset(count: 60)
    func batches() -> Batches {
      Batches(
        dataset, batchSize: 8, shuffledBy: Generator(seed: 7),
        augmentedBy: RandomAffine.handwriting,
        workers: workers)
    }
    let alone = batches()
    let expected = (0..<16).map { _ in alone.map(\.x) }
    let shared = batches()
    let epochs = Mutex<[[Batch]]>([])
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      for _ in 0..<4 {
        let epoch = Array(shared)
        epochs.withLock { $0.append(epoch) }
      }
    }
    let found = epochs.withLock { $0 }.map { $0.map(\.x) }
    #expect(found.count == 16)
    for epoch in expected { #expect(found.contains(epoch)) }
  }
}
