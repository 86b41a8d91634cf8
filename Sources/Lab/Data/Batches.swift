import Foundation
import LabRandom
import LabTensors

/// Images and their labels: one input for a model.
public struct Batch: @unchecked Sendable {
  // Sendable because its tensors are never on a tape, and nobody writes to a finished tensor.

  /// The images, of shape (batch, channels, rows, columns).
  public let x: Tensor
  /// The labels, of shape (batch), or (batch, labels per image).
  public let y: IntTensor
  /// The other labels, if the images are mixed; nil if they are not.
  public let mixing: Mixing?

  /// - Parameters:
  ///   - x: The images, of shape (batch, channels, rows, columns).
  ///   - y: The labels, of shape (batch), or (batch, labels per image).
  ///   - mixing: The other labels, if the images are mixed.
  public init(x: Tensor, y: IntTensor, mixing: Mixing? = nil) {
    self.x = x.detached
    self.y = y
    self.mixing = mixing
  }

  /// The number of images.
  public var count: Int { y.shape.first ?? 1 }

  /// Some rows of the batch.
  package func rows(_ rows: Range<Int>) -> Batch {
    guard rows != 0..<count else { return self }
    let mixing = mixing.map { Mixing(labels: $0.labels.rows(rows), share: $0.share) }
    return Batch(x: x.rows(rows), y: y.rows(rows), mixing: mixing)
  }

  /// The same batch with its images on a device.
  func on(_ device: Device) -> Batch { Batch(x: x.to(device), y: y, mixing: mixing) }
}

/// The batches of a data set: PyTorch's `DataLoader`.
///
/// ```swift
/// for batch in Batches(data.train, batchSize: 128, shuffledBy: .shared) {
///   let logits = try model(batch.x)
/// }
/// ```
///
/// Order and contents do not depend on the number of workers. Several threads may iterate over the
/// same batches; each iteration is an epoch of its own.
public struct Batches: Sequence, Sendable {
  private enum Source {
    case dataset(Dataset)
    /// Another data set in each epoch.
    case fresh(FreshDataset)
  }

  // Inside a `Sequence`, `Generator` alone would be the old name of its iterator.
  private let source: Source
  private let batchSize: Int
  private let generator: LabRandom.Generator?
  private let augmentation: (any Augmentation)?
  private let workers: Int
  /// Where the images of batches are.
  private var device = Device.cpu
  /// Which rows of a batch of some size are gathered; nil for all.
  private var share: (@Sendable (_ count: Int) -> Range<Int>)?
  /// Mixes the images of each batch; nil leaves them as they are.
  private var mixup: Mixup?
  /// The number of images of all batches.
  private let imageCount: Int
  /// The number of batches; the last one may be smaller than the others.
  public let count: Int

  /// - Parameters:
  ///   - dataset: The images and labels.
  ///   - batchSize: The number of images in a batch, at least 1.
  ///   - generator: Draws a new order for each iteration; nil keeps the order of the data set.
  ///   - augmentation: Transforms each image at random, if the batches are shuffled.
  ///   - workers: The number of threads that gather batches in advance, at most two each; with 0,
  ///     the caller's thread gathers each batch when it is needed.
  public init(
    _ dataset: Dataset, batchSize: Int, shuffledBy generator: LabRandom.Generator? = nil,
    augmentedBy augmentation: (any Augmentation)? = nil, workers: Int = 0
  ) {
    self.init(
      .dataset(dataset), imageCount: dataset.count, batchSize, generator, augmentation, workers)
  }

  /// Batches of a data set that is drawn anew for each epoch.
  ///
  /// - Parameters:
  ///   - dataset: Draws the images and labels of an epoch.
  ///   - batchSize: The number of images in a batch, at least 1.
  ///   - generator: Draws each epoch's seed, and a new order.
  ///   - augmentation: Transforms each image at random.
  ///   - workers: The number of threads that gather batches in advance.
  public init(
    _ dataset: FreshDataset, batchSize: Int, shuffledBy generator: LabRandom.Generator,
    augmentedBy augmentation: (any Augmentation)? = nil, workers: Int = 0
  ) {
    self.init(
      .fresh(dataset), imageCount: dataset.count, batchSize, generator, augmentation, workers)
  }

  private init(
    _ source: Source, imageCount: Int, _ batchSize: Int, _ generator: LabRandom.Generator?,
    _ augmentation: (any Augmentation)?, _ workers: Int
  ) {
    precondition(batchSize > 0, "a batch has at least 1 image, got \(batchSize)")
    self.source = source
    self.batchSize = batchSize
    self.generator = generator
    self.augmentation = augmentation
    self.workers = Swift.max(0, workers)
    self.imageCount = imageCount
    count = imageCount / batchSize + (imageCount.isMultiple(of: batchSize) ? 0 : 1)
  }

