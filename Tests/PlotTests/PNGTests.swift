import Foundation
import Plot
import Testing

struct PNGTests {
  /// 3 × 2 pixels, none of which is gray.
  let colored = Bitmap(
    width: 3, height: 2, channels: 3,
    bytes: [255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 40, 50, 60, 250, 251, 252])

  @Test func roundTrips() throws {
    let file = try encodePNG(colored)
    #expect(try decodeImage(file, named: "", channels: 3) == colored)
    let gray = Bitmap(width: 256, height: 1, channels: 1, bytes: Array(0...255))
    #expect(try decodeImage(encodePNG(gray), named: "", channels: 1) == gray)
  }

  @Test func headerHasSizeDepthAndColorType() throws {
    // Width, height, then bit depth 8 and color type: 2 is RGB, 0 is gray.
    #expect(try chunk("IHDR", of: encodePNG(colored)) == [0, 0, 0, 3, 0, 0, 0, 2, 8, 2, 0, 0, 0])
    let gray = Bitmap(width: 1, height: 1, channels: 3, bytes: [9, 9, 9])
    #expect(try chunk("IHDR", of: encodePNG(gray)) == [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0])
  }

  @Test(arguments: [(72.0, 2835), (100, 3937), (150, 5906), (300, 11811)])
  func physHasPixelsPerMeter(dpi: Double, perMetre: Int) throws {
    let number = [0, 0, UInt8(perMetre / 256), UInt8(perMetre % 256)]
    #expect(try chunk("pHYs", of: encodePNG(colored, dpi: dpi)) == number + number + [1])
  }

  @Test func writesOnlyPixelsAndDpi() throws {
    #expect(try chunks(of: encodePNG(colored, dpi: 100)) == ["IHDR", "pHYs", "IDAT", "IEND"])
    #expect(try chunks(of: encodePNG(colored)) == ["IHDR", "IDAT", "IEND"])
  }

  // Made with Pillow 12: Image.fromarray(array).save(file, "PNG"), file in base64.
  @Test(
    arguments: [
      // np.uint16 [[0, 0x4000, 0x8080, 0xffff]]
      (
        """
        iVBORw0KGgoAAAANSUhEUgAAAAQAAAABEAAAAACMx4xSAAAAEUlEQVR4nGNgYHBgaGj4/x8ACAYDP37aiqcAAAAA
        SUVORK5CYII=
        """, 1, [0, 64, 128, 255]
      ),
      // RGBA: red, a transparent black, and a dark color
      (
        """
        iVBORw0KGgoAAAANSUhEUgAAAAMAAAABCAYAAAAb4BS0AAAAFUlEQVR4nGP4z8Dwn4GBgYFLRO4/ABaXAzp+cBcr
        AAAAAElFTkSuQmCC
        """, 3, [255, 0, 0, 255, 255, 255, 10, 20, 30]
      ),
      // a palette of black and white
      (
        """
        iVBORw0KGgoAAAANSUhEUgAAAAQAAAABAQMAAADD8p2OAAAABlBMVEUAAAD///+l2Z/dAAAACklEQVR4nGNIAAAA
        YgBhsZh58gAAAABJRU5ErkJggg==
        """, 1, [0, 255, 255, 0]
      ),
      // RGB of gray pixels
      (
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAABCAIAAACZnPOkAAAAGElEQVR4nGNkYGDw9fU1Njb28PAwNzcHABRXAv/drQdY
        AAAAAElFTkSuQmCC
        """, 1, [0, 77, 128, 200, 255]
      ),
    ])
  func readsOtherFormats(base64: String, channels: Int, bytes: [UInt8]) throws {
    let file = try #require(Data(base64Encoded: base64, options: .ignoreUnknownCharacters))
    #expect(try decodeImage(Array(file), named: "", channels: channels).bytes == bytes)
  }

  @Test func damagedFilesAreErrors() throws {
    #expect(throws: PlotError("cannot read a.png: expected a PNG or JPEG file, got something else"))
    {
      try decodeImage(Array("no picture at all".utf8), named: "a.png", channels: 1)
    }
    let file = try encodePNG(colored)
    #expect(
      throws: PlotError("cannot read a.png as PNG: it is cut, or a chunk of it claims to be longer")
    ) {
      try decodeImage(Array(file.prefix(50)), named: "a.png", channels: 1)
    }
  }

  @Test func picturesLargerThanMemoryAreRefused() throws {
    var file = try encodePNG(Bitmap(width: 1, height: 1, channels: 1, bytes: [0]))
    // IHDR of 900,000 × 900,000 pixels and its checksum: zlib.crc32(b"IHDR" + data) in Python
    file.replaceSubrange(16..<24, with: [0, 0x0D, 0xBB, 0xA0, 0, 0x0D, 0xBB, 0xA0])
    file.replaceSubrange(29..<33, with: [0xF5, 0xD6, 0xCE, 0x53])
    let text =
      "cannot read a.png: expected at most 67108864 pixels, got 900000 × 900000; make the picture smaller"
    #expect(throws: PlotError(text)) { try decodeImage(file, named: "a.png", channels: 1) }
  }

  @Test func picturesThatLibpngRefusesAreErrors() {
    let wide = Bitmap(
      width: 1_000_001, height: 1, channels: 1, bytes: [UInt8](repeating: 0, count: 1_000_001))
    #expect(throws: PlotError("cannot write a PNG of 1000001 × 1 pixels: Invalid IHDR data")) {
      try encodePNG(wide)
    }
  }

  /// The names of the chunks of a PNG file and the ranges of their data.
  private func parts(of file: [UInt8]) -> [(name: String, data: Range<Int>)] {
    var parts: [(String, Range<Int>)] = []
    var start = 8
    while start < file.count {
      let count = file[start..<start + 4].reduce(0) { $0 * 256 + Int($1) }
      let name = String(decoding: file[start + 4..<start + 8], as: UTF8.self)
      parts.append((name, start + 8..<start + 8 + count))
      start += 12 + count
    }
    return parts
  }

  private func chunks(of file: [UInt8]) -> [String] { parts(of: file).map(\.name) }

  private func chunk(_ name: String, of file: [UInt8]) -> [UInt8]? {
    parts(of: file).first { $0.name == name }.map { Array(file[$0.data]) }
  }
}
