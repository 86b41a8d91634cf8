import Foundation

/// A photograph of a page of handwriting, and the lines on it.
///
/// ```swift
/// let page = try PagePicture(contentsOf: URL(filePath: "page.jpg"))
/// page.lines.count    // from top to bottom
/// ```
///
/// The file may be PNG or JPEG, gray or colored, dark on light or light on dark, and turned as its EXIF
/// data say. The paper may be ruled or squared, in shadow, slanted, slightly bent, and on a table. Where
/// ink and paper are about equally light, their colors count.
public struct PagePicture: Sendable {
  /// The picture in which the lines were found: gray values from 0 for black to 1 for white, in
  /// row-major order. Pictures of 2600 pixels and more in a direction are shrunk.
  public let gray: [Float]
  public let width: Int
  public let height: Int
  /// The lines from top to bottom.
  public let lines: [PageLine]

  /// The smallest height and width of a picture.
  private static let least = 16
  /// The largest number of lines.
  private static let most = 200
  /// Below this contrast of ink and paper their colors are looked at.
  private static let weakContrast: Float = 0.15

  /// - Parameter file: A PNG or JPEG file.
  /// - Throws: ``DataError`` if the file cannot be read, or does not show writing.
  public init(contentsOf file: URL) throws {
    let read = try PictureFile(contentsOf: file, longest: 1300)
    var picture = try read.gray
    (width, height) = (picture.width, picture.height)
    guard min(width, height) >= Self.least else {
      throw DataError(
        .damaged,
        "\(read.name): expected a page of at least \(Self.least) × \(Self.least) pixels, got "
          + "\(width) × \(height)")
    }
    var ink = PageInk(picture)
    if ink?.strength ?? 0 < Self.weakContrast {
      let hues = try read.hues
      if let colored = PageInk(hues), colored.strength > 3 * (ink?.strength ?? 0) {
        (picture, ink) = (hues, colored)
      }
    }
    gray = picture.values
    lines = try ink.map { try PageLine.lines($0, named: read.name, most: Self.most) } ?? []
    guard !lines.isEmpty else {
      throw DataError(.damaged, "\(read.name): expected a page of handwriting, got one without")
    }
  }
}
