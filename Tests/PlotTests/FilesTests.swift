import Foundation
import Plot
import Testing

struct FilesTests {
  let image = Image(width: 1, height: 1, values: [0])

  @Test func missingFoldersAreCreated() throws {
    try withTemporaryFolder { folder in
      let inner = folder.appendingPathComponent("a/b")
      try saveImage([image], to: inner.appendingPathComponent("c.png").path)
      #expect(try FileManager.default.contentsOfDirectory(atPath: inner.path) == ["c.png"])
    }
  }

  @Test func filesAreReplaced() throws {
    try withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("a.png").path
      try saveImage(
        [Image(width: 9, height: 9, values: [Float](repeating: 1, count: 81))], to: path)
      try saveImage([image], to: path)
      #expect(try Image(contentsOf: path) == image)
    }
  }

  @Test func linksStayAndTheirTargetIsReplaced() throws {
    try withTemporaryFolder { folder in
      func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
      try FileManager.default.createDirectory(
        atPath: path("inner"), withIntermediateDirectories: true)
      let link = { try FileManager.default.createSymbolicLink(atPath: $0, withDestinationPath: $1) }
      try link(path("a.png"), "b.png")
      try link(path("b.png"), "inner/c.png")
      // First to where there is nothing yet.
      for value in [Float(0), 1] {
        let image = Image(width: 1, height: 1, values: [value])
        try saveImage([image], to: path("a.png"))
        #expect(try Image(contentsOf: path("inner/c.png")) == image)
      }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: path("")).sorted()
          == ["a.png", "b.png", "inner"])
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path("a.png")) == "b.png")
    }
  }

  @Test func devicesAndPipesAreWrittenToAndStay() throws {
    // By a link: a mistake replaces only that.
    try withTemporaryFolder { folder in
      let link = folder.appendingPathComponent("null").path
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/null")
      try saveImage([image], to: link)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "/dev/null")
      let pipe = folder.appendingPathComponent("pipe").path
      try #require(mkfifo(pipe, 0o600) == 0)
      // Open for reading and writing, neither waits for the other.
      let end = open(pipe, O_RDWR)
      defer { close(end) }
      try writeFile([1, 2, 3], to: pipe)
      #expect(try FileHandle(fileDescriptor: end).read(upToCount: 3) == Data([1, 2, 3]))
      let type = try FileManager.default.attributesOfItem(atPath: pipe)[.type]
      #expect(type as? FileAttributeType != .typeRegular)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
          == ["null", "pipe"])
    }
  }

  @Test func modesAreKept() throws {
    try withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("a.png").path
      try saveImage([image], to: path)
      try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
      try saveImage([image], to: path)
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
      #expect(mode as? Int == 0o640)
    }
  }

  #if os(Linux)
    @Test func fullDevicesAreErrors() {
      #expect(throws: PlotError("cannot write /dev/full: No space left on device")) {
        try saveImage([image], to: "/dev/full")
      }
      #expect(FileManager.default.fileExists(atPath: "/dev/full"))
    }

    @Test func endlessFilesAreErrors() {
      #expect(
        throws: PlotError("cannot read /dev/zero: expected an image file of at most 512 MiB")
      ) {
        try Image(contentsOf: "/dev/zero")
      }
    }
  #endif

  @Test func errorsNameThePath() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("file").path
      try saveImage([image], to: file)
      #expect(throws: PlotError("cannot write \(file)/a.png: folder \(file): File exists")) {
        try saveImage([image], to: file + "/a.png")
      }
      #expect(throws: PlotError("cannot write \(folder.path): Is a directory")) {
        try saveImage([image], to: folder.path)
      }
    }
  }
}
