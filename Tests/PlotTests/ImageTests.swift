import Plot
import Testing

struct ImageTests {
  @Test func bytesAreScaledToOne() {
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

  @Test func missingFileIsAnError() {
    #expect(throws: PlotError("cannot read no/such.png: No such file or directory")) {
      try Image(contentsOf: "no/such.png")
    }
  }
}

struct ShownImageTests {
  let values: [Float] = [-1, -0.5, 0, 0.25, 0.5, 0.9, 1, 3]

  // matplotlib 3.11, one pixel per value: axes.imshow(values, cmap="gray", interpolation="nearest")
  // with or without vmin=0, vmax=1, read from canvas.buffer_rgba().

  @Test func grayscaleSpansMinimumToMaximum() {
    let shown = ShownImage(Image(width: 4, height: 2, values: values))
    #expect(shown.bitmap.bytes == [0, 32, 64, 80, 96, 121, 128, 255])
  }

  @Test func grayscaleUsesAGivenRange() {
    let shown = ShownImage(Image(width: 4, height: 2, values: values), range: 0...1)
    #expect(shown.bitmap.bytes == [0, 0, 0, 64, 128, 230, 255, 255])
  }

  @Test func constantImagesAreBlackAndNaNIsWhite() {
    #expect(ShownImage(Image(width: 2, height: 1, values: [2, 2])).bitmap.bytes == [0, 0])
    let odd = Image(width: 4, height: 1, values: [0, .nan, 1, .infinity])
    #expect(ShownImage(odd).bitmap.bytes == [0, 255, 255, 255])
    #expect(ShownImage(Image(width: 1, height: 1, values: [.nan])).bitmap.bytes == [255])
  }

  @Test func bytesFromBlackToWhiteAreUnchanged() {
    let bytes = Array(UInt8.min...255)
    #expect(ShownImage(Image(width: 16, height: 16, bytes: bytes)).bitmap.bytes == bytes)
  }

  @Test func rgbIsClamped() {
    let image = Image(width: 2, height: 1, channels: 3, values: [-1, 0, 0.3, 0.5, 0.999, 1.5])
    #expect(ShownImage(image).bitmap.bytes == [0, 0, 76, 127, 254, 255])
  }

  @Test(
    arguments: [
      // Enlarged by 9, not by 9.6, so that all pixels have the same size.
      (28, 28, 270, 290, Rectangle(x: 9, y: 19, width: 252, height: 252)),
      (28, 28, 55, 28, Rectangle(x: 13, y: 0, width: 28, height: 28)),
      (952, 28, 476, 100, Rectangle(x: 0, y: 43, width: 476, height: 14)),
      (1000, 1, 10, 10, Rectangle(x: 0, y: 4, width: 10, height: 1)),
    ])
  func frameIsCentered(
    width: Int, height: Int, areaWidth: Int, areaHeight: Int, frame: Rectangle
  ) {
    let values = [Float](repeating: 0, count: width * height)
    let shown = ShownImage(Image(width: width, height: height, values: values))
    let area = Rectangle(x: 0, y: 0, width: areaWidth, height: areaHeight)
    #expect(shown.frame(in: area) == frame)
  }
}
