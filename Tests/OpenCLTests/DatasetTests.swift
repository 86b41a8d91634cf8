import Foundation
import Lab
import LabData
import LabTensors
import Testing

/// Batches whose images are gathered on the device.
@Suite(.needsOpenCL) struct DatasetTests {
  private func dataset(count: Int) throws -> Dataset {
    let bytes = (0..<count * 12).map { UInt8(truncatingIfNeeded: $0 * 37 + $0 / 12) }
    return try Dataset(bytes: bytes, dims: [1, 3, 4], labels: (0..<count).map { $0 % 5 })
  }

  @Test func batchesAreThoseOfTheProcessor() throws {
    let device = try #require(OpenCL.device)
    for part in [try dataset(count: 23), try dataset(count: 23).subset([5, 1, 22, 9])] {
      for workers in [0, 2] {
        let expected = Array(
          Batches(part, batchSize: 5, shuffledBy: Generator(seed: 3), workers: workers))
        let batches = Batches(
          part, batchSize: 5, shuffledBy: Generator(seed: 3), workers: workers
        ).on(device)
        for (batch, other) in zip(batches, expected) {
          #expect(batch.x.device == device)
          #expect(batch.x.to(.cpu) == other.x && batch.y == other.y)
        }
      }
    }
    try device.check()
  }

  /// An epoch that begins later or ends earlier has the same batches, and losses take their labels.
  @Test(arguments: [0, 1, 3, 4, 5], [5, 3, 0])
  func partsOfAnEpochAreThoseOfTheProcessor(first: Int, length: Int) throws {
    let device = try #require(OpenCL.device)
    let part = try dataset(count: 23)
    func batches(_ device: Device) -> [Batch] {
      let all = Batches(part, batchSize: 5, shuffledBy: Generator(seed: 3)).on(device)
      return Array(IteratorSequence(all.prefix(length).makeIterator(from: first)))
    }
    let (gathered, expected) = (batches(device), batches(.cpu))
    #expect(gathered.count == max(0, length - first) && expected.count == gathered.count)
    for (batch, other) in zip(gathered, expected) {
      #expect(batch.x.to(.cpu) == other.x && batch.y == other.y)
      let shape = [batch.count, 12]
      let losses = (
        try nllLoss(reshape(batch.x, to: shape), batch.y).item,
        try nllLoss(reshape(other.x, to: shape), other.y).item
      )
      #expect(abs(losses.0 - losses.1) <= 1e-5 * abs(losses.1))
    }
    try device.check()
  }

  @Test func severalLabelsOfAnImageStay() throws {
    let device = try #require(OpenCL.device)
    let part = try Dataset(
      bytes: (0..<7 * 12).map { UInt8($0) }, dims: [1, 3, 4], labels: (0..<7 * 2).map { $0 },
      targetDims: [2])
    let batches = Batches(part, batchSize: 3, shuffledBy: Generator(seed: 3))
    let others = Batches(part, batchSize: 3, shuffledBy: Generator(seed: 3))
    for (batch, other) in zip(batches.on(device), others) {
      #expect(batch.x.to(.cpu) == other.x && batch.y == other.y && batch.y.shape.count == 2)
    }
  }

  @Test func floatsAndAugmentedImagesAreCopied() throws {
    let device = try #require(OpenCL.device)
    let floats = try Dataset(
      images: (0..<24).map { Float($0) / 7 }, dims: [1, 3, 4], labels: [1, 0])
    let batch = try #require(Array(Batches(floats, batchSize: 2).on(device)).first)
    #expect(batch.x.device == device && batch.x.to(.cpu) == floats.batch(at: [0, 1]).x)
    let affine = RandomAffine(degrees: 10)
    let augmented = Batches(
      try dataset(count: 8), batchSize: 4, shuffledBy: Generator(seed: 1), augmentedBy: affine)
    let other = Batches(
      try dataset(count: 8), batchSize: 4, shuffledBy: Generator(seed: 1), augmentedBy: affine)
    #expect(
      try #require(Array(augmented.on(device)).first).x.to(.cpu)
        == #require(Array(other).first).x)
  }

  @Test func itemsAreReadTogether() throws {
    let device = try #require(OpenCL.device)
    let tensors = (0..<37).map { Tensor([Float($0) / 3], shape: []).to(device) }
    #expect(Tensor.items(of: tensors) == (0..<37).map { Float($0) / 3 })
    #expect(Tensor.items(of: [Tensor([2]), tensors[1]]) == [2, 1 / 3])
    #expect(Tensor.items(of: []) == [])
  }
}
