import Foundation
import Lab
import TestSupport
import Testing

@Suite struct BrownCorpusTests {
  private func options(_ folder: TemporaryFolder, _ lines: Lines = Lines()) -> DataOptions {
    DataOptions(source: .download, folder: folder.folder, report: lines.add)
  }

  @Test func readsFilesInTheOrderOfTheirNames() throws {
    let folder = try TemporaryFolder()
    try BrownFixture.install(in: folder)
    let text = try BrownCorpus.prepare(options(folder)).text
    #expect(String(decoding: text, as: UTF8.self) == BrownFixture.text)
    #expect(try folder.read("processed/brown/text.txt") == Data(text))
  }

  @Test func isPreparedOnce() throws {
    let folder = try TemporaryFolder()
    try BrownFixture.install(in: folder)
    let first = try BrownCorpus.prepare(options(folder))
    for path in ["downloaded", "archive"] {
      try FileManager.default.removeItem(at: folder.url.appending(path: path))
    }
    let second = try BrownCorpus.prepare(options(folder))
    #expect(first.text == second.text)
    #expect(first.sources == second.sources)
  }

  @Test func aShortenedTextIsPreparedAgain() throws {
    let folder = try TemporaryFolder()
    try BrownFixture.install(in: folder)
    _ = try BrownCorpus.prepare(options(folder))
    try folder.write(Data("The old".utf8), to: "processed/brown/text.txt")
    let text = try BrownCorpus.prepare(options(folder)).text
    #expect(String(decoding: text, as: UTF8.self) == BrownFixture.text)
  }

  @Test func refusesAnotherArchive() throws {
    let folder = try TemporaryFolder()
    // A zip archive without files is its end record alone.
    try BrownFixture.install(in: folder, bytes: Data([0x50, 0x4b, 5, 6]) + Data(count: 18))
    let error = #expect(throws: DataError.self) { try BrownCorpus.prepare(options(folder)) }
    #expect(error?.kind == .damaged)
    #expect(
      error?.description.hasSuffix(
        "brown.zip: expected files brown/ca01 to brown/cr09 in it, found none") == true)
    #expect(!folder.exists("processed/brown/contents.json"))
  }
}
