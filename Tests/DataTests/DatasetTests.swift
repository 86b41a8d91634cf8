import Foundation
import Lab
import TestSupport
import Testing

@Suite struct DatasetTests {
  @Test func gathersImagesAndLabels() throws {
    let folder = try TemporaryFolder()
    let dataset = try folder.smallDataset(count: 10)
    #expect(dataset.count == 10)
    #expect(dataset.dims == [1, 2, 2])
    let batch = dataset.batch(at: [9, 0])
    #expect(batch.x.shape == [2, 1, 2, 2])
    #expect(batch.x.elements == [9, 10, 11, 12, 0, 1, 2, 3].map { $0 / 255 })
    #expect(batch.y == IntTensor([2, 0]))
    #expect(batch.count == 2)
    #expect(dataset[9].x == batch.x[0])
    #expect(dataset[9].y == 2)
  }

  // x = torch.tensor([0, 33, 78, 255], dtype=torch.uint8).to(torch.float32).div(255)
  // x.sub_(torch.tensor(0.1307)).div_(torch.tensor(0.3081)).numpy().view(np.uint32)
  @Test func normalizesAsTorchvision() throws {
    let folder = try TemporaryFolder()
    let dataset = try folder.smallDataset(count: 256, normalization: (0.1307, 0.3081))
    let values = [0, 33, 78, 255].map { dataset.batch(at: [$0]).x.elements[0].bitPattern }
    #expect(values == [3_201_905_265, 3_146_318_503, 1_058_115_346, 1_077_187_389])
  }

  @Test func takesSubsetsOfSubsets() throws {
    let folder = try TemporaryFolder()
    let dataset = try folder.smallDataset(count: 10).subset([8, 6, 4]).subset([2, 0])
    #expect(dataset.count == 2)
    #expect(dataset.batch(at: [0, 1]).y.elements == [4, 1])
    #expect((0..<2).map { dataset.label(at: $0) } == [4, 1])
  }

  // a, b = random_split(range(10), [8, 2], generator=torch.Generator().manual_seed(42))
  // a.indices, b.indices
  @Test func splitsAsPyTorch() throws {
    let folder = try TemporaryFolder()
    let parts = try folder.smallDataset(count: 10).randomSplit(
      [8, 2], generator: Generator(seed: 42))
    let first = parts.map { part in
      part.batch(at: Array(0..<part.count)).x.elements.enumerated()
        .filter { $0.offset % 4 == 0 }.map { Int(($0.element * 255).rounded()) }
    }
    #expect(first == [[2, 6, 1, 8, 4, 5, 0, 9], [3, 7]])
  }
}
