import Foundation
import Plot
import Testing

struct FontTests {
  @Test func anInstalledFontIsFound() throws {
    for font in Font.allCases {
      #expect(FileManager.default.fileExists(atPath: try font.file.path))
    }
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

  @Test func missingFontsNameThePackageToInstall() {
    let expected = PlotError(
      "found no font for text in figures; install one: apt-get install fonts-dejavu-core "
        + "(macOS: brew install --cask font-dejavu)")
    #expect(throws: expected) { try FontFile(family: "DejaVu Sans", or: "sans-serif", among: []) }
  }

  @Test func missingFamilyFallsBackToTheKind() throws {
    let installed = try Font.sansSerif.file
    #expect(
      try FontFile(family: "No Such Font", or: "sans-serif", among: [installed.path]) == installed)
  }
}
