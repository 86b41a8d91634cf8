import Foundation

/// Images and labels that are drawn anew for each epoch, from a seed.
///
/// ```swift
/// let noise = try FreshDataset(count: 100, dims: [1, 8, 8], targetDims: []) { seed in
///   let bytes = Generator(seed: seed).words64(800)   // 100 images of 64 bytes
///   …
/// }
/// Batches(noise, batchSize: 10, shuffledBy: .shared)   // 10 batches of other images in each epoch
/// ```
///
/// The trainer draws an epoch's seed when the epoch begins, as it draws the order of the images. So a
/// run that is resumed has the same images as one that never stopped.
public struct FreshDataset: Sendable {
  /// The images and labels of an epoch.
  public struct Images: Sendable {
    /// The labels of all images.
    public var labels: [Int]
    /// Makes the bytes of the images at some positions, in row-major order, one image after the other;
    /// the same ones each time, on any thread. In a batch they are divided by 255.
    public var bytes: @Sendable (_ positions: [Int]) -> Data

    /// - Parameters:
    ///   - labels: The labels of all images, each at least 0.
    ///   - bytes: Makes the bytes of the images at some positions.
    public init(labels: [Int], bytes: @escaping @Sendable (_ positions: [Int]) -> Data) {
      (self.labels, self.bytes) = (labels, bytes)
    }
  }

  /// The number of images of an epoch.
  public let count: Int
  /// The shape of one image: channels, rows, columns.
  public let dims: [Int]
  /// The shape of one image's labels; empty if it has a single label.
  public let targetDims: [Int]
  private let images: @Sendable (UInt64) -> Images

  /// - Parameters:
  ///   - count: The number of images of an epoch.
  ///   - dims: The shape of one image: channels, rows, columns.
  ///   - targetDims: The shape of one image's labels; empty for a single label.
  ///   - images: Draws as many images and labels from a seed; the same ones each time.
  /// - Throws: ``DataError`` if there is no image, or an extent is below 1.
  public init(
    count: Int, dims: [Int], targetDims: [Int],
    images: @escaping @Sendable (_ seed: UInt64) -> Images
  ) throws {
    guard count > 0, !dims.isEmpty, (dims + targetDims).allSatisfy({ $0 > 0 }) else {
      throw DataError(
        .unusable,
        "FreshDataset: expected at least 1 image, and extents of at least 1 for an image and its "
          + "labels, got \(count), \(dims) and \(targetDims)")
    }
    (self.count, self.dims, self.targetDims) = (count, dims, targetDims)
    self.images = images
  }

  /// The data set of an epoch.
  ///
  /// - Parameter seed: The seed; the same one gives the same images.
  public func draw(seed: UInt64) -> Dataset {
    let images = images(seed)
    let expected = count * targetDims.reduce(1, *)
    precondition(
      images.labels.count == expected && images.labels.allSatisfy { $0 >= 0 },
      "FreshDataset: expected \(expected) labels of at least 0, got \(images.labels.count)")
    return Dataset(labels: images.labels, dims: dims, targetDims: targetDims, bytes: images.bytes)
  }
}
