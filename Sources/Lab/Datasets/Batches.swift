import LabRandom

/// A data set's batches, one after the other: PyTorch's `DataLoader`.
///
/// ```swift
/// for batch in Batches(data.train, batchSize: 128, shuffledBy: .shared) {
///   let logits = try model(batch.x)
/// }
/// ```
///
/// Order and contents do not depend on the number of workers.
public struct Batches: Sequence, Sendable {
  // `Generator` alone would be an old name of `Sequence` for its iterator, hence `LabRandom.Generator`.
  private let dataset: Dataset
  private let batchSize: Int
  private let generator: LabRandom.Generator?
  private let augmentation: RandomAffine?
  private let workers: Int
  /// The number of batches; the last one may be smaller than the others.
  public let count: Int

  /// - Parameters:
  ///   - dataset: Where the images come from.
  ///   - batchSize: The number of images in a batch, at least 1.
  ///   - generator: Draws a new order each time the batches are gone through; nil keeps the data
  ///     set's.
  ///   - augmentation: Changes each image anew each time, if the batches are shuffled.
  ///   - workers: The number of threads that gather batches ahead of their use, two each at most;
  ///     0 gathers each when it is asked for.
  public init(
    _ dataset: Dataset, batchSize: Int, shuffledBy generator: LabRandom.Generator? = nil,
    augmentedBy augmentation: RandomAffine? = nil, workers: Int = 0
  ) {
    precondition(batchSize > 0, "a batch has at least 1 image, got \(batchSize)")
    self.dataset = dataset
    self.batchSize = batchSize
    self.generator = generator
    self.augmentation = augmentation
    self.workers = Swift.max(0, workers)
    count = dataset.count / batchSize + (dataset.count.isMultiple(of: batchSize) ? 0 : 1)
  }

  private init(_ batches: Batches, count: Int) {
    dataset = batches.dataset
    batchSize = batches.batchSize
    generator = batches.generator
    augmentation = batches.augmentation
    workers = batches.workers
    self.count = count
  }

  /// The first batches only: each time the first of a new order if they are shuffled.
  public func prefix(_ maxLength: Int) -> Batches {
    Batches(self, count: Swift.min(count, Swift.max(0, maxLength)))
  }

  /// The first batch: each time that of a new order if they are shuffled.
  ///
  /// - Throws: ``DataError`` if there is none.
  public func first() throws -> Batch {
    var iterator = prefix(1).makeIterator()
    guard let batch = iterator.next() else {
      throw DataError(.unusable, "expected a data set with images, got an empty one")
    }
    return batch
  }

  /// Starts from the beginning, in a new order if the batches are shuffled.
  public func makeIterator() -> BatchIterator { makeIterator(from: 0) }

  /// Goes on at a batch: orders are drawn as ever, but the batches before it are not gathered.
  package func makeIterator(from first: Int) -> BatchIterator {
    let order = generator.map(order) ?? Array(0..<dataset.count)
    let (dataset, size, augmentation) = (dataset, batchSize, augmentation)
    // A batch's changes follow from its place alone, whoever gathers it and when.
    let seed = augmentation == nil ? nil : generator?.word64()
    return BatchIterator(count: count - first, workers: workers) { offset in
      let index = first + offset
      let range = index * size..<Swift.min((index + 1) * size, dataset.count)
      let batch = dataset.batch(at: Array(order[range]))
      guard let augmentation, let seed else { return batch }
      let changes = LabRandom.Generator(seed: seed &+ UInt64(index))
      let x = augmentation(batch.x, background: dataset.background, generator: changes)
      return Batch(x: x, y: batch.y)
    }
  }

  /// The order that `DataLoader(shuffle=True)` takes from PyTorch's global generator: one 64-bit
  /// number goes to its workers, the next is the seed of the generator that permutes.
  private func order(from generator: LabRandom.Generator) -> [Int] {
    _ = generator.word64()
    return LabRandom.Generator(seed: generator.word64()).permutation(of: dataset.count)
  }
}

/// Goes through ``Batches`` once.
public struct BatchIterator: IteratorProtocol {
  private let gather: @Sendable (Int) -> Batch
  private let count: Int
  private let prefetch: Prefetch?
  private var index = 0

  fileprivate init(count: Int, workers: Int, gather: @escaping @Sendable (Int) -> Batch) {
    self.gather = gather
    self.count = count
    prefetch = workers > 0 ? Prefetch(count: count, workers: workers, gather: gather) : nil
  }

  /// The next batch; nil after the last one.
  public mutating func next() -> Batch? {
    guard index < count else { return nil }
    defer { index += 1 }
    return prefetch?.batch(at: index) ?? gather(index)
  }
}
