import Plot
import Testing

struct ImageTests {
  @Test func bytesBecomeValuesFromZeroToOne() {
    let image = Image(width: 3, height: 1, bytes: [0, 51, 255])
    #expect(image == Image(width: 3, height: 1, values: [0, 0.2, 1]))
  }

  @Test func readsWhatSaveImageWrites() throws {
    try withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("image.png").path
      let image = Image(width: 2, height: 2, bytes: [0, 100, 200, 255])
      try saveImage([image], to: path)
      #expect(try Image(contentsOf: path) == image)
      #expect(
        try Image(contentsOf: path, channels: 3)
          == Image(
            width: 2, height: 2, channels: 3,
            bytes: [0, 0, 0, 100, 100, 100, 200, 200, 200, 255, 255, 255]))
    }
  }

  @Test func aMissingFileIsOneLine() {
    #expect(throws: PlotError("cannot read no/such.png: No such file or directory")) {
      try Image(contentsOf: "no/such.png")
    }
  }
}
