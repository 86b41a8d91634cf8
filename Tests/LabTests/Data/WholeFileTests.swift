import Foundation
import Lab
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
