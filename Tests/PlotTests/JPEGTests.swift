import Foundation
import ImageFiles
import Plot
import Testing

struct JPEGTests {
  /// 48 × 36 pixels of an "L" that lies on its side: EXIF orientation 6. Made with libjpeg-turbo 2.1:
  /// blue ink (30, 30, 120) on paper (235, 230, 215), quality 50.
  static let file = Data(
    base64Encoded: """
      /9j/4QAiRXhpZgAASUkqAAgAAAABABIBAwABAAAABgAAAAAAAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0o
      OjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2Nj
      Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAkADADASIAAhEBAxEB/8QAFwABAQEBAAAA
      AAAAAAAAAAAAAAUGB//EACcQAAEBBQgCAwAAAAAAAAAAAAACAQQFFqMDBhESVGXR4jZBcYKy/8QAGAEBAAMBAAAAAAAA
      AAAAAAAAAAECAwT/xAAfEQACAgIBBQAAAAAAAAAAAAAAAQIRAxIxIUFSgfD/2gAMAwEAAhEDEQA/ANmADMsAAAAc4vZ5
      G9/T8JOjms8eiTvkhOwR5pg2spL4LBkJG3Gh2GNQd7ug77FeaYNrKS+BNMG1lJfBIkbcaHYSNuNDsa64PJ/eiOpBvC9W
      L7Gnh4dl57JeXKrBrMcEsZ7+DppkJG3Gh2NeVzTi1FRfASYABzlgAAAAAD//2Q==
      """, options: .ignoreUnknownCharacters)

  @Test(arguments: [1, 3, 4]) func isReadUpright(channels: Int) throws {
    let file = Array(try #require(Self.file))
    let image = try FileImage(decoding: file, named: "a.jpg", channels: channels)
    #expect((image.width, image.height, image.channels) == (36, 48, channels))
    func pixel(_ x: Int, _ y: Int) -> [Int] {
      let start = (y * 36 + x) * channels
      return image.bytes[start..<start + channels].map(Int.init)
    }
    func expect(_ x: Int, _ y: Int, _ red: Int, _ green: Int, _ blue: Int) {
      let gray = Int(0.299 * Double(red) + 0.587 * Double(green) + 0.114 * Double(blue))
      let expected = channels == 1 ? [gray] : Array([red, green, blue, 255].prefix(channels))
      let pixel = pixel(x, y)
      #expect(zip(pixel, expected).allSatisfy { abs($0 - $1) < 30 }, "\(pixel), \(expected)")
    }
    // The stem is on the left, the foot at the bottom.
    expect(10, 20, 30, 30, 120)
    expect(25, 37, 30, 30, 120)
    expect(25, 20, 235, 230, 215)
    expect(30, 37, 235, 230, 215)
  }

  @Test func isReadAsAnImage() throws {
    try withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("named wrongly.png").path
      try #require(Self.file).write(to: URL(fileURLWithPath: path))
      let image = try Image(contentsOf: path)
      #expect((image.width, image.height) == (36, 48))
    }
  }

  @Test func cutFilesAreOneLine() throws {
    let file = Array(try #require(Self.file))
    for count in stride(from: 3, to: file.count - 2, by: 7) {
      let error = #expect(throws: FileImageError.self) {
        try FileImage(decoding: Array(file.prefix(count)), named: "a.jpg", channels: 3)
      }
      let text = error?.description ?? ""
      #expect(text.hasPrefix("cannot read a.jpg as JPEG: ") && !text.contains("\n"), "\(text)")
    }
  }

  /// The frame header of the file claims 65,500 × 65,500 pixels.
  @Test func hugePicturesAreRefusedBeforeTheyTakeMemory() throws {
    var file = Array(try #require(Self.file))
    let frame = try #require(file.indices.first { file[$0] == 0xFF && file[$0 + 1] == 0xC0 })
    file.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0xDC, 0xFF, 0xDC])
    let text =
      "cannot read a.jpg: expected at most 67108864 pixels, got 65500 × 65500; make the picture smaller"
    #expect(throws: FileImageError(description: text)) {
      try FileImage(decoding: file, named: "a.jpg", channels: 1)
    }
    file.replaceSubrange(frame + 5..<frame + 9, with: [0x1F, 0xFF, 0x1F, 0xFF])
    let other = "cannot read a.jpg: 8191 × 8191 pixels do not fit into \(file.count) bytes"
    #expect(throws: FileImageError(description: other)) {
      try FileImage(decoding: file, named: "a.jpg", channels: 1)
    }
  }
}

struct FileKindTests {
  @Test(arguments: [
    ("", "an empty file"), ("RIFF\u{1}\u{2}\u{3}\u{4}WEBPVP8 ", "a WebP file; convert it to PNG"),
    ("GIF89a", "a GIF file; convert it to PNG"), ("II*\0", "a TIFF file; convert it to PNG"),
    ("\0\0\0\u{18}ftypheic", "a HEIC file; convert it to PNG"), ("no picture", "something else"),
  ])
  func otherFilesAreNamed(text: String, kind: String) {
    let expected = "cannot read a.png: expected a PNG or JPEG file, got \(kind)"
    #expect(throws: FileImageError(description: expected)) {
      try FileImage(decoding: Array(text.utf8), named: "a.png", channels: 1)
    }
  }
}

struct OrientationTests {
  /// 2 × 3 pixels: 1 2, 3 4, 5 6.
  let image = FileImage(width: 2, height: 3, channels: 1, bytes: [1, 2, 3, 4, 5, 6])

  @Test(arguments: [
    (1, 2, [1, 2, 3, 4, 5, 6]), (2, 2, [2, 1, 4, 3, 6, 5]), (3, 2, [6, 5, 4, 3, 2, 1]),
    (4, 2, [5, 6, 3, 4, 1, 2]), (5, 3, [1, 3, 5, 2, 4, 6]), (6, 3, [5, 3, 1, 6, 4, 2]),
    (7, 3, [6, 4, 2, 5, 3, 1]), (8, 3, [2, 4, 6, 1, 3, 5]), (9, 2, [1, 2, 3, 4, 5, 6]),
  ])
  func pngsAreTurned(number: UInt8, width: Int, bytes: [UInt8]) throws {
    let file = try image.encoded()
    for exif in [
      [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, number, 0, 0],
      [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, number, 0, 0, 0],
    ] as [[UInt8]] {
      // Between the header, which ends at byte 33, and the pixels.
      let chunk = [0, 0, 0, UInt8(exif.count)] + Array("eXIf".utf8) + exif
      let sum = crc(chunk[4...])
      let sumBytes = (0..<4).map { UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * $0)) }
      let turned = try FileImage(
        decoding: Array(file[..<33]) + chunk + sumBytes + Array(file[33...]), named: "a.png",
        channels: 1)
      #expect(turned.width == width && turned.bytes == bytes)
    }
  }
}

/// The cyclic redundancy check of PNG and zip.
func crc(_ bytes: ArraySlice<UInt8>) -> UInt32 {
  ~bytes.reduce(UInt32.max) { sum, byte in
    (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0) }
  }
}
