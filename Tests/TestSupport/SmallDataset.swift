import Foundation
import Lab

extension TemporaryFolder {
  /// A data set of `count` images of 2×2 pixels; image `n` is `[n, n + 1, n + 2, n + 3]`, its label
  /// `n % 7`.
  package func smallDataset(
    count: Int, normalization: (mean: Float, std: Float)? = nil
  ) throws -> Dataset {
    let images = (0..<count).flatMap { n in (0..<4).map { UInt8((n + $0) % 256) } }
    try IDX.write(images, shape: [count, 2, 2], to: url.appending(path: "images"))
    let labels = (0..<count).map { UInt8($0 % 7) }
    try IDX.write(labels, shape: [count], to: url.appending(path: "labels"))
    return Dataset(
      images: try IDX(mapping: url.appending(path: "images"), rank: 3),
      labels: try IDX(mapping: url.appending(path: "labels"), rank: 1),
      normalization: normalization)
  }
}

extension DataModule {
  /// The sizes of the three parts.
  package var sizes: [Int] { [train.count, val.count, test.count] }
}
