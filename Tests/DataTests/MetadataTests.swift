import Foundation
import Lab
import TestSupport
import Testing

@Suite struct MetadataTests {
  private static let sum = String(repeating: "0a", count: 32)

  @Test(arguments: ["mnist", "emnist"])
  func theBuiltInMetadataAreTheFilesInData(name: String) throws {
    let package = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../..").standardizedFileURL
    let committed = try Metadata.load(name, in: DataFolder(package.appending(path: "data")))
    #expect(try Metadata.load(name, in: try TemporaryFolder().folder) == committed)
    let raw = try Data(contentsOf: package.appending(path: "data/raw/\(name)/metadata.json"))
    #expect(Metadata.builtIn[name] == [UInt8](raw))
  }

  @Test func theDataFolderOverridesTheBuiltInFile() throws {
    let folder = try TemporaryFolder()
    try folder.writeMetadata(
      "emnist", filename: "own.zip", sha256: Self.sum, urls: ["file:///own.zip"])
    let file = try Metadata.load("emnist", in: folder.folder).file("own.zip", of: "emnist")
    #expect(file.sha256 == Self.sum)
    #expect(file.urls == ["file:///own.zip"])
  }

  @Test(arguments: [
    ("../a", sum, "http://a/b", "expected a plain file name, got \"../a\""),
    (".a", sum, "http://a/b", "expected a plain file name, got \".a\""),
    ("", sum, "http://a/b", "expected a plain file name, got \"\""),
    (
      "a", "12", "http://a/b",
      "a: expected 64 lower-case hexadecimal digits as sha256, got \"12\""
    ),
    ("a", sum, "ftp://a/b", "a: expected an http, https or file address, got \"ftp://a/b\""),
    ("a", sum, "/a/b", "a: expected an http, https or file address, got \"/a/b\""),
  ])
  func refusesEntriesThatCannotBeUsed(
    filename: String, sum: String, url: String, complaint: String
  ) throws {
    let folder = try TemporaryFolder()
    try folder.writeMetadata("mnist", filename: filename, sha256: sum, urls: [url])
    let error = #expect(throws: DataError.self) {
      try Metadata.load("mnist", in: folder.folder)
    }
    let path = folder.url.appending(path: "raw/mnist/metadata.json").path(percentEncoded: false)
    #expect(error?.description == "\(path): \(complaint)")
    #expect(error?.kind == .unusable)
  }

  @Test(arguments: [0, -1, (1 << 40) + 1])
  func refusesSizes(size: Int) throws {
    let folder = try TemporaryFolder()
    let json =
      #"{"files": [{"filename": "a", "sha256": "\#(Self.sum)", "size": \#(size), "#
      + #""urls": ["http://a/b"]}]}"#
    try folder.write(Data(json.utf8), to: "raw/mnist/metadata.json")
    let error = #expect(throws: DataError.self) { try Metadata.load("mnist", in: folder.folder) }
    #expect(
      error?.description.hasSuffix(
        "json: a: expected a size of 1 to 1099511627776 bytes, got \(size)") == true)
  }

  @Test func theBuiltInSizes() throws {
    let folder = try TemporaryFolder().folder
    let mnist = try Metadata.load("mnist", in: folder)
    #expect(mnist.files.map(\.size) == [9_912_422, 28_881, 1_648_877, 4_542])
    #expect(try Metadata.load("brown", in: folder).files.map(\.size) == [3_314_357])
  }

  @Test(arguments: ["", "{", "[]", "{\"files\": 1}", "{\"files\": [{\"filename\": \"a\"}]}"])
  func refusesOtherJSON(text: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(Data(text.utf8), to: "raw/mnist/metadata.json")
    let error = #expect(throws: DataError.self) {
      try Metadata.load("mnist", in: folder.folder)
    }
    #expect(error?.description.contains("raw/mnist/metadata.json: expected {\"files\"") == true)
  }

  @Test func reportsAMissingFile() throws {
    let metadata = try Metadata.load("mnist", in: try TemporaryFolder().folder)
    let error = #expect(throws: DataError.self) { try metadata.file("a.gz", of: "mnist") }
    #expect(
      error?.description == "the metadata of mnist: expected the file a.gz, found no such entry")
  }
}
