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

  @Test func floatsAndAugmentedImagesAreCopied() throws {
    let device = try #require(OpenCL.device)
    let floats = try Dataset(
      images: (0..<24).map { Float($0) / 7 }, dims: [1, 3, 4], labels: [1, 0])
    let batch = floats.batch(at: [1, 0], on: device)
    #expect(batch.x.device == device && batch.x.to(.cpu) == floats.batch(at: [1, 0]).x)
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
