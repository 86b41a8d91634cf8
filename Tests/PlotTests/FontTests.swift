import Foundation
import Plot
import Testing

struct FontTests {
  /// The fonts of Debian's fonts-dejavu-core 2.37, so that figures stay the same to a pixel.
  @Test(arguments: [
    (Font.sansSerif, 759_720, "DejaVuSans.ttf"), (.monospaced, 343_140, "DejaVuSansMono.ttf"),
  ])
  func fontsAreWhole(font: Font, size: Int, name: String) throws {
    #expect(font.file.bytes.count == size)
    let installed = URL(fileURLWithPath: "/usr/share/fonts/truetype/dejavu/\(name)")
    if let bytes = try? Data(contentsOf: installed), bytes.count == size {
      #expect(font.file.bytes == Array(bytes))
    }
    // A cut file would have no such glyphs: the first and one of the last of the table.
    let typeface = try Typeface(font.file)
    #expect(typeface.width(of: "A") > 0.5 && typeface.width(of: "\u{FB02}") > 0.5)
  }

  @Test func onlyTheMonospacedFontHasEqualWidths() throws {
    let widths = try Font.allCases.map { font in
      let typeface = try Typeface(font.file)
      return (narrow: typeface.width(of: "Il1"), wide: typeface.width(of: "WMQ"))
    }
    #expect(widths[0].narrow < widths[0].wide)
    #expect(widths[1].narrow == widths[1].wide)
  }

  @Test func figuresUseTheirFont() throws {
    var figure = Figure(size: (3, 3))
    figure[0].title = "l → 1"
    let first = try figure.draw().bitmap
    figure.font = .monospaced
    #expect(try figure.draw().bitmap != first)
  }
}
