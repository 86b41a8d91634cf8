import Foundation
import ImageFiles
import Lab
import TestSupport
import Testing

struct CharacterPictureTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// A letter of one color on another, with its opacity.
  private func write(
    ink: [UInt8], paper: [UInt8], _ name: String = "a.png"
  ) throws -> (file: URL, alike: [Float]) {
    let letter = Photograph(Photograph.letters[0].strokes, paper: 1, ink: 0)
    let bytes = letter.values.flatMap { share in
      zip(ink, paper).map { UInt8(Float($0) + (Float($1) - Float($0)) * share) }
    }
    let image = FileImage(
      width: letter.width, height: letter.height, channels: ink.count, bytes: bytes)
    let url = folder.url.appending(path: name)
    try Data(image.encoded()).write(to: url)
    let plain = try CharacterImage(
      gray: letter.values, width: letter.width, height: letter.height, named: "plain")
    return (url, plain.pixels)
  }

  @Test(
    arguments: [
      ([0, 0, 0], [255, 255, 255]), ([255, 240, 200], [20, 40, 60]),
      // Equally light: green on pink, blue on gray.
      ([60, 172, 60], [224, 120, 120]), ([80, 80, 250], [103, 103, 103]),
    ] as [([UInt8], [UInt8])])
  func colorsAreRead(ink: [UInt8], paper: [UInt8]) throws {
    let (file, alike) = try write(ink: ink, paper: paper)
    let pixels = try CharacterPicture(contentsOf: file).character.pixels
    #expect(zip(pixels, alike).allSatisfy { abs($0 - $1) < 0.1 })
  }

  @Test(
    arguments: [
      ([255, 255, 255, 255], [255, 255, 255, 0]), ([255, 245, 220, 255], [0, 0, 0, 0]),
      ([0, 0, 0, 255], [0, 0, 0, 0]), ([128, 128, 128, 255], [128, 128, 128, 0]),
      // A sheet that is not transparent.
      ([30, 30, 90, 255], [230, 230, 210, 255]),
    ] as [([UInt8], [UInt8])])
  func transparencyIsPaper(ink: [UInt8], paper: [UInt8]) throws {
    let (file, alike) = try write(ink: ink, paper: paper)
    let pixels = try CharacterPicture(contentsOf: file).character.pixels
    #expect(zip(pixels, alike).allSatisfy { abs($0 - $1) < 0.1 })
  }

  @Test func otherFilesAreOneLine() throws {
    let file = folder.url.appending(path: "a.png")
    try Data().write(to: file)
    let path = file.path(percentEncoded: false)
    for (url, text) in [
      (file, "cannot read \(path): expected a PNG or JPEG file, got an empty file"),
      (URL(filePath: path + "x"), "cannot read \(path)x: No such file or directory"),
      (folder.url, "cannot read \(folder.url.path(percentEncoded: false)): Is a directory"),
    ] {
      #expect(throws: DataError(.damaged, text)) { try CharacterPicture(contentsOf: url) }
    }
  }

  @Test func blankPicturesAreOneLine() throws {
    for paper in [[200, 200, 200], [200, 200, 200, 255], [0, 0, 0, 0]] as [[UInt8]] {
      let (file, _) = try write(ink: paper, paper: paper)
      let text =
        "\(file.path(percentEncoded: false)): expected a character, got a picture of one colour"
      #expect(throws: DataError(.damaged, text)) { try CharacterPicture(contentsOf: file) }
    }
  }
}
