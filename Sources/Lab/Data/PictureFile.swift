import Foundation
import ImageFiles

/// A PNG or JPEG file with ink on paper: gray or colored, with a transparent background, and turned as
/// its EXIF data say.
struct PictureFile {
  /// The file's name in messages.
  let name: String
  private let bytes: [UInt8]
  private let longest: Int

  /// - Parameters:
  ///   - file: The file.
  ///   - longest: Pictures of twice this height or width and more are shrunk by a whole factor.
  /// - Throws: ``DataError`` if the file cannot be read.
  init(contentsOf file: URL, longest: Int) throws(DataError) {
    let name = file.path(percentEncoded: false)
    bytes = try read { () throws(FileImageError) in try readImageFile(name) }
    (self.name, self.longest) = (name, longest)
  }

  /// The gray values, from 0 for black to 1 for white.
  var gray: Plane {
    get throws(DataError) {
      let image = try decoded(1)
      return image.hasOpacity
        ? try decoded(4).onPaper(longest)
        : image.plane(longest) { Float(image.bytes[$0]) / 255 }
    }
  }

  /// How much each pixel's hue differs from that of the edges, which is 1.
  var hues: Plane {
    get throws(DataError) { try decoded(3).hues(longest) }
  }

  private func decoded(_ channels: Int) throws(DataError) -> FileImage {
    try read { () throws(FileImageError) in
      try FileImage(decoding: bytes, named: name, channels: channels)
    }
  }
}

private func read<Result>(
  _ body: () throws(FileImageError) -> Result
) throws(DataError) -> Result {
  do {
    return try body()
  } catch {
    throw DataError(.damaged, error.description)
  }
}

extension FileImage {
  /// A matrix with a value for each pixel; large ones are shrunk by a whole factor.
  ///
  /// - Parameters:
  ///   - longest: Half the height or width from which it is shrunk.
  ///   - value: Returns the value, given the index of the pixel's first sample.
  fileprivate func plane(_ longest: Int, _ value: (Int) -> Float) -> Plane {
    Plane(
      values: (0..<width * height).map { value($0 * channels) }, width: width, height: height
    ).averaged(by: max(1, max(width, height) / longest), isPadded: false)
  }

  /// How much each pixel's hue differs from that of the edges, which is 1; for RGB.
  fileprivate func hues(_ longest: Int) -> Plane {
    func difference(_ index: Int) -> Float { Float(bytes[index]) - Float(bytes[index + 1]) }
    let redGreen = plane(longest) { difference($0) / 510 }
    let yellowBlue = plane(longest) { difference($0 + 1) / 510 + difference($0) / 1020 }
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
  fileprivate func onPaper(_ longest: Int) -> Plane {
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
    return plane(longest) { index in
      let opacity = Float(bytes[index + 3]) / 255
      return isSheet ? gray(index) * opacity + sheet * (1 - opacity) : 1 - opacity
    }
  }
}

/// The median; 0 of no values.
private func median(_ values: [Float]) -> Float {
  values.isEmpty ? 0 : values.sorted()[values.count / 2]
}
