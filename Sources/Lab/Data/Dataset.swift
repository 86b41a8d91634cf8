import Digests
import Foundation
import LabRandom
import LabTensors
import Synchronization

/// Copies of a data set's images on devices, made when they are first needed.
private final class DeviceCopies: Sendable {
  private let copies = Mutex<[(device: Device, bytes: (any DeviceBytes)?)]>([])

  func copy(on device: Device, _ make: () -> (any DeviceBytes)?) -> (any DeviceBytes)? {
    copies.withLock { copies in
      if let known = copies.first(where: { $0.device == device }) { return known.bytes }
      let bytes = make()
      copies.append((device, bytes))
      return bytes
    }
  }
}

/// Images with labels, or a subset of them.
///
/// ```swift
/// // 100 RGB images of 32×32 pixels, one label each
/// let dataset = try Dataset(images: x, labels: y)   // x: [100, 3, 32, 32], y: [100]
/// let batch = dataset.batch(at: [0, 1, 2])
/// batch.x.shape  // [3, 3, 32, 32]
/// batch.y.shape  // [3], or [3, 32] if an image has 32 labels
/// ```
///
/// Images of bytes stay bytes, in memory or mapped from a file, until a batch is gathered.
public struct Dataset: Sendable {
  private enum Images {
    /// Bytes, and the number that each of their 256 values stands for.
    case bytes(IDX, values: [Float])
    case floats([Float])
    /// The bytes of images at some positions are made when they are needed.
    case made(@Sendable ([Int]) -> Data, values: [Float])
  }

  private enum Labels {
    case bytes(IDX)
    case integers([Int])
  }

  private let images: Images
  private let labels: Labels
  private let indices: [Int]
  /// Copies of the images on devices, which all subsets share.
  private let copies: DeviceCopies
  /// The shape of one image: channels, rows, columns.
  public let dims: [Int]
  /// The shape of one image's labels; empty if it has a single label.
  public let targetDims: [Int]

  /// A data set from tensors: PyTorch's `TensorDataset`.
  ///
  /// - Parameters:
  ///   - images: The images, of shape (images, channels, rows, columns).
  ///   - labels: The labels, of shape (images), or (images, labels per image).
  /// - Throws: ``DataError`` if there are not as many labels as images, or a label is negative.
  public init(images: Tensor, labels: IntTensor) throws {
    guard images.rank > 1, images.shape.first == labels.shape.first else {
      throw DataError(
        .unusable,
        "Dataset: expected images of shape (n, channels, rows, columns) and labels of shape (n) or "
          + "(n, labels per image), got \(images.shape) and \(labels.shape)")
    }
    try self.init(
      images: images.elements, dims: Array(images.shape.dropFirst()), labels: labels.elements,
      targetDims: Array(labels.shape.dropFirst()))
  }

  /// A data set from arrays of numbers.
  ///
  /// ```swift
  /// let dataset = try Dataset(images: [0, 0.5, 1, 0.5, 0, 0, 1, 1], dims: [1, 2, 2], labels: [0, 1])
  /// dataset.count  // 2
  /// ```
  ///
  /// - Parameters:
  ///   - images: The elements of all images, in row-major order.
  ///   - dims: The shape of one image: channels, rows, columns.
  ///   - labels: The labels of all images.
  ///   - targetDims: The shape of one image's labels; empty for a single label.
  /// - Throws: ``DataError`` if the numbers of images and labels differ, or a label is negative.
  public init(images: [Float], dims: [Int], labels: [Int], targetDims: [Int] = []) throws {
    let count = try Self.count(images.count, dims, labels, targetDims)
    self.init(.floats(images), .integers(labels), Array(0..<count), dims, targetDims)
  }

  /// A data set from bytes, which take a quarter of the memory of floats; batches have their values
  /// divided by 255, as those of torchvision's `ToTensor`.
  ///
  /// - Parameters:
  ///   - bytes: The elements of all images, in row-major order.
  ///   - dims: The shape of one image: channels, rows, columns.
  ///   - labels: The labels of all images.
  ///   - targetDims: The shape of one image's labels; empty for a single label.
  /// - Throws: ``DataError`` if the numbers of images and labels differ, or a label is negative.
  public init(bytes: [UInt8], dims: [Int], labels: [Int], targetDims: [Int] = []) throws {
    try self.init(bytes: Data(bytes), dims: dims, labels: labels, targetDims: targetDims)
  }