  private init(_ batches: Batches, count: Int) {
    source = batches.source
    batchSize = batches.batchSize
    generator = batches.generator
    augmentation = batches.augmentation
    workers = batches.workers
    device = batches.device
    share = batches.share
    mixup = batches.mixup
    imageCount = batches.imageCount
    self.count = count
  }

  /// The same batches with their images on a device. Images of bytes that are not augmented are
  /// copied there once, and gathered there.
  package func on(_ device: Device) -> Batches {
    var batches = self
    batches.device = device
    return batches
  }

  /// The same batches, of which only some rows are gathered.
  ///
  /// - Parameter rows: The rows of a batch with a number of rows.
  package func sharing(_ rows: @escaping @Sendable (_ count: Int) -> Range<Int>) -> Batches {
    var batches = self
    batches.share = rows
    return batches
  }

  /// The same batches with mixed images, if they are shuffled.
  package func mixing(by mixup: Mixup) -> Batches {
    guard generator != nil else { return self }
    var batches = self
    batches.mixup = mixup
    return batches
  }

  /// The number of rows of a batch, those that are not gathered included.
  package func size(ofBatch index: Int) -> Int {
    Swift.max(0, Swift.min(batchSize, imageCount - index * batchSize))
  }

  /// The index of the first image of a batch that is not shuffled.
  package func start(ofBatch index: Int) -> Int { index * batchSize }

  /// The first `maxLength` batches only, of a new order in each iteration if they are shuffled.
  public func prefix(_ maxLength: Int) -> Batches {
    Batches(self, count: Swift.min(count, Swift.max(0, maxLength)))
  }

  /// The first batch, of a new order each time if the batches are shuffled.
  ///
  /// - Throws: ``DataError`` if the data set is empty.
  public func first() throws -> Batch {
    var iterator = prefix(1).makeIterator()
    guard let batch = iterator.next() else {
      throw DataError(.unusable, "expected a data set with images, got an empty one")
    }
    return batch
  }

  /// Starts an epoch, in a new order if the batches are shuffled.
  public func makeIterator() -> BatchIterator { makeIterator(from: 0) }

  /// Starts an epoch at a later batch: draws the same random numbers as for the whole epoch, but does
  /// not gather the batches before it.
  package func makeIterator(from first: Int) -> BatchIterator {
    // `DataLoader(shuffle=True)` draws two 64-bit numbers from PyTorch's global generator: one for
    // its workers, one as the seed of the generator that permutes. Others seed augmentation and mixup,
    // and the last one fresh images. All are drawn at once, so that epochs on several threads do not mix
    // their numbers.
    var count = 2 + (augmentation == nil ? 0 : 1) + (mixup == nil ? 0 : 1)
    if case .fresh = source { count += 1 }
    let words = generator?.words64(count) ?? []
    let dataset =
      switch source {
      case .dataset(let dataset): dataset
      case .fresh(let fresh): fresh.draw(seed: words.last ?? 0)
      }
    let order =
      words.isEmpty
      ? Array(0..<dataset.count)
      : LabRandom.Generator(seed: words[1]).permutation(of: dataset.count)
    let augmented = augmentation.flatMap { words.count > 2 ? ($0, seed: words[2]) : nil }
    let mixed = mixup.map { ($0, seed: words[augmented == nil ? 2 : 3]) }
    let (size, device, share) = (batchSize, device, share)
    /// The part of a batch that is gathered.
    @Sendable func part(_ batch: Range<Int>) -> Range<Int> {
      guard let share else { return batch }
      let rows = share(batch.count)
      return batch.lowerBound + rows.lowerBound..<batch.lowerBound + rows.upperBound
    }
    let end = Swift.min(self.count * size, dataset.count)
    let start = Swift.min(first * size, end)
    if augmentation == nil, mixed == nil,
      let epoch = dataset.epoch(at: Array(order[start..<end]), on: device)
    {
      // Threads that gather in advance would only wait for one another on the device's queue.
      return BatchIterator(from: first, to: self.count, workers: 0) { index in
        epoch.batch(
          part(index * size - start..<Swift.min((index + 1) * size - start, epoch.count)))
      }
    }
    return BatchIterator(from: first, to: self.count, workers: workers) { index in
      let range = index * size..<Swift.min((index + 1) * size, dataset.count)
      /// A batch's random numbers follow from its index alone, whichever thread gathers it.
      func generator(_ seed: UInt64) -> LabRandom.Generator {
        LabRandom.Generator(seed: seed &+ UInt64(index))
      }
      guard augmented != nil || mixed != nil else {
        return dataset.batch(at: Array(order[part(range)])).on(device)
      }
      // Of a batch whose images are mixed, all are needed to make some of them.
      let rows = share?(range.count) ?? 0..<range.count
      let all = mixed == nil ? rows : 0..<range.count
      var batch = dataset.batch(at: Array(order[range]))
      if let (augmentation, seed) = augmented {
        let x = augmentation(
          batch.x, rows: all, background: dataset.background, generator: generator(seed))
        batch = Batch(x: x, y: batch.y.rows(all))
      }
      if let (mixup, seed) = mixed {
        batch = mixup(batch, generator: generator(seed)).rows(rows)
      }
      return batch.on(device)
    }
  }
}

