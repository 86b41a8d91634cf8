import Foundation
import Fuzzing
import Plot
import Testing

/// Damaged PNG files give an error of one line; `make fuzz` tries many more.
struct PNGFuzzTests {
  @Test func damagedFilesAreRefusedInOneLine() throws {
    let gray = Bitmap(width: 5, height: 4, channels: 1, bytes: (0..<20).map { UInt8(10 * $0) })
    let color = Bitmap(width: 3, height: 3, channels: 3, bytes: (0..<27).map { UInt8(9 * $0) })
    let seeds = try [encodePNG(gray), encodePNG(color, dpi: 100)] + otherKinds
    for seed in seeds { #expect(try decodeImage(seed, named: "seed", channels: 1).width > 0) }
    let outcome = try Fuzzer("png").run(
      seeds,
      repair: { file, mutator in
        // Otherwise most files would be refused for their checksums alone.
        if mutator.integer(below: 4) > 0 { repairSums(of: &file) }
      },
      read: { file in
        for channels in [1, 3] {
          _ = try Image(contentsOf: file.path(percentEncoded: false), channels: channels)
        }
      })
    #expect(outcome.refused > 100)
    #expect(outcome.complaints == [])
  }

  /// Found by fuzzing: libpng allocated two gigabytes, as claimed by the chunk.
  @Test func chunksLongerThanTheFileAreRefused() throws {
    let png = try encodePNG(Bitmap(width: 2, height: 1, channels: 1, bytes: [1, 2]))
    let chunk: [UInt8] = [0x7F, 0xFF, 0xFF, 0xFF] + Array("tEXt".utf8) + [0, 0, 0, 0]
    let text = "cannot read a.png as PNG: it is cut, or a chunk of it claims to be longer"
    #expect(throws: PlotError(text)) {
      try decodeImage(Array(png[..<33] + chunk + png[33...]), named: "a.png", channels: 1)
    }
    #expect(throws: PlotError(text)) {
      try decodeImage(Array(png[..<33] + chunk[..<8]), named: "a.png", channels: 1)
    }
  }

  /// Phones' files: damage in their markers, tables and scans.
  @Test func damagedJPEGFilesAreRefusedInOneLine() throws {
    let seed = Array(try #require(JPEGTests.file))
    let outcome = try Fuzzer("jpeg").run([seed]) { file in
      for channels in [1, 3] {
        _ = try Image(contentsOf: file.path(percentEncoded: false), channels: channels)
      }
    }
    #expect(outcome.refused > 50)
    #expect(outcome.complaints == [])
  }

  @Test func moreImageThanTheFileCanHoldIsRefused() throws {
    var png = try encodePNG(Bitmap(width: 2, height: 1, channels: 1, bytes: [1, 2]))
    // 8192 × 8192 pixels.
    (png[18], png[19], png[22], png[23]) = (0x20, 0, 0x20, 0)
    repairSums(of: &png)
    let text = "cannot read a.png: 8192 × 8192 pixels do not fit into \(png.count) bytes"
    #expect(throws: PlotError(text)) { try decodeImage(png, named: "a.png", channels: 1) }
  }

  /// Formats that our encoder does not write: a palette with transparency, 16 bits with alpha, 1 bit
  /// interlaced; each with a text chunk.
  private var otherKinds: [[UInt8]] {
    get throws {
      try [
        Self.palette, Self.deep, Self.interlaced,
      ].map { [UInt8](try #require(Data(base64Encoded: $0))) }
    }
  }

  private static let palette =
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAACAgMAAAACxpXwAAAADFBMVEUAAAD/AAAA/wD///+2fNpDAAAAAnRS"
    + "TlMAgJsrThgAAAADdEVYdGEAYtxJojsAAAAMSURBVHjaY5BmeAIAATkBAHuZQjcAAAAASUVORK5CYII="
  private static let deep =
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACEAYAAAAiJtFnAAAABGdBTUEAALGPC/xhBQAAABF6VFh0awAAeJwr"
    + "Sa0oKSGAASZ+D+4hn+PkAAAAHUlEQVR42mNgYJCOMNsQxJGb0LFjicD+DDTurQMAtw8M0V8NyJUAAAAASUVO"
    + "RK5CYII="
  private static let interlaced =
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADAQAAAAEESsjDAAAAAXNSR0IArs4c6QAAAAxJREFUeNpjWMqABAEf"
    + "owSE7iwBQQAAAABJRU5ErkJggg=="

  /// Corrects the checksum of each chunk.
  private func repairSums(of file: inout [UInt8]) {
    var offset = 8
    while offset + 12 <= file.count {
      let length = file[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= file.count - offset - 12 else { return }
      let end = offset + 8 + length
      let sum = crc(file[offset + 4..<end])
      for i in 0..<4 { file[end + i] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * (3 - i))) }
      offset = end + 4
    }
  }
}
