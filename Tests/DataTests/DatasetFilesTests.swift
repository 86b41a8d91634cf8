import Foundation
import Lab
import TestSupport
import Testing

@Suite struct DatasetFilesTests {
  private func files(_ folder: TemporaryFolder) -> DatasetFiles {
    DatasetFiles(
      part: "val", in: folder.url, imageShape: [2, 3], labelShape: [2], classes: 5)
  }

  @Test func severalLabelsPerImage() throws {
    let folder = try TemporaryFolder()
    let files = files(folder)
    try IDX.write(Array(0..<18), shape: [3, 2, 3], to: files.images)
    try IDX.write([0, 1, 2, 3, 4, 0], shape: [3, 2], to: files.labels)
    #expect(
      try folder.names(in: "") == ["val-images-idx3-ubyte", "val-labels-idx2-ubyte"])
    let dataset = try files.load()
    #expect(dataset.dims == [1, 2, 3])
    #expect(dataset.targetDims == [2])
    #expect(dataset.labels(at: 1) == [2, 3])
    let batch = dataset.subset([2, 0]).batch(at: [0, 1])
    #expect(batch.y == IntTensor([4, 0, 0, 1], shape: [2, 2]))
    #expect(batch.x.elements.prefix(6) == [12, 13, 14, 15, 16, 17].map { $0 / 255 }[...])
    #expect(batch.count == 2)
  }

  @Test(arguments: [
    ([UInt8](repeating: 0, count: 9), [3, 3], "expected labels of shape [2], got shape [3, 3]"),
    ([0, 1, 2, 3], [2, 2], "expected 2 images of 2×3, as there are labels, got shape [3, 2, 3]"),
    ([0, 1, 2, 3, 4, 5], [3, 2], "expected labels below 5, got 5"),
    ([0, 1, 2], [3], "expected an IDX file of bytes in 2 dimensions"),
  ])
  func refusesFilesThatDoNotFit(labels: [UInt8], shape: [Int], message: String) throws {
    let folder = try TemporaryFolder()
    let files = files(folder)
    try IDX.write(Array(0..<18), shape: [3, 2, 3], to: files.images)
    try IDX.write(labels, shape: shape, to: files.labels)
    let error = #expect(throws: DataError.self) { try files.load() }
    #expect(error?.kind == .damaged)
    #expect(error?.description.hasSuffix("ubyte: " + message) == true)
  }
}