/// The examples of an epoch whose images are gathered on a device.
struct EpochOnDevice: Sendable {
  let examples: any DeviceEpoch
  let labels: IntTensor
  /// The extents of an image.
  let dims: [Int]

  var count: Int { labels.shape[0] }

  /// A batch of the epoch.
  func batch(_ range: Range<Int>) -> Batch {
    let targets = labels.shape.dropFirst()
    let each = targets.reduce(1, *)
    let values = Array(labels.elements[range.lowerBound * each..<range.upperBound * each])
    let x = examples.gather(range, shape: [range.count] + dims, labels: values)
    return Batch(x: x, y: IntTensor(values, shape: [range.count] + targets))
  }
}

/// Iterates once over ``Batches``.
///
/// A copy is independent of the original: both give all batches that are left.
public struct BatchIterator: IteratorProtocol, Sendable {
  private let gather: @Sendable (Int) -> Batch
  private let end: Int
  private let workers: Int
  private var index: Int
  private var prefetch: Prefetch?

  fileprivate init(
    from start: Int, to end: Int, workers: Int, gather: @escaping @Sendable (Int) -> Batch
  ) {
    self.gather = gather
    self.end = end
    self.workers = workers
    index = start
    startPrefetch()
  }

  /// The next batch; nil after the last one.
  public mutating func next() -> Batch? {
    guard index < end else { return nil }
    // A prefetch gives each batch once, so a copy of this iterator needs one of its own.
    if prefetch != nil, !isKnownUniquelyReferenced(&prefetch) { startPrefetch() }
    defer { index += 1 }
    return prefetch?.next() ?? gather(index)
  }

  private mutating func startPrefetch() {
    guard workers > 0, index < end else { return }
    prefetch = Prefetch(index..<end, workers: workers, gather: gather)
  }
}

/// Threads that gather batches in advance. They end after the last batch, or when the last reference
/// to this object is gone.
package final class Prefetch: Sendable {
  /// What the threads share. They hold no reference to the `Prefetch` itself, so that it is freed
  /// when its owner drops it.
  package final class Shelf: @unchecked Sendable {
    // Sendable because everything that changes is used with `condition` locked.
    private let condition = NSCondition()
    private let end: Int
    private let capacity: Int
    private var ready: [Int: Batch] = [:]
    private var started: Int
    private var taken: Int
    private var isClosed = false

    fileprivate init(_ indices: Range<Int>, capacity: Int) {
      (started, taken) = (indices.lowerBound, indices.lowerBound)
      end = indices.upperBound
      self.capacity = capacity
    }

    /// Waits until there is room, and returns the index of a batch to gather; nil if there is nothing
    /// left to do.
    fileprivate func start() -> Int? {
      condition.withLock {
        while !isClosed, started < end, started - taken >= capacity { condition.wait() }
        guard !isClosed, started < end else { return nil }
        defer { started += 1 }
        return started
      }
    }

    fileprivate func put(_ batch: Batch, at index: Int) {
      condition.withLock {
        ready[index] = batch
        condition.broadcast()
      }
    }

    fileprivate func take() -> Batch? {
      condition.withLock {
        guard taken < end else { return nil }
        let index = taken
        taken += 1
        condition.broadcast()
        while true {
          if let batch = ready.removeValue(forKey: index) { return batch }
          condition.wait()
        }
      }
    }

    fileprivate func close() {
      condition.withLock {
        isClosed = true
        condition.broadcast()
      }
    }
  }

  package let shelf: Shelf

  /// - Parameters:
  ///   - indices: The indices of the batches.
  ///   - workers: The number of threads, which gather at most two batches each in advance.
  ///   - gather: Makes the batch of an index; called on any thread.
  package init(
    _ indices: Range<Int>, workers: Int, gather: @escaping @Sendable (Int) -> Batch
  ) {
    let shelf = Shelf(indices, capacity: 2 * workers)
    self.shelf = shelf
    for _ in 0..<min(workers, indices.count) {
      Thread.detachNewThread {
        while let index = shelf.start() { shelf.put(gather(index), at: index) }
      }
    }
  }

  deinit {
    shelf.close()
  }

  /// The next batch in order, as soon as it is gathered; nil after the last one.
  package func next() -> Batch? { shelf.take() }
}
