import Foundation
import Lab
import TestSupport
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

  /// A type of numbers: MATLAB's numbers for the type and the array's class, the size in bytes, and
  /// the bit pattern of a number, or its nearest one.
  struct NumberType: Sendable {
    let type, kind: UInt8
    let size: Int
    let isSigned, isFloat: Bool
    let bits: @Sendable (Double) -> UInt64

    static func integer(_ type: UInt8, _ kind: UInt8, _ size: Int, isSigned: Bool) -> Self {
      Self(type: type, kind: kind, size: size, isSigned: isSigned, isFloat: false) {
        UInt64(bitPattern: Int64($0))
      }
    }
  }

  // MathWorks, "MAT-File Format", tables 1-1 and 1-3.
  @Test(arguments: [
    .integer(1, 8, 1, isSigned: true), .integer(2, 9, 1, isSigned: false),
    .integer(3, 10, 2, isSigned: true), .integer(4, 11, 2, isSigned: false),
    .integer(5, 12, 4, isSigned: true), .integer(6, 13, 4, isSigned: false),
    .integer(12, 14, 8, isSigned: true), .integer(13, 15, 8, isSigned: false),
    // MATLAB stores small numbers of any class in fewer bytes.
    .integer(1, 6, 1, isSigned: true), .integer(3, 15, 2, isSigned: true),
    NumberType(type: 7, kind: 7, size: 4, isSigned: true, isFloat: true) {
      UInt64(Float($0).bitPattern)
    },
    NumberType(type: 9, kind: 6, size: 8, isSigned: true, isFloat: true) { $0.bitPattern },
  ])
  func readsNumbersOfEveryTypeThatAreBytes(_ type: NumberType) throws {
    func labels(_ numbers: [Double]) throws -> [UInt8] {
      try open(
        MATFixture.bytes(
          labels: numbers.map(type.bits), size: type.size, type: type.type, kind: type.kind)
      ).bytes("train", "labels", columns: 1, maximumRows: 9).elements
    }
    #expect(try labels([61, 3, 0, 127]) == [61, 3, 0, 127])
    if type.size > 1 || !type.isSigned { #expect(try labels([128, 255]) == [128, 255]) }
    var others: [Double] = type.isSigned ? [-1, -128] : []
    if type.size > 1 { others += [256, 32_000] }
    if type.isFloat { others += [0.5, .nan, .infinity, -.infinity] }
    for number in others {
      expectRefusal(
        "a.mat: expected train.labels to hold 2 numbers in 0...255, got others or damaged bytes"
      ) { _ = try labels([number, 3]) }
    }
  }

  @Test func refusesArraysThatAreNotNumbers() {
    // A text, class 4.
    expectRefusal("a.mat: expected train.labels to hold numbers, got MATLAB class 4") {
      _ = try open(MATFixture.bytes(labels: [65, 66], size: 1, type: 16, kind: 4))
        .bytes("train", "labels", columns: 1, maximumRows: 9)
    }
  }

  @Test func refusesCutFiles() throws {
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
  @Test func aCutCompressedFileTakesNoMemory() throws {
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
