import Foundation

/// A picture file of one character, and the character in it.
///
/// ```swift
/// let picture = try CharacterPicture(contentsOf: URL(filePath: "photo.jpg"))
/// picture.character.pixels  // 784 numbers in 0...1
/// ```
///
/// The file may be PNG or JPEG, gray or colored, with a transparent background, and turned as its EXIF
/// data say. Where ink and paper are about equally light, their colors count.
public struct CharacterPicture: Sendable {
  /// The picture in which the character was found: gray values from 0 for black to 1 for white, in
  /// row-major order. Pictures of 3000 pixels and more in a direction are shrunk.
  public let gray: [Float]
  public let width: Int
  public let height: Int
  /// The character.
  public let character: CharacterImage

  /// Below this contrast of ink and paper their colors are looked at.
  private static let weakContrast: Float = 0.15

  /// - Throws: ``DataError`` if the file cannot be read, or does not show one character.
  public init(contentsOf file: URL) throws {
    let read = try PictureFile(contentsOf: file, longest: 1500)
    var picture = try read.gray
    var found = PaperAndInk(picture)
    if found?.strength ?? 0 < Self.weakContrast {
      let hues = try read.hues
      if let colored = PaperAndInk(hues), colored.strength > 3 * (found?.strength ?? 0) {
        (picture, found) = (hues, colored)
      }
    }
    guard let found else {
      throw DataError(.damaged, "\(read.name): expected a character, got a picture of one colour")
    }
    character = try CharacterImage(found, named: read.name)
    (gray, width, height) = (picture.values, picture.width, picture.height)
  }
}
