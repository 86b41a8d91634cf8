import Foundation
import Lab
import TestSupport
import Testing

/// Two files that are prepared: `a` has the bytes 1, 2, 3, and `b` none.
@Suite struct PreparedFolderTests {
  private struct Recipe: Codable, Equatable {
    var version = 1
  }

  let folder: TemporaryFolder
  let lines = Lines()

  init() throws {
    folder = try TemporaryFolder()
  }

  private static let failure = DataError(.unusable, "cannot read a: too many open files")

  private func prepare(
    version: Int = 1, load: ((URL) throws -> Data)? = nil, make: ((URL) throws -> Void)? = nil
  ) throws -> Data {
    let prepared = PreparedFolder(
      url: folder.url.appending(path: "processed/x"), recipe: Recipe(version: version))
    return try prepared.prepare(
      "X", report: lines.add, files: ["a", "b"],
      load: load ?? { try Data(contentsOf: $0.appending(path: "a")) }, sizes: { ["a": $0.count] },
      make: make ?? { url in
        lines.add("made")
        try Data([1, 2, 3]).write(to: url.appending(path: "a"))
        try Data().write(to: url.appending(path: "b"))
      })
  }

  private var path: String {
    folder.url.appending(path: "processed/x").path(percentEncoded: false)
  }

  private func expectNames(_ more: [String] = []) throws {
    #expect(
      try folder.names(in: "processed/x") == ([".lock", "a", "b", "contents.json"] + more).sorted())
  }

  @Test func filesArePreparedOnce() throws {
    for _ in 0..<3 { #expect(try prepare() == Data([1, 2, 3])) }
    #expect(lines.all == ["made"])
    try expectNames()
  }

  @Test(arguments: ["a", "b"])
  func changedBytesAreNoticed(name: String) throws {
    _ = try prepare()
    // As long as before, for the file whose length is known.
    try folder.write(Data([1, 2, 4]), to: "processed/x/\(name)")
    #expect(try prepare() == Data([1, 2, 3]))
    #expect(
      lines.all == [
        "made",
        "\(path)/\(name): its bytes have changed since it was prepared: preparing X again", "made",
      ])
    #expect(try folder.read("processed/x/b") == Data())
    try expectNames()
  }

  @Test func missingFilesArePreparedAgain() throws {
    _ = try prepare()
    try FileManager.default.removeItem(at: folder.url.appending(path: "processed/x/b"))
    _ = try prepare()
    #expect(lines.all[1] == "\(path)/b: expected a file, found none: preparing X again")
    try expectNames()
  }

  @Test(arguments: ["", "{", "[]", "{\"sizes\": {}}"])
  func aDamagedRecordIsMadeAgain(text: String) throws {
    _ = try prepare()
    try folder.write(Data(text.utf8), to: "processed/x/contents.json")
    #expect(try prepare() == Data([1, 2, 3]))
    #expect(
      lines.all[1]
        == "\(path)/contents.json: expected a record of prepared files: preparing X again")
  }

  @Test func aPassingErrorIsNotDamage() throws {
    _ = try prepare()
    let before = try folder.read("processed/x/contents.json")
    #expect(throws: Self.failure) { try prepare(load: { _ in throw Self.failure }) }
    #expect(lines.all == ["made"])
    #expect(try folder.read("processed/x/contents.json") == before)
    #expect(try prepare() == Data([1, 2, 3]))
    #expect(lines.all == ["made"])
  }

  @Test func aFileThatCannotBeReadIsNotDamage() throws {
    _ = try prepare()
    // Reading a folder fails even for the superuser.
    let file = folder.url.appending(path: "processed/x/a")
    try FileManager.default.moveItem(at: file, to: folder.url.appending(path: "saved"))
    try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
    let error = #expect(throws: DataError.self) {
      try prepare(load: { url in
        try withFile(url, "read") { try Data(contentsOf: url.appending(path: "a")) }
      })
    }
    #expect(error?.kind == .unusable)
    #expect(lines.all == ["made"])
    try expectNames()
  }

  @Test(arguments: [DataError(.unusable, "no more"), DataError(.unavailable, "no net")])
  func whatIsThereStaysUntilTheNewFilesAreComplete(failure: DataError) throws {
    _ = try prepare()
    let note =
      failure.kind == .unavailable ? "; the files in \(path) have another source and stay" : ""
    #expect(throws: DataError(failure.kind, failure.description + note)) {
      try prepare(
        version: 2,
        make: { url in
          try Data([7]).write(to: url.appending(path: "a"))
          throw failure
        })
    }
    #expect(try prepare() == Data([1, 2, 3]))
    #expect(lines.all == ["made"])
    try expectNames()
  }

  @Test func damageThatCannotBeMendedIsReported() throws {
    _ = try prepare()
    try folder.write(Data([1, 2, 4]), to: "processed/x/a")
    let expected = DataError(
      .damaged,
      "\(path)/a: its bytes have changed since it was prepared, and it cannot be prepared again: "
        + "no net")
    #expect(throws: expected) {
      try prepare(make: { _ in throw DataError(.unavailable, "no net") })
    }
    #expect(try folder.read("processed/x/a") == Data([1, 2, 4]))
  }

  @Test func removesWhatKilledProgramsLeft() throws {
    _ = try prepare()
    let left = [
      ".preparing-00c0ffee00c0ffee/train", ".train-images-idx3-ubyte.part", "emnist-byclass.mat",
      ".emnist-byclass.mat-6B29FC40-CA47-1067-B31D-00DD010662DA", ".contents.json.part",
      ".lab-00c0ffee00c0ffee.part",
    ]
    for name in left {
      try folder.write(Data("1".utf8), to: "processed/x/\(name)")
      try folder.write(Data("1".utf8), to: "processed/y/\(name)")
      try folder.write(Data("1".utf8), to: "processed/somebody else's/\(name)")
    }
    try folder.write(Data(), to: "processed/y/.lock")
    for name in [".preparing", ".own.part", "own.mat"] {
      try folder.write(Data(), to: "processed/x/\(name)")
    }
    let lock = folder.url.appending(path: "processed/y/.lock")
    try FileLock.hold(lock, onWait: {}) { _ = try prepare() }
    try expectNames([".preparing", ".own.part", "own.mat"])
    // Another program is preparing there, or was when it was killed.
    #expect(try folder.names(in: "processed/y").count == 7)
    _ = try prepare()
    #expect(try folder.names(in: "processed/y") == [".lock"])
    #expect(try folder.names(in: "processed/somebody else's").count == 6)
  }
}