  /// The same without a copy of the bytes.
  package init(bytes: Data, dims: [Int], labels: [Int], targetDims: [Int] = []) throws {
    let count = try Self.count(bytes.count, dims, labels, targetDims)
    self.init(
      .bytes(IDX(bytes, shape: [count] + dims), values: Self.values(nil)), .integers(labels),
      Array(0..<count), dims, targetDims)
  }

  /// A data set whose images are made when a batch is gathered.
  ///
  /// - Parameters:
  ///   - labels: The labels of all images, which are at least 0 and as many as the shapes say.
  ///   - dims: The shape of one image.
  ///   - targetDims: The shape of one image's labels.
  ///   - bytes: Makes the bytes of the images at some positions, one after the other; the same ones
  ///     each time, on any thread.
  init(
    labels: [Int], dims: [Int], targetDims: [Int], bytes: @escaping @Sendable ([Int]) -> Data
  ) {
    self.init(
      .made(bytes, values: Self.values(nil)), .integers(labels),
      Array(0..<labels.count / targetDims.reduce(1, *)), dims, targetDims)
  }

  /// The number of images, if images and labels fit together.
  private static func count(
    _ elements: Int, _ dims: [Int], _ labels: [Int], _ targetDims: [Int]
  ) throws -> Int {
    guard !dims.isEmpty, let size = product(dims), let targets = product(targetDims) else {
      throw DataError(
        .unusable,
        "Dataset: expected extents of at least 1 for an image and its labels, got \(dims) and "
          + "\(targetDims)")
    }
    let count = labels.count / targets
    guard labels.count.isMultiple(of: targets), elements.isMultiple(of: size),
      elements / size == count
    else {
      throw DataError(
        .unusable,
        "Dataset: expected as many images of shape \(dims) as labels of shape \(targetDims), got "
          + "\(elements) elements (\(elements / size) images) and \(labels.count) labels")
    }
    if let label = labels.first(where: { $0 < 0 }) {
      throw DataError(.unusable, "Dataset: expected labels of at least 0, got \(label)")
    }
    return count
  }

  /// The product of some extents; nil if one is below 1 or the product overflows.
  private static func product(_ extents: [Int]) -> Int? {
    var product = 1
    for extent in extents {
      let (value, overflow) = product.multipliedReportingOverflow(by: extent)
      guard extent > 0, !overflow else { return nil }
      product = value
    }
    return product
  }

  /// All images of a file.
  ///
  /// - Parameters:
  ///   - images: Bytes of shape (images, rows, columns).
  ///   - labels: Bytes of shape (images), or (images, labels per image).
  ///   - normalization: The mean that is subtracted from pixels in 0...1, and the standard deviation
  ///     that they are divided by.
  package init(images: IDX, labels: IDX, normalization: (mean: Float, std: Float)? = nil) {
    precondition(images.count == labels.count)
    self.init(
      .bytes(images, values: Self.values(normalization)), .bytes(labels),
      Array(0..<images.count), [1] + images.shape.dropFirst(), Array(labels.shape.dropFirst()))
  }

  private init(
    _ images: Images, _ labels: Labels, _ indices: [Int], _ dims: [Int], _ targetDims: [Int],
    _ copies: DeviceCopies = DeviceCopies()
  ) {
    self.images = images
    self.labels = labels
    self.indices = indices
    self.copies = copies
    self.dims = dims
    self.targetDims = targetDims
  }

  /// The number that each value of a byte stands for: with a table, normalizing costs nothing.
  private static func values(_ normalization: (mean: Float, std: Float)?) -> [Float] {
    (0..<256).map { byte in
      let pixel = Float(byte) / 255
      guard let (mean, std) = normalization else { return pixel }
      return (pixel - mean) / std
    }
  }

  /// The value of a black pixel.
  package var background: Float {
    switch images {
    case .bytes(_, let values), .made(_, let values): values[0]
    case .floats: 0
    }
  }

  /// The number of images.
  public var count: Int { indices.count }

  /// The images at some positions of this data set, in that order.
  ///
  /// - Parameter positions: Numbers in `0..<count`.
  public func subset(_ positions: [Int]) -> Dataset {
    Dataset(images, labels, positions.map { indices[$0] }, dims, targetDims, copies)
  }

