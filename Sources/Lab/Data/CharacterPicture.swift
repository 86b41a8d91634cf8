import Foundation
import ImageFiles

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
    let name = file.path(percentEncoded: false)
    func read<Result>(
      _ body: () throws(FileImageError) -> Result
    ) throws(DataError) -> Result {
      do {
        return try body()
      } catch {
        throw DataError(.damaged, error.description)
      }
    }
    let bytes = try read { () throws(FileImageError) in try readImageFile(name) }
    func decoded(_ channels: Int) throws(DataError) -> FileImage {
      try read { () throws(FileImageError) in
        try FileImage(decoding: bytes, named: name, channels: channels)
      }
    }
    let image = try decoded(1)
    var picture =
      image.hasOpacity ? try decoded(4).onPaper : image.plane { Float(image.bytes[$0]) / 255 }
    var found = PaperAndInk(picture)
    if found?.strength ?? 0 < Self.weakContrast {
      let hues = try decoded(3).hues
      if let colored = PaperAndInk(hues), colored.strength > 3 * (found?.strength ?? 0) {
        (picture, found) = (hues, colored)
      }
    }
    guard let found else {
      throw DataError(.damaged, "\(name): expected a character, got a picture of one colour")
    }
    character = try CharacterImage(found, named: name)
    (gray, width, height) = (picture.values, picture.width, picture.height)
  }
}

extension FileImage {
  /// A matrix with a value for each pixel; large ones are shrunk by a whole factor.
  ///
  /// - Parameter value: Returns the value, given the index of the pixel's first sample.
  fileprivate func plane(_ value: (Int) -> Float) -> Plane {
    Plane(
      values: (0..<width * height).map { value($0 * channels) }, width: width, height: height
    ).averaged(by: max(1, max(width, height) / 1500), isPadded: false)
  }

  /// How much each pixel's hue differs from that of the edges, which is 1; for RGB.
  fileprivate var hues: Plane {
    func difference(_ index: Int) -> Float { Float(bytes[index]) - Float(bytes[index + 1]) }
    let redGreen = plane { difference($0) / 510 }
    let yellowBlue = plane { difference($0 + 1) / 510 + difference($0) / 1020 }
    let paper = (median(redGreen.edges), median(yellowBlue.edges))
    var hues = redGreen
    hues.values = zip(redGreen.values, yellowBlue.values).map { a, b in
      let (x, y) = (a - paper.0, b - paper.1)
      return 1 - min(1, 2 * (x * x + y * y).squareRoot())
    }
    return hues
  }

  /// The gray values on paper that transparent pixels show; for RGB and opacity.
  ///
  /// If opaque pixels are a sheet with ink on it, transparent ones are like the sheet. Otherwise opaque
  /// pixels are ink, of any color, on white paper.
  fileprivate var onPaper: Plane {
    let pixels = stride(from: 0, to: bytes.count, by: 4)
    func gray(_ index: Int) -> Float {
      (0.299 * Float(bytes[index]) + 0.587 * Float(bytes[index + 1])
        + 0.114 * Float(bytes[index + 2])) / 255
    }
    let opaque = pixels.filter { bytes[$0 + 3] >= 250 }.map(gray)
    let sheet = median(opaque)
    let paper = opaque.count { abs($0 - sheet) < 0.1 }
    let other = opaque.count { abs($0 - sheet) > 0.25 }
    // Most of a sheet is paper, and some of it is ink. Ink of one color has only soft edges.
    let isSheet = other > 0 && 100 * other > opaque.count && 10 * paper > 6 * opaque.count
    return plane { index in
      let opacity = Float(bytes[index + 3]) / 255
      return isSheet ? gray(index) * opacity + sheet * (1 - opacity) : 1 - opacity
    }
  }
}

/// The median; 0 of no values.
private func median(_ values: [Float]) -> Float {
  values.isEmpty ? 0 : values.sorted()[values.count / 2]
}
