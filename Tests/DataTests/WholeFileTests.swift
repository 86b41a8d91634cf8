import Foundation
import Lab
import TestSupport
import Testing

@Suite struct WholeFileTests {
  @Test func aFailureLeavesTheOldFile() throws {
    let folder = try TemporaryFolder()
    try folder.write(Data("old".utf8), to: "deep/a")
    let url = folder.url.appending(path: "deep/a")
    let refusal = DataError(.damaged, "no more")
    #expect(throws: refusal) {
      try writeWhole(to: url) { file in
        try file.write(contentsOf: Data("ne".utf8))
        throw refusal
      }
    }
    #expect(try folder.read("deep/a") == Data("old".utf8))
    #expect(try folder.names(in: "deep") == ["a"])
    try writeWhole(to: url) { try $0.write(contentsOf: Data("new".utf8)) }
    #expect(try folder.read("deep/a") == Data("new".utf8))
    #expect(try folder.names(in: "deep") == ["a"])
  }

  @Test func twoWritersOfOneFileDoNotDisturbEachOther() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "a")
    try writeWhole(to: url) { file in
      try file.write(contentsOf: Data("first ".utf8))
      try writeWhole(to: url) { try $0.write(contentsOf: Data("other".utf8)) }
      #expect(try folder.read("a") == Data("other".utf8))
      try file.write(contentsOf: Data("writer".utf8))
    }
    #expect(try folder.read("a") == Data("first writer".utf8))
    #expect(try folder.names(in: "") == ["a"])
  }

  @Test func followsNoLinkThatSomebodyPutThere() throws {
    let folder = try TemporaryFolder()
    try folder.write(Data("precious".utf8), to: "elsewhere")
    try FileManager.default.createSymbolicLink(
      at: folder.url.appending(path: ".a.part"),
      withDestinationURL: folder.url.appending(path: "elsewhere"))
    try writeWhole(to: folder.url.appending(path: "a")) {
      try $0.write(contentsOf: Data("new".utf8))
    }
    #expect(try folder.read("elsewhere") == Data("precious".utf8))
    #expect(try folder.read("a") == Data("new".utf8))
  }

  @Test func removesWhatAKilledProgramLeft() throws {
    let folder = try TemporaryFolder()
    // The second one is of earlier versions; the others are not this program's.
    let left = [".lab-00c0ffee00c0ffee.part", ".a.part"]
    let foreign = [".c.part", ".lab-00c0ffee.part", "lab-00c0ffee00c0ffee.part"]
    for name in left + foreign { try folder.write(Data("1".utf8), to: name) }
    try writeWhole(to: folder.url.appending(path: "a")) { file in
      // A file that is being written is not one that was left.
      try writeWhole(to: folder.url.appending(path: "b")) { try $0.write(contentsOf: Data()) }
      try file.write(contentsOf: Data("2".utf8))
    }
    #expect(try folder.read("a") == Data("2".utf8))
    #expect(try folder.names(in: "") == (foreign + ["a", "b"]).sorted())
  }

  @Test func replacesFilesOnly() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.url.appending(path: "pipe")
    #expect(mkfifo(pipe.path(percentEncoded: false), 0o600) == 0)
    try folder.write(Data(), to: "folder/file")
    for (url, kind) in [
      (pipe, "device, pipe or socket"), (folder.url.appending(path: "folder"), "folder"),
    ] {
      let path = url.path(percentEncoded: false)
      #expect(throws: DataError(.unusable, "cannot write \(path): expected a file, got a \(kind)"))
      {
        try writeWhole(to: url) { try $0.write(contentsOf: Data("1".utf8)) }
      }
    }
    #expect(try folder.names(in: "") == ["folder", "pipe"])
  }

  @Test func controlCharactersOfNamesAreNotInMessages() throws {
    let folder = try TemporaryFolder()
    try folder.write(Data(), to: "a\u{1b}[2J\nb")
    let error = #expect(throws: DataError.self) {
      try writeWhole(to: folder.url.appending(path: "a\u{1b}[2J\nb/c")) { _ in }
    }
    #expect(error?.description.contains("a\u{fffd}[2J\u{fffd}b") == true)
  }

  @Test func namesAFolderThatCannotBeMade() throws {
    let folder = try TemporaryFolder()
    try folder.write(Data(), to: "file")
    let error = #expect(throws: DataError.self) {
      try writeWhole(to: folder.url.appending(path: "file/a")) { _ in }
    }
    #expect(error?.kind == .unusable)
    #expect(error?.description.contains("\n") == false)
  }
}
