import Foundation
import Lab
import TestSupport
import Testing

@Suite struct ArchiveTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// "hello, hello, hello\n", as `gzip.compress(…, mtime=0)` compresses it.
  private static let gzip =
    Data(
      base64Encoded: "H4sIAAAAAAACA8tIzcnJ11HIQKK4AOdCblIUAAAA") ?? Data()
  private static let text = Data("hello, hello, hello\n".utf8)

  private func extract(_ zip: Data, _ name: String, limit: Int = 1 << 20) throws -> Data {
    try folder.write(zip, to: "a.zip")
    let target = folder.url.appending(path: "out/member")
    try Archive.extract(
      name, from: folder.url.appending(path: "a.zip"), to: target, limit: limit)
    return try Data(contentsOf: target)
  }

  private func gunzip(_ bytes: Data, limit: Int = 1 << 20) throws -> Data {
    try folder.write(bytes, to: "a.gz")
    let target = folder.url.appending(path: "out/member")
    try Archive.gunzip(folder.url.appending(path: "a.gz"), to: target, limit: limit)
    return try Data(contentsOf: target)
  }

  private func expectDamage(_ body: () throws -> Data) {
    let error = #expect(throws: DataError.self) { _ = try body() }
    #expect(error?.kind == .damaged)
    #expect(error?.description.contains("\n") == false)
    #expect((try? folder.names(in: "out")) ?? [] == [])
  }

  @Test func extractsAMemberByPathOrName() throws {
    #expect(try extract(EMNISTFixture.zip, "matlab/emnist-mnist.mat") == Data("another one".utf8))
    #expect(try extract(EMNISTFixture.zip, "other/emnist-mnist.mat") == Data("another one".utf8))
  }

  @Test func decompressesGzip() throws {
    #expect(try gunzip(Self.gzip) == Self.text)
  }

  @Test func anErrorOfTheSystemIsNotDamage() throws {
    // A folder cannot be read.
    let url = folder.url.appending(path: "folder")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    for name in ["folder", "missing"] {
      let error = #expect(throws: DataError.self) {
        try Archive.gunzip(
          folder.url.appending(path: name), to: folder.url.appending(path: "out"), limit: 10)
      }
      #expect(error?.kind == .unusable, "\(String(describing: error))")
      #expect(error?.description.hasPrefix("cannot read ") == true)
    }
  }

  @Test func reportsAMissingMember() throws {
    let error = #expect(throws: DataError.self) { try extract(EMNISTFixture.zip, "a/none.mat") }
    let path = folder.url.appending(path: "a.zip").path(percentEncoded: false)
    #expect(error?.description == "\(path): expected a/none.mat in it, found no such file")
  }

  @Test func refusesMoreThanTheLimit() {
    expectDamage { try extract(EMNISTFixture.zip, "emnist-byclass.mat", limit: 1000) }
    expectDamage { try gunzip(Self.gzip, limit: 10) }
  }

  @Test(arguments: [0, 1, 20, 100, 500, 2000, 4000])
  func refusesCutArchives(count: Int) {
    expectDamage { try extract(EMNISTFixture.zip.prefix(count), "emnist-byclass.mat") }
  }

  @Test func refusesChangedContents() {
    // In the middle of the compressed MATLAB file; the zip archive has a checksum.
    var zip = EMNISTFixture.zip
    zip[2000] ^= 1
    expectDamage { try extract(zip, "emnist-byclass.mat") }
  }

  @Test(arguments: [0, 1, 5, 15, 20])
  func refusesCutGzip(count: Int) {
    expectDamage { try gunzip(Self.gzip.prefix(count)) }
  }

  @Test func refusesOtherFiles() {
    expectDamage { try gunzip(Data(repeating: 65, count: 1000)) }
    expectDamage { try gunzip(EMNISTFixture.zip) }
  }

  @Test func writesWhatItReads() throws {
    let target = folder.url.appending(path: "new/out.zip")
    let noise = Data(
      (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 2_654_435_761 >> 13) })
    let members = [
      (path: "01-look/index.html", bytes: Data(String(repeating: "page ", count: 9_000).utf8)),
      (path: "01-look/그림.png", bytes: noise), (path: "01-look/empty.md", bytes: Data()),
    ]
    try Archive.writeZip(members, to: target)
    let read = try Archive.members(of: target, limit: 1 << 20) { _ in true }
    let first = try Data(contentsOf: target)
    // Names are in UTF-8; libarchive itself reads them only where the system's language has them.
    #expect(read.count == 3 && first.range(of: Data("01-look/그림.png".utf8)) != nil)
    for member in members {
      let isASCII = member.path.allSatisfy(\.isASCII)
      #expect(
        isASCII
          ? read[member.path] == Array(member.bytes) : read.values.contains(Array(member.bytes)))
    }
    #expect(first.count < 215_000)
    try Archive.writeZip(members, to: target)
    #expect(try Data(contentsOf: target) == first)
  }

  @Test(arguments: ["../a.png", "/etc/a.png", "a//b.png", "a/./b.png", ""])
  func refusesPathsThatLeadOut(path: String) throws {
    let target = folder.url.appending(path: "out.zip")
    let error = #expect(throws: DataError.self) {
      try Archive.writeZip([(path: path, bytes: Data())], to: target)
    }
    #expect(
      error?.description
        == "\(target.path(percentEncoded: false)): expected the path of a file inside it, got "
        + (path.isEmpty ? "nothing" : path))
    #expect(try folder.names(in: ".") == [])
  }
}
