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
