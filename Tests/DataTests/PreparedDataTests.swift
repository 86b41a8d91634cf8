import Foundation
import Lab
import TestSupport
import Testing

/// Data that earlier versions of this program prepared: they load, and are not prepared again, and
/// their record gets the checksums that those versions did not write.
@Suite struct PreparedDataTests {
  let folder: TemporaryFolder
  private static let sum = String(repeating: "0a", count: 32)

  init() throws {
    folder = try TemporaryFolder()
  }

  /// An IDX file, byte by byte.
  private func idx(_ shape: [UInt8], _ first: UInt8 = 0) -> Data {
    let count = shape.reduce(1) { $0 * Int($1) }
    return Data([0, 0, 8, UInt8(shape.count)] + shape.flatMap { [0, 0, 0, $0] })
      + Data((0..<count).map { first + UInt8($0 % 10) })
  }

  /// Metadata of files that cannot be downloaded, so that preparing anew would fail.
  private func writeMetadata(_ name: String, _ filenames: [String]) throws {
    let files = filenames.map {
      #"{"filename": "\#($0)", "sha256": "\#(Self.sum)", "urls": ["file:///nowhere/\#($0)"]}"#
    }
    try folder.write(
      Data("{\"files\": [\(files.joined(separator: ", "))]}".utf8), to: "raw/\(name)/metadata.json")
  }

  private func options(_ lines: Lines) -> DataOptions {
    DataOptions(source: .download, batchSize: 4, folder: folder.folder, report: lines.add)
  }

  @Test func mnistOfVersion1() throws {
    let names = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"]
      .map { "\($0)-ubyte.gz" }
    try writeMetadata("mnist", names)
    try folder.write(idx([24, 28, 28]), to: "processed/mnist/train-images-idx3-ubyte")
    try folder.write(idx([24]), to: "processed/mnist/train-labels-idx1-ubyte")
    try folder.write(idx([3, 28, 28]), to: "processed/mnist/test-images-idx3-ubyte")
    try folder.write(idx([3]), to: "processed/mnist/test-labels-idx1-ubyte")
    let sources = names.map { "\"\($0)\" : \"\(Self.sum)\"" }.joined(separator: ", ")
    let contents = """
      {"recipe" : {"classes" : 10, "sources" : {\(sources)}, "version" : 1},
       "sizes" : {"test" : 3, "train" : 24}}
      """
    try folder.write(Data(contents.utf8), to: "processed/mnist/contents.json")
    let lines = Lines()
    let data = try MNIST(options(lines))
    #expect(data.sizes == [22, 2, 3] && !data.isSynthetic && data.sources.count == 4)
    #expect((0..<3).map { data.test.label(at: $0) } == [0, 1, 2])
    #expect(lines.all == [])
    try expectChecksums(
      "processed/mnist", beside: contents,
      [
        "test-images-idx3-ubyte", "test-labels-idx1-ubyte", "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
      ])
    // From now on damage is noticed; the metadata's files have vanished.
    try folder.write(idx([24, 28, 28], 1), to: "processed/mnist/train-images-idx3-ubyte")
    let error = #expect(throws: DataError.self) { try MNIST(options(lines)) }
    #expect(error?.kind == .damaged)
    #expect(
      error?.description.contains(
        "mnist/train-images-idx3-ubyte: its bytes have changed since it was prepared, and it cannot "
          + "be prepared again: cannot download train-images-idx3-ubyte.gz") == true)
  }

  @Test func emnistOfVersion2AndLinesOfVersion1() throws {
    try writeMetadata("emnist", ["matlab.zip"])
    try writeMetadata("brown", ["brown.zip"])
    try folder.write(idx([10, 28, 28]), to: "processed/emnist/train-images-idx3-ubyte")
    try folder.write(idx([10], 4), to: "processed/emnist/train-labels-idx1-ubyte")
    try folder.write(idx([2, 28, 28]), to: "processed/emnist/test-images-idx3-ubyte")
    try folder.write(idx([2], 4), to: "processed/emnist/test-labels-idx1-ubyte")
    let characters = #"{"classes": 66, "sources": {"matlab.zip": "\#(Self.sum)"}, "version": 2}"#
    try folder.write(
      Data(#"{"recipe": \#(characters), "sizes": {"test": 2, "train": 10}}"#.utf8),
      to: "processed/emnist/contents.json")
    let sentences = #"{"brown.zip": "\#(Self.sum)"}"#
    try folder.write(Data("one two three".utf8), to: "processed/brown/text.txt")
    try folder.write(
      Data(#"{"recipe": {"sources": \#(sentences), "version": 1}, "sizes": {"text": 13}}"#.utf8),
      to: "processed/brown/contents.json")
    let name = "processed/emnist-lines/length-8-overlap-0.0-0.33-lines-3-1-1-stored"
    for (part, count) in [("train", 3), ("val", 1), ("test", 1)] as [(String, UInt8)] {
      // 224 columns are 0, 0, 0, 224 in an IDX file.
      try folder.write(idx([count, 28, 224]), to: "\(name)/\(part)-images-idx3-ubyte")
      try folder.write(idx([count, 8], 4), to: "\(name)/\(part)-labels-idx2-ubyte")
    }
    let contents = """
      {"recipe": {"characters": \(characters), "sentences": \(sentences), "version": 1,
        "parameters": {"maxLength": 8, "maxOverlap": 0.33000000000000002, "minOverlap": 0,
          "numTest": 1, "numTrain": 3, "numVal": 1, "randomStart": "stored",
          "withStartEndTokens": false}},
       "sizes": {"test": 1, "train": 3, "val": 1}}
      """
    try folder.write(Data(contents.utf8), to: "\(name)/contents.json")
    let lines = Lines()
    let data = try EMNISTLines(
      options(lines), .init(maxLength: 8, numTrain: 3, numVal: 1, numTest: 1))
    #expect(data.sizes == [3, 1, 1] && !data.isSynthetic)
    #expect(data.string(of: data.train.labels(at: 0)) == "01234567")
    #expect(lines.all == [])
    try expectChecksums(
      name, beside: contents,
      ["test", "train", "val"].flatMap { ["\($0)-images-idx3-ubyte", "\($0)-labels-idx2-ubyte"] })
  }

  /// Expects that a record has checksums of some files, and is otherwise as it was.
  private func expectChecksums(_ path: String, beside old: String, _ names: [String]) throws {
    func object(_ json: Data) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
    }
    var new = try object(try folder.read("\(path)/contents.json"))
    let checksums = try #require(new.removeValue(forKey: "checksums") as? [String: String])
    #expect(checksums.keys.sorted() == names)
    func text(_ object: [String: Any]) throws -> String {
      String(
        decoding: try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]),
        as: UTF8.self
      ).replacing("0.33000000000000002", with: "0.33")
    }
    #expect(try text(new) == text(try object(Data(old.utf8))))
  }
}
