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

  @Test(arguments: [0, 0.2, 0.5, 1])
  func copiesStayTogether(share: Double) throws {
    // 100 places with 30 images, which differ in their last pixels only.
    var random = RandomState(seed: 3)
    let images = (0..<100).map { _ in random.integer(below: 30) }
    let bytes = images.flatMap { [UInt8](repeating: 0, count: 99) + [UInt8($0)] }
    let sets = [
      try Dataset(bytes: bytes, dims: [1, 10, 10], labels: images.map { $0 % 3 }),
      try Dataset(
        images: bytes.map { Float($0) / 255 }, dims: [1, 10, 10], labels: images.map { $0 % 3 }),
    ]
    var firsts: [[Int]] = []
    for dataset in sets {
      let (first, second) = try dataset.splitWithoutCopies(
        second: share, generator: Generator(seed: 42))
      /// Which image is at each place: the last pixel says so.
      func marks(_ part: Dataset) -> [Int] {
        (0..<part.count).map { Int((part[$0].x.elements[99] * 255).rounded()) }
      }
      let (kept, held) = (marks(first), marks(second))
      #expect(Set(kept).isDisjoint(with: held))
      #expect(first.count + second.count == 100)
      #expect(second.count >= Int(100 * share) && second.count <= Int(100 * share) + 10)
      #expect((0..<first.count).map { first.label(at: $0) } == kept.map { $0 % 3 })
      firsts.append(kept)
    }
    // Bytes and floats are split alike, and the order is random.
    #expect(firsts[0] == firsts[1])
    #expect(share == 1 || firsts[0] != firsts[0].sorted())
  }

  @Test func aShareIsAFraction() throws {
    let dataset = try Dataset(bytes: [1, 2], dims: [1, 1, 1], labels: [0, 1])
    for share in [-0.1, 1.1, .nan] {
      #expect(throws: DataError.self) {
        try dataset.splitWithoutCopies(second: share, generator: Generator(seed: 1))
      }
    }
  }
}
