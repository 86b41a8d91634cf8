import Foundation
import Lab
import TestSupport
import Testing

@Suite struct IDXTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func map(_ bytes: [UInt8], rank: Int) throws -> IDX {
    try folder.write(Data(bytes), to: "a")
    return try IDX(mapping: folder.url.appending(path: "a"), rank: rank)
  }

  @Test func writesTheFormatAndMapsIt() throws {
    try IDX.write([1, 2, 3, 4, 5, 6], shape: [2, 3], to: folder.url.appending(path: "a"))
    #expect(
      try folder.read("a") == Data([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]))
    #expect(try folder.names(in: ".") == ["a"])
    let array = try IDX(mapping: folder.url.appending(path: "a"), rank: 2)
    #expect(array.shape == [2, 3])
    #expect(array.count == 2)
    let bytes = array.withBytes { bytes in
      bytes.byteOffsets.map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    }
    #expect(bytes == [1, 2, 3, 4, 5, 6])
  }

  @Test(
    arguments: [
      [], [0], [0, 0, 8], [0, 0, 8, 1, 0, 0, 0],
      [0, 0, 9, 1, 0, 0, 0, 1, 5], [1, 0, 8, 1, 0, 0, 0, 1, 5], [0, 0, 8, 2, 0, 0, 0, 1, 5],
    ] as [[UInt8]])
  func refusesOtherFiles(bytes: [UInt8]) throws {
    let error = #expect(throws: DataError.self) { try map(bytes, rank: 1) }
    let path = folder.url.appending(path: "a").path(percentEncoded: false)
    #expect(error?.description == "\(path): expected an IDX file of bytes in 1 dimensions")
    #expect(error?.kind == .damaged)
  }

  @Test(arguments: [[5], [5, 6, 7]] as [[UInt8]])
  func refusesAnotherLength(elements: [UInt8]) throws {
    let error = #expect(throws: DataError.self) {
      try map([0, 0, 8, 1, 0, 0, 0, 2] + elements, rank: 1)
    }
    let path = folder.url.appending(path: "a").path(percentEncoded: false)
    #expect(
      error?.description
        == "\(path): expected the [2] bytes that its header says, got \(elements.count)")
  }

  @Test func refusesExtentsThatOverflow() throws {
    let huge = [UInt8](repeating: 255, count: 12)
    #expect(throws: DataError.self) { try map([0, 0, 8, 3] + huge, rank: 3) }
    #expect(throws: DataError.self) {
      try map([0, 0, 8, 3] + [128, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 4], rank: 3)
    }
  }

  @Test func reportsAMissingFile() throws {
    let url = folder.url.appending(path: "none")
    let error = #expect(throws: DataError.self) { try IDX(mapping: url, rank: 1) }
    #expect(error?.kind == .unusable)
    #expect(
      error?.description
        == "cannot read \(url.path(percentEncoded: false)): no such file or directory")
  }

  @Test func readsTheSameAfterPagesAreUnmapped() throws {
    let elements = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try IDX.write(elements, shape: [3000, 100], to: folder.url.appending(path: "a"))
    let images = try IDX(mapping: folder.url.appending(path: "a"), rank: 2)
    for _ in 0..<3 {
      #expect(images.withBytes(reading: 1024) { $0.byteCount } == elements.count)
      #expect(images.elements == elements)
    }
  }
}
