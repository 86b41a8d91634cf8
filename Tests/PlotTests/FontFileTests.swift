import Foundation
import Plot
import Testing

struct FontFileTests {
  @Test func anInstalledFontIsFound() throws {
    let font = try FontFile.standard.get()
    #expect(FileManager.default.fileExists(atPath: font.path))
  }

  @Test func withoutFontsOneLineSaysWhatToInstall() {
    let expected = PlotError(
      "found no font to write titles with; install one: apt-get install fonts-dejavu-core "
        + "(macOS: brew install --cask font-dejavu)")
    #expect(throws: expected) { try FontFile(family: "DejaVu Sans", among: []) }
  }

  @Test func anotherFontIsTakenWhenTheFamilyIsMissing() throws {
    let installed = try FontFile.standard.get()
    #expect(try FontFile(family: "No Such Font", among: [installed.path]) == installed)
  }
}
