import LabRandom
import LabTensors

/// Images with labels, or some of them in an order of their own.
///
/// The images stay bytes, mapped from a file; they become floats when a batch is gathered.
///
/// ```swift
/// let batch = data.test.batch(at: [0, 1, 2])
/// batch.x.shape  // [3, 1, 28, 28]
/// batch.y.shape  // [3], or [3, 32] if an image has 32 labels
/// ```
public struct Dataset: Sendable {
  private let images: IDX
  private let labels: IDX
  private let indices: [Int]
  /// What each of the 256 values of a byte becomes: the table makes normalising free.
  private let values: [Float]

  /// All images of a file.
  ///
  /// - Parameters:
  ///   - images: Bytes of shape (images, rows, columns).
  ///   - labels: As many bytes, or as many times several: shape (images, labels an image).
  ///   - normalization: What is subtracted from pixels in 0...1, and what they are divided by then.
  package init(images: IDX, labels: IDX, normalization: (mean: Float, std: Float)? = nil) {
    precondition(images.count == labels.count)
    self.images = images
    self.labels = labels
    indices = Array(0..<images.count)
    values = (0..<256).map { byte in
      let pixel = Float(byte) / 255
      guard let (mean, std) = normalization else { return pixel }
      return (pixel - mean) / std
    }
  }

  private init(_ dataset: Dataset, indices: [Int]) {
    images = dataset.images
    labels = dataset.labels
    values = dataset.values
    self.indices = indices
  }

  /// What the byte of a black pixel becomes.
  package var background: Float { values[0] }

  /// The number of images.
  public var count: Int { indices.count }

  /// The extents of one image: channels, rows, columns.
  public var dims: [Int] { [1] + images.shape.dropFirst() }

  /// The extents of one image's labels; none if it has a single one.
  public var targetDims: [Int] { Array(labels.shape.dropFirst()) }

  /// The images at some positions of this data set, in that order.
  ///
  /// - Parameter positions: Numbers in `0..<count`.
  public func subset(_ positions: [Int]) -> Dataset {
    Dataset(self, indices: positions.map { indices[$0] })
  }

  /// Cuts the data set into parts of the given sizes at random, image for image as
  /// `torch.utils.data.random_split`.
  ///
  /// - Parameters:
  ///   - sizes: The size of each part; their sum is ``count``.
  ///   - generator: Draws the permutation that is cut.
  public func randomSplit(_ sizes: [Int], generator: Generator) -> [Dataset] {
    precondition(
      sizes.reduce(0, +) == count, "the sizes \(sizes) of the parts must add up to \(count)")
    let permutation = generator.permutation(of: count)
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return subset(Array(permutation[start..<start + size]))
    }
  }

  /// The images and labels at some positions.
  ///
  /// - Parameter positions: Numbers in `0..<count`.
  public func batch(at positions: [Int]) -> Batch {
    let pixels = dims.reduce(1, *)
    let x = Tensor(shape: [positions.count] + dims) { x in
      images.withBytes(reading: positions.count) { bytes in
        var place = 0
        for position in positions {
          // `indices` are in the file, whose length was checked when it was mapped.
          let start = indices[position] * pixels
          for offset in start..<start + pixels {
            x[place] = values[Int(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))]
            place += 1
          }
        }
      }
    }
    let y = positions.flatMap { labels(at: $0) }
    return Batch(x: x, y: IntTensor(y, shape: [positions.count] + targetDims))
  }

  /// One image, of shape (channels, rows, columns), and its label.
  ///
  /// Only for data sets of one label an image.
  public subscript(position: Int) -> (x: Tensor, y: Int) {
    (batch(at: [position]).x[0], label(at: position))
  }

  /// The label at one position, without its image.
  ///
  /// Only for data sets of one label an image; see ``labels(at:)``.
  public func label(at position: Int) -> Int {
    precondition(targetDims.isEmpty, "an image of this data set has \(targetDims) labels")
    return labels.withBytes {
      Int($0.unsafeLoad(fromByteOffset: indices[position], as: UInt8.self))
    }
  }

  /// The labels at one position in row-major order, without the image.
  public func labels(at position: Int) -> [Int] {
    labels.withBytes { bytes in
      let count = labels.shape.dropFirst().reduce(1, *)
      let start = indices[position] * count
      return (start..<start + count).map {
        Int(bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self))
      }
    }
  }

  /// Calls `body` with all images of the file as they are there, and where in it the image at each
  /// position starts.
  package func withPixels<Result>(
    _ body: (_ bytes: RawSpan, _ start: (Int) -> Int) throws -> Result
  ) rethrows -> Result {
    let pixels = dims.reduce(1, *)
    return try images.withBytes { bytes in try body(bytes) { indices[$0] * pixels } }
  }
}