  /// Splits the data set at random into parts of the given sizes, as `torch.utils.data.random_split`
  /// does with the same seed.
  ///
  /// ```swift
  /// let parts = try dataset.randomSplit([80, 20], generator: Generator(seed: 42))
  /// ```
  ///
  /// - Parameters:
  ///   - sizes: The size of each part; their sum is ``count``.
  ///   - generator: Draws the permutation that is cut into parts.
  /// - Throws: ``DataError`` if the sizes do not add up to ``count``.
  public func randomSplit(_ sizes: [Int], generator: Generator) throws -> [Dataset] {
    var rest = count
    let fits = sizes.allSatisfy { size in
      guard (0...rest).contains(size) else { return false }
      rest -= size
      return true
    }
    guard fits, rest == 0 else {
      throw DataError(
        .unusable, "randomSplit: expected sizes that add up to \(count), got \(sizes)")
    }
    let permutation = generator.permutation(of: count)
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return subset(Array(permutation[start..<start + size]))
    }
  }

  /// Splits the data set at random into parts of the given fractions, as
  /// `torch.utils.data.random_split` does with the same seed.
  ///
  /// Sizes are rounded down; the images that are left go one by one to the first parts.
  ///
  /// ```swift
  /// let parts = try dataset.randomSplit(fractions: [0.8, 0.1, 0.1], generator: Generator(seed: 42))
  /// parts.map(\.count)  // [9, 1, 1] of 11
  /// ```
  ///
  /// - Parameters:
  ///   - fractions: The share of each part; their sum is 1.
  ///   - generator: Draws the permutation that is cut into parts.
  /// - Throws: ``DataError`` if the fractions do not add up to 1.
  public func randomSplit(fractions: [Double], generator: Generator) throws -> [Dataset] {
    guard fractions.allSatisfy({ (0...1).contains($0) }), abs(fractions.reduce(0, +) - 1) < 1e-6
    else {
      throw DataError(
        .unusable, "randomSplit: expected fractions from 0 to 1 that add up to 1, got \(fractions)")
    }
    var sizes = fractions.map { Int((Double(count) * $0).rounded(.down)) }
    // A sum a little over 1 can round up to one image too many.
    while let last = sizes.lastIndex(where: { $0 > 0 }), sizes.reduce(0, +) > count {
      sizes[last] -= 1
    }
    for index in 0..<count - sizes.reduce(0, +) { sizes[index % sizes.count] += 1 }
    return try randomSplit(sizes, generator: generator)
  }

  /// Splits the data set at random into two parts such that all copies of an image are in the same part:
  /// the accuracy on a validation set with copies of training images says nothing.
  ///
  /// Groups of copies are taken in random order for the second part, until it has at least its share. So
  /// it may have a few images more, and both parts are in another order than in ``randomSplit(_:generator:)``.
  /// Images are copies if all their bytes or numbers are equal, whatever their labels.
  ///
  /// ```swift
  /// let (train, val) = try dataset.splitWithoutCopies(second: 0.2, generator: Generator(seed: 42))
  /// ```
  ///
  /// - Parameters:
  ///   - share: The share of the second part, in 0…1.
  ///   - generator: Draws the order of the groups.
  /// - Throws: ``DataError`` if the share is not in 0…1.
  /// - Complexity: O(elements)
  public func splitWithoutCopies(
    second share: Double, generator: Generator
  ) throws -> (first: Dataset, second: Dataset) {
    guard (0...1).contains(share) else {
      throw DataError(.unusable, "splitWithoutCopies: expected a share in 0...1, got \(share)")
    }
    var known: [[UInt8]: Int] = [:]
    var groups: [[Int]] = []
    for position in 0..<count {
      let digest = try digest(ofImage: position)
      if let group = known[digest] {
        groups[group].append(position)
      } else {
        known[digest] = groups.count
        groups.append([position])
      }
    }
    let wanted = Int((Double(count) * share).rounded(.down))
    var parts: (first: [Int], second: [Int]) = ([], [])
    for group in generator.permutation(of: groups.count) {
      if parts.second.count < wanted {
        parts.second += groups[group]
      } else {
        parts.first += groups[group]
      }
    }
    return (subset(parts.first), subset(parts.second))
  }

  /// The SHA-256 digest of an image's bytes or numbers.
  private func digest(ofImage position: Int) throws -> [UInt8] {
    let sum = try SHA256()
    update(sum, withImage: indices[position])
    return try sum.digest
  }

  private func update(_ sum: SHA256, withImage index: Int) {
    let size = dims.reduce(1, *)
    let range = index * size..<(index + 1) * size
    switch images {
    case .bytes(let images, _): images.withBytes { sum.update($0.extracting(range)) }
    case .floats(let images): sum.update(images.span.extracting(range).bytes)
    case .made(let make, _): sum.update(make([index]))
    }
  }

  /// The images and labels at some positions.
  ///
  /// - Parameter positions: Numbers in `0..<count`.
  public func batch(at positions: [Int]) -> Batch {
    let size = dims.reduce(1, *)
    let x = Tensor(shape: [positions.count] + dims) { x in
      var target = 0
      switch images {
      case .bytes(let images, let values):
        images.withBytes(reading: positions.count) { bytes in
          for position in positions {
            // `indices` are within the array, whose length was checked when it was made.
            let start = indices[position] * size
            for offset in start..<start + size {
              x[target] = values[Int(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))]
              target += 1
            }
          }
        }
      case .made(let make, let values):
        let data = make(positions.map { indices[$0] })
        precondition(data.count == x.count, "expected \(x.count) bytes, got \(data.count)")
        let bytes = data.bytes
        for offset in bytes.byteOffsets {
          x[offset] = values[Int(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))]
        }
      case .floats(let images):
        for position in positions {
          let start = indices[position] * size
          for offset in start..<start + size {
            x[target] = images[offset]
            target += 1
          }
        }
      }
    }
    return Batch(x: x, y: batchLabels(at: positions))
  }

  private func batchLabels(at positions: [Int]) -> IntTensor {
    let labels: [Int]
    if targetDims.isEmpty, case .bytes(let bytes) = self.labels {
      labels = bytes.withBytes { bytes in
        positions.map { Int(bytes.unsafeLoad(fromByteOffset: indices[$0], as: UInt8.self)) }
      }
    } else {
      labels = positions.flatMap { self.labels(at: $0) }
    }
    return IntTensor(labels, shape: [positions.count] + targetDims)
  }

  /// The examples at some positions in a device's memory, so that batches of them are gathered there;
  /// nil if the device does not keep the bytes of this data set.
  ///
  /// - Parameters:
  ///   - positions: Numbers in `0..<count`.
  ///   - device: The device.
  func epoch(at positions: [Int], on device: Device) -> EpochOnDevice? {
    guard device != .cpu, let bytes = bytes(on: device) else { return nil }
    let labels = batchLabels(at: positions)
    return EpochOnDevice(
      examples: bytes.epoch(
        positions.map { indices[$0] }, labels: targetDims.isEmpty ? labels.elements : []),
      labels: labels, dims: dims)
  }

  private func bytes(on device: Device) -> (any DeviceBytes)? {
    guard case .bytes(let images, let values) = images else { return nil }
    return copies.copy(on: device) {
      images.withBytes { device.backend.keep($0, values: values) }
    }
  }

  /// One image, of shape (channels, rows, columns), and its label.
  ///
  /// Only for data sets with one label per image.
  public subscript(position: Int) -> (x: Tensor, y: Int) {
    (batch(at: [position]).x[0], label(at: position))
  }

  /// The label at one position, without its image.
  ///
  /// Only for data sets with one label per image; see ``labels(at:)``.
  public func label(at position: Int) -> Int {
    precondition(targetDims.isEmpty, "an image of this data set has \(targetDims) labels")
    return labels(at: position)[0]
  }

  /// The labels at one position in row-major order, without the image.
  public func labels(at position: Int) -> [Int] {
    let count = targetDims.reduce(1, *)
    let range = indices[position] * count..<(indices[position] + 1) * count
    return switch labels {
    case .integers(let labels): Array(labels[range])
    case .bytes(let labels):
      labels.withBytes { bytes in
        range.map { Int(bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self)) }
      }
    }
  }

  /// Calls `body` with the bytes of all images, of which this may be a subset, and the offset of the
  /// image at each position.
  ///
  /// Only for data sets of bytes.
  package func withPixels<Result>(
    _ body: (_ bytes: RawSpan, _ start: (Int) -> Int) throws -> Result
  ) rethrows -> Result {
    guard case .bytes(let images, _) = images else {
      preconditionFailure("expected a data set of bytes")
    }
    let size = dims.reduce(1, *)
    return try images.withBytes { bytes in try body(bytes) { indices[$0] * size } }
  }

  /// The SHA-256 digest of shapes, images and labels.
  ///
  /// - Complexity: O(elements)
  package func digest() throws -> String {
    let sum = try SHA256()
    sum.update(Data("\(dims) \(targetDims) \(count)".utf8))
    for index in indices { update(sum, withImage: index) }
    var bytes = Data()
    for position in 0..<count {
      for label in labels(at: position) { bytes.append(littleEndian: Int64(label)) }
    }
    sum.update(bytes)
    return try sum.hexadecimal
  }
}
