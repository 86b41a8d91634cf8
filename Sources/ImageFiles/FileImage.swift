/// The pixels of an image file: eight bits a sample, row by row from the top.
///
/// ```swift
/// let image = try FileImage(decoding: file, named: "a.png", channels: 1)
/// image.bytes.count  // width · height
/// let copy = try image.encoded()
/// ```
package struct FileImage: Equatable, Sendable {
  package let width: Int
  package let height: Int
  /// 1 for gray, 3 for RGB, 4 for RGB and opacity.
  package let channels: Int
  /// height × width × channels samples; the channels of a pixel are neighbours.
  package let bytes: [UInt8]
  /// Whether the file can have transparent pixels.
  package let hasOpacity: Bool

  /// The largest number of pixels that are decoded: 8192 × 8192, which are 192 MiB of RGB. A file of a
  /// few kilobytes can hold many more.
  package static let largestPixelCount = 1 << 26

  package init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
    self.init(width: width, height: height, channels: channels, bytes: bytes, hasOpacity: false)
  }

  init(width: Int, height: Int, channels: Int, bytes: [UInt8], hasOpacity: Bool) {
    precondition([1, 3, 4].contains(channels), "an image has 1, 3 or 4 channels, got \(channels)")
    precondition(
      bytes.count == width * height * channels,
      "an image of \(width)×\(height) pixels and \(channels) channels does not have "
        + "\(bytes.count) bytes")
    self.width = width
    self.height = height
    self.channels = channels
    self.bytes = bytes
    self.hasOpacity = hasOpacity
  }

  /// Decodes a PNG or JPEG file of any kind, turned upright as its EXIF data say.
  ///
  /// - Parameters:
  ///   - file: The file's bytes.
  ///   - name: The file's name in error messages.
  ///   - channels: 1 for gray, 3 for RGB, 4 for RGB and opacity.
  ///   - background: The gray value behind transparent pixels, unless there are 4 channels.
  /// - Throws: ``FileImageError`` if the bytes are not a whole PNG or JPEG file, or there are more than
  ///   ``largestPixelCount`` pixels.
  package init(
    decoding file: [UInt8], named name: String, channels: Int, background: UInt8 = 255
  ) throws(FileImageError) {
    precondition([1, 3, 4].contains(channels), "an image has 1, 3 or 4 channels, got \(channels)")
    let image: FileImage
    switch FileKind(of: file) {
    case .png:
      image = try decodePNG(file, named: name, channels: channels, background: background)
    case .jpeg:
      image = try decodeJPEG(file, named: name, channels: channels)
    case .other(let kind, let advice):
      throw FileImageError("cannot read \(name): expected a PNG or JPEG file, got \(kind)\(advice)")
    }
    self = image.turned(Orientation(of: file))
  }

  /// - Throws: ``FileImageError`` if an image of a file has no pixels or too many.
  static func checkSize(
    _ width: Int, _ height: Int, named name: String, fileSize: Int, pixelsPerByte: Int
  ) throws(FileImageError) {
    guard width > 0, height > 0, width <= largestPixelCount / height else {
      throw FileImageError(
        "cannot read \(name): expected at most \(largestPixelCount) pixels, got \(width) × "
          + "\(height); make the picture smaller")
    }
    guard width * height / pixelsPerByte <= fileSize else {
      throw FileImageError(
        "cannot read \(name): \(width) × \(height) pixels do not fit into \(fileSize) bytes")
    }
  }
}

/// Why an image file cannot be read or written, in one line.
package struct FileImageError: Error, Equatable, CustomStringConvertible {
  package let description: String

  package init(description: String) {
    self.description = description
  }

  init(_ description: String) {
    self.init(description: description)
  }
}

/// What kind of file some bytes are, by their first few.
private enum FileKind {
  case png
  case jpeg
  /// Another kind, and what to do about it.
  case other(String, String)

  init(of file: [UInt8]) {
    func has(_ text: String, at offset: Int = 0) -> Bool {
      file.dropFirst(offset).starts(with: text.utf8)
    }
    let convert = "; convert it to PNG"
    let pictures = [
      (has("RIFF") && has("WEBP", at: 8), "a WebP file"), (has("GIF8"), "a GIF file"),
      (has("BM"), "a BMP file"), (has("II*\0") || has("MM\0*"), "a TIFF file"),
      (has("ftypavif", at: 4), "an AVIF file"),
      (has("ftyphei", at: 4) || has("ftypmif1", at: 4), "a HEIC file"), (has("%PDF"), "a PDF file"),
      (has("<svg"), "an SVG file"),
    ]
    if file.isEmpty {
      self = .other("an empty file", "")
    } else if file.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
      self = .png
    } else if file.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if let picture = pictures.first(where: \.0) {
      self = .other(picture.1, convert)
    } else {
      self = .other("something else", "")
    }
  }
}
