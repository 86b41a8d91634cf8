import Foundation
import Lab
import Testing

@Suite struct MATFileTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func open(_ bytes: [UInt8]) throws -> MATFile {
    try folder.write(Data(bytes), to: "a.mat")
    return try MATFile(folder.url.appending(path: "a.mat"), variable: "dataset", title: "a.mat")
  }

  private func expectRefusal(_ text: String, _ body: () throws -> Void) {
    let error = #expect(throws: DataError.self) { try body() }
    #expect(error?.description == text)
    #expect(error?.kind == .damaged)
    #expect((try? folder.names(in: ".")) == ["a.mat"])
  }

  @Test func readsFieldsOfFields() throws {
    let file = try open(MATFixture.bytes(images: 2))
    let labels = try file.bytes("test", "labels", columns: 1, maximumRows: 2)
    #expect(labels.elements == [3, 3] && labels.rows == 2 && labels.columns == 1)
    let images = try file.bytes("train", "images", columns: 784, maximumRows: 9)
    #expect(images.elements == [UInt8](repeating: 9, count: 2 * 784))
  }

  @Test func readsDoublesThatAreBytes() throws {
    func file(_ number: Double) throws -> MATFile {
      try open(MATFixture.bytes(labels: [number, 3]))
    }
    let labels = try file(61).bytes("train", "labels", columns: 1, maximumRows: 2)
    #expect(labels.elements == [61, 3])
    for number in [-1, 0.5, 256, .nan, .infinity] {
      expectRefusal(
        "a.mat: expected train.labels to hold 2 numbers in 0...255, got others or damaged bytes"
      ) { _ = try file(number).bytes("train", "labels", columns: 1, maximumRows: 2) }
    }
  }

  @Test func everyCutFileIsRefused() throws {
    let whole = MATFixture.bytes()
    for count in stride(from: 0, to: whole.count - 8, by: 7) {
      let text =
        count < 128
        ? "a.mat: expected a MATLAB file"
        : "a.mat: expected a whole variable \"dataset\" in it"
      expectRefusal(text) { _ = try open(Array(whole.prefix(count))) }
    }
  }

  /// Found by `make fuzz`: libmatio, with which such files were read before, made 50 million fields
  /// of the bytes that are missing at the end, in 9 GB of memory.
  @Test func aCutPackedFileTakesNoMemory() throws {
    try folder.write(EMNISTFixture.zip, to: "z/a.zip")
    let mat = folder.url.appending(path: "z/a.mat")
    try Archive.extract(
      "emnist-byclass.mat", from: folder.url.appending(path: "z/a.zip"), to: mat, limit: 1 << 20)
    let cut = Array(try Data(contentsOf: mat).prefix(340))
    try FileManager.default.removeItem(at: folder.url.appending(path: "z"))
    expectRefusal("a.mat: expected a whole variable \"dataset\" in it") { _ = try open(cut) }
    // The same with a size that fits: the stream itself is cut.
    var fitting = cut
    let size = cut.count - 136
    for i in 0..<4 { fitting[132 + i] = UInt8(truncatingIfNeeded: size >> (8 * i)) }
    expectRefusal("a.mat: expected a whole variable \"dataset\" in it") { _ = try open(fitting) }
  }
}
