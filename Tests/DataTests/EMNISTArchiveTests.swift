import Foundation
import Lab
import TestSupport
import Testing

@Suite struct EMNISTArchiveTests {
  let folder: TemporaryFolder
  let url: URL

  init() throws {
    folder = try TemporaryFolder()
    url = folder.url.appending(path: "a.mat")
    try folder.write(EMNISTFixture.zip, to: "a.zip")
    try Archive.extract(
      "emnist-byclass.mat", from: folder.url.appending(path: "a.zip"), to: url, limit: 1 << 20)
  }

  @Test func readsLabelsAndImages() throws {
    let archive = try EMNISTArchive(url)
    let labels = try archive.labels(.train)
    #expect(labels.count == 612)
    #expect(try archive.labels(.test).count == 308)
    let counts = labels.reduce(into: [Int](repeating: 0, count: 62)) { $0[Int($1)] += 1 }
    #expect(counts == (0..<62).map { $0 < 10 ? 30 : 6 })
    let images = try archive.upright(.train, [600, 3], of: 612)
    #expect(images.count == 2 * 784)
    #expect(images[600 % 28 * 28] == labels[600] + 1)
    #expect(images[784 + 3 * 28] == labels[3] + 1)
    #expect(images.filter { $0 > 0 }.count == 2)
  }

  @Test func requiresAsManyImagesAsLabels() throws {
    let archive = try EMNISTArchive(url, title: "the archive")
    let error = #expect(throws: DataError.self) { try archive.upright(.test, [0], of: 309) }
    #expect(
      error?.description
        == "the archive: expected as many test images as labels, 309, got 308")
  }

  @Test func requiresAMATLABFile() throws {
    try folder.write(Data(repeating: 1, count: 500), to: "a.mat")
    let error = #expect(throws: DataError.self) { try EMNISTArchive(url, title: "a.mat") }
    #expect(error?.kind == .damaged)
    #expect(error?.description == "a.mat: expected a MATLAB file")
  }

  @Test func requiresTheFields() throws {
    let file = try MATFile(url, variable: "dataset", title: "a.mat")
    func message(_ body: () throws -> MATFile.Matrix) -> String? {
      #expect(throws: DataError.self) { _ = try body() }?.description
    }
    #expect(
      message { try file.bytes("train", "writer", columns: 1, maximumRows: 9) }
        == "a.mat: expected a field train.writer, got none")
    #expect(
      message { try file.bytes("train", "labels", columns: 2, maximumRows: 999) }
        == "a.mat: expected train.labels to have 2 columns and up to 999 rows, got 612×1")
    #expect(
      message { try file.bytes("train", "labels", columns: 1, maximumRows: 611) }
        == "a.mat: expected train.labels to have 1 columns and up to 611 rows, got 612×1")
    // The writers are 16-bit integers.
    #expect(try file.bytes("train", "writers", columns: 1, maximumRows: 999).rows == 612)
    #expect(
      message { try file.bytes("train", columns: 1, maximumRows: 9) }?.hasPrefix(
        "a.mat: expected train to have 1 columns") == false)
    let error = #expect(throws: DataError.self) { try MATFile(url, variable: "none", title: "a") }
    #expect(error?.description == "a: expected a whole variable \"none\" in it")
  }

  /// Reads all of a damaged file, which must throw or return bytes, but never trap.
  private func readAll(_ bytes: Data) throws {
    try folder.write(bytes, to: "a.mat")
    let archive = try EMNISTArchive(url)
    for part in CharacterFiles.Part.allCases {
      let labels = try archive.labels(part)
      _ = try archive.upright(part, [0], of: labels.count)
    }
  }

  @Test func refusesCutFiles() throws {
    let whole = try Data(contentsOf: url)
    for count in stride(from: 0, to: whole.count - 8, by: 97) {
      let error = #expect(throws: DataError.self) { try readAll(whole.prefix(count)) }
      #expect(error?.kind == .damaged)
      #expect(error?.description.contains("\n") == false)
    }
  }

  @Test func changedBytesDoNotTrap() throws {
    let whole = try Data(contentsOf: url)
    var random = RandomState(seed: 5)
    var refused = 0
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0...random.integer(below: 4) {
        bytes[random.integer(below: bytes.count)] = UInt8(random.integer(below: 256))
      }
      do {
        try readAll(bytes)
      } catch let error as DataError {
        refused += 1
        #expect(error.kind == .damaged)
      }
    }
    #expect(refused > 100)
  }
}
