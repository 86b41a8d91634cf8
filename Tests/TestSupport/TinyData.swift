import Foundation
import Lab

/// Images of 8×8 pixels, bright on the left or on the right.
package struct TinyData: DataModule {
  package static let name = "Tiny"
  package let batchSize: Int
  package let workers: Int
  package let augmentation: (any Augmentation)?
  /// Other training images in each epoch, if there are any.
  package var freshTrain: FreshDataset?
  package let config = DataConfig(
    inputDims: [1, 8, 8], outputDims: [1], mapping: ["left", "right"])
  package let train, val, test: Dataset

  package init(_ options: DataOptions) throws {
    (batchSize, workers, augmentation) = (options.batchSize, options.workers, options.augmentation)
    train = try Self.part(count: 70, in: options.folder, "train")
    val = try Self.part(count: 30, in: options.folder, "val")
    test = try Self.part(count: 30, in: options.folder, "test")
  }

  /// Other images for each seed.
  package static func fresh(count: Int) throws -> FreshDataset {
    try FreshDataset(count: count, dims: [1, 8, 8], targetDims: []) { seed in
      let (labels, pixels) = draw(count: count, seed: UInt32(truncatingIfNeeded: seed))
      return FreshDataset.Images(
        labels: labels.map { Int($0) },
        bytes: { Data($0.flatMap { pixels[64 * $0..<64 * ($0 + 1)] }) })
    }
  }

  private static func draw(count: Int, seed: UInt32) -> (labels: [UInt8], pixels: [UInt8]) {
    var random = RandomState(seed: seed)
    let labels = (0..<count).map { _ in UInt8(random.integer(below: 2)) }
    let pixels = labels.flatMap { label in
      (0..<64).map { pixel in
        let isBright = (pixel % 8 < 4) == (label == 0)
        return UInt8(random.integer(below: 100) + (isBright ? 100 : 0))
      }
    }
    return (labels, pixels)
  }

  private static func part(count: Int, in folder: DataFolder, _ name: String) throws -> Dataset {
    let (labels, pixels) = draw(count: count, seed: UInt32(count))
    let url = folder.processed("tiny")
    let (images, marks) = (url.appending(path: "\(name)-x"), url.appending(path: "\(name)-y"))
    try IDX.write(pixels, shape: [count, 8, 8], to: images)
    try IDX.write(labels, shape: [count], to: marks)
    return Dataset(
      images: try IDX(mapping: images, rank: 3), labels: try IDX(mapping: marks, rank: 1))
  }
}

/// Runs `body` with data in a folder that is removed afterwards.
package func withTinyData<Result>(
  workers: Int = 0, augmentation: (any Augmentation)? = nil, _ body: (TinyData) throws -> Result
) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
  defer { try? FileManager.default.removeItem(at: folder) }
  let options = DataOptions(
    batchSize: 16, workers: workers, augmentation: augmentation, folder: DataFolder(folder))
  return try body(TinyData(options))
}
